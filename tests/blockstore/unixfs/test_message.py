from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from peershelf.blockstore import protobuf
from peershelf.blockstore.errors import MalformedBlock
from peershelf.blockstore.unixfs import message
from peershelf.blockstore.unixfs.message import Data, DataType, Mtime

uint64 = st.integers(0, (1 << 64) - 1)
mtimes = st.builds(Mtime, st.integers(-(1 << 63), (1 << 63) - 1), st.none() | st.integers(0, (1 << 32) - 1))
messages = st.builds(
    Data,
    st.sampled_from(DataType),
    st.none() | st.binary(max_size=100),
    st.none() | uint64,
    st.lists(uint64, max_size=5).map(tuple),
    st.none() | uint64,
    st.none() | uint64,
    st.none() | st.integers(0, (1 << 32) - 1),
    st.none() | mtimes,
)


@given(messages)
def test_messages_round_trip(data: Data) -> None:
    assert message.decode(message.encode(data)) == data


@pytest.mark.parametrize(
    ("data", "encoded"),
    [
        pytest.param(Data(DataType.DIRECTORY), "0801", id="directory"),
        pytest.param(Data(DataType.FILE, filesize=0), "08021800", id="empty file"),
        pytest.param(Data(DataType.FILE, b"hi", 2), "0802120268691802", id="leaf"),
        pytest.param(Data(DataType.FILE, None, 300, (256, 44)), "080218ac02208002202c", id="node"),
        pytest.param(Data(DataType.SYMLINK, b"a"), "0804120161", id="symlink"),
    ],
)
def test_messages_are_written_as_kubo_writes_them(data: Data, encoded: str) -> None:
    assert message.encode(data).hex() == encoded


def test_packed_and_unpacked_block_sizes_are_the_same() -> None:
    head = message.encode(Data(DataType.FILE, None, 300))
    assert message.decode(head + bytes.fromhex("2203" + "8002" + "2c")).blocksizes == (256, 44)
    assert message.decode(head + bytes.fromhex("2080" + "02" + "202c")).blocksizes == (256, 44)
    assert message.decode(head + bytes.fromhex("208002" + "2201" + "2c")).blocksizes == (256, 44)


def test_fields_are_read_in_any_order_and_unknown_ones_passed_over() -> None:
    assert message.decode(bytes.fromhex("1802" + "4a0178" + "12026869" + "0802")) == Data(
        DataType.FILE, b"hi", 2
    )


def test_times_before_1970_are_read() -> None:
    seconds = "08" + "ff" * 9 + "01"
    assert message.decode(bytes.fromhex("0801" + "420b" + seconds)).mtime == Mtime(-1)


@pytest.mark.parametrize(
    "data",
    [
        pytest.param("", id="no type"),
        pytest.param("1801", id="a size without type"),
        pytest.param("0806", id="unknown type"),
        pytest.param("0802" + "0802", id="type twice"),
        pytest.param("0802" + "1200" + "1200", id="data twice"),
        pytest.param("0a00", id="type as bytes"),
        pytest.param("0802" + "1001", id="data as a number"),
        pytest.param("0802" + "1d00000000", id="size as 32 bits"),
        pytest.param("0802" + "2500000000", id="block size as 32 bits"),
        pytest.param("0802" + "220180", id="packed block sizes that are cut"),
        pytest.param("0801" + "388080808010", id="mode over 32 bits"),
        pytest.param("0801" + "4200", id="time without seconds"),
        pytest.param("0801" + "4204" + "08010802", id="seconds twice"),
        pytest.param("0801" + "4204" + "08011001", id="nanoseconds as a varint"),
        pytest.param("0802" + "1205aa", id="cut"),
    ],
)
def test_what_is_no_message_is_malformed(data: str) -> None:
    with pytest.raises(MalformedBlock):
        message.decode(bytes.fromhex(data))


@given(st.binary(max_size=100) | messages.map(message.encode).map(lambda data: data[:-1]))
def test_arbitrary_and_cut_bytes_are_a_message_or_malformed(data: bytes) -> None:
    try:
        decoded = message.decode(data)
    except MalformedBlock:
        return
    assert message.decode(message.encode(decoded)) == decoded


def test_block_sizes_claimed_in_packed_form_take_no_memory_of_their_own() -> None:
    claimed = protobuf.bytes_header(4, 1 << 40)
    with pytest.raises(MalformedBlock):
        message.decode(b"\x08\x02" + claimed + b"\x01")
