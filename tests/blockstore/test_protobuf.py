from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from peershelf.blockstore import protobuf
from peershelf.blockstore.buffers import Rope


class Malformed(Exception):
    pass


def read(data: bytes) -> list[protobuf.Field]:
    return list(protobuf.fields(data, Malformed))


numbers = st.integers(1, (1 << 29) - 1)
fields = st.one_of(
    st.tuples(numbers, st.just(protobuf.VARINT), st.integers(0, (1 << 64) - 1)),
    st.tuples(numbers, st.just(protobuf.BYTES), st.binary(max_size=300)),
    st.tuples(numbers, st.just(protobuf.FIXED32), st.integers(0, (1 << 32) - 1)),
)
WRITERS = {
    protobuf.VARINT: protobuf.varint_field,
    protobuf.BYTES: protobuf.bytes_field,
    protobuf.FIXED32: protobuf.fixed32_field,
}


@given(st.lists(fields))
def test_fields_are_read_as_they_were_written(written: list[protobuf.Field]) -> None:
    data = b"".join(WRITERS[wire_type](number, value) for number, wire_type, value in written)  # type: ignore[operator]
    assert read(data) == written


@given(
    st.one_of(
        st.binary(max_size=100),
        st.lists(fields).map(
            lambda many: b"".join(WRITERS[kind](number, value) for number, kind, value in many)
        ),  # type: ignore[operator]
    ),
    st.integers(1, 50),
)
def test_fields_are_read_alike_from_pieces_and_from_the_whole(data: bytes, size: int) -> None:
    def outcome(source: bytes | Rope) -> list[object]:
        found: list[object] = []
        try:
            for number, wire_type, value in protobuf.fields(source, Malformed):
                found.append((number, wire_type, value if isinstance(value, int) else bytes(value)))
        except Malformed as error:
            found.append(str(error))
        return found

    pieces = [memoryview(data[start : start + size]) for start in range(0, len(data), size)]
    assert outcome(Rope(pieces)) == outcome(data)


def test_a_header_and_bytes_are_a_field() -> None:
    assert protobuf.bytes_header(7, 300) + bytes(300) == protobuf.bytes_field(7, bytes(300))


def test_64_bit_numbers_are_read() -> None:
    assert read(bytes.fromhex("09" + "01" + "00" * 7)) == [(1, protobuf.FIXED64, 1)]


def test_long_fields_are_slices_and_not_copies() -> None:
    data = protobuf.bytes_field(1, b"hello")
    value = read(data)[0][2]
    assert isinstance(value, memoryview)
    assert value.obj is data


@pytest.mark.parametrize(
    "data",
    [
        pytest.param("0a", id="no length"),
        pytest.param("0a05aabb", id="cut bytes"),
        pytest.param("0affffffffffffffffff01", id="a length that nothing could hold"),
        pytest.param("08", id="no number"),
        pytest.param("0880", id="cut number"),
        pytest.param("088000", id="overlong number"),
        pytest.param("8a0000", id="overlong key"),
        pytest.param("0d010203", id="cut 32-bit number"),
        pytest.param("0901020304050607", id="cut 64-bit number"),
        pytest.param("0b0c", id="a group"),
        pytest.param("0e", id="wire type 6"),
        pytest.param("0001", id="field number 0"),
        pytest.param("808080801001", id="field number 2^29"),
    ],
)
def test_malformed_messages_raise_what_the_caller_named(data: str) -> None:
    with pytest.raises(Malformed, match="malformed message"):
        read(bytes.fromhex(data))


@given(st.binary(max_size=200))
def test_arbitrary_bytes_are_fields_or_malformed(data: bytes) -> None:
    try:
        found = read(data)
    except Malformed:
        return
    assert sum(len(value) for _, _, value in found if isinstance(value, memoryview)) <= len(data)


@given(st.lists(st.integers(0, (1 << 64) - 1)))
def test_packed_numbers_are_read(values: list[int]) -> None:
    from peershelf.blockstore import varint

    data = b"".join(map(varint.encode, values))
    assert list(protobuf.varints(memoryview(data), Malformed)) == values


def test_packed_numbers_that_are_cut_are_malformed() -> None:
    with pytest.raises(Malformed):
        list(protobuf.varints(memoryview(b"\x01\x80"), Malformed))
