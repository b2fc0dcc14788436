"""CARs, as they are written and as anybody may have written them."""

from __future__ import annotations

from collections.abc import Iterable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from peershelf.blockstore import multihash, varint
from peershelf.blockstore.block import MAX_BLOCK_SIZE, Block
from peershelf.blockstore.car import writer
from peershelf.blockstore.car.reader import MAX_HEADER, MAX_SECTION, CarReader, Roots
from peershelf.blockstore.cid import DAG_CBOR, Cid
from peershelf.blockstore.errors import BlockTooLarge, MalformedCar
from peershelf.blockstore.ipld import dag_cbor

BLOCKS = [
    Block.create(b"raw"),
    Block.create(dag_cbor.encode({"a": 1}), codec=DAG_CBOR),
    Block.create(b"\x0a\x00", codec=0x70, version=0),
    Block.create(b"blake", hash_code=multihash.BLAKE3),
    Block.create(b"spelled out", hash_code=multihash.IDENTITY),
    Block.create(b""),
]
V2_PRAGMA = bytes.fromhex("0aa16776657273696f6e02")


def car(blocks: Iterable[Block] = BLOCKS, roots: Iterable[Block] = BLOCKS[:2]) -> bytes:
    sections = [part for block in blocks for part in writer.section(block)]
    return writer.header([block.cid for block in roots]) + b"".join(sections)


def version_2(inner: bytes, *, padding: int = 0, index: bytes = b"", size: int | None = None) -> bytes:
    numbers = (51 + padding, len(inner) if size is None else size, 0)
    head = bytes(16) + b"".join(number.to_bytes(8, "little") for number in numbers)
    return V2_PRAGMA + head + bytes(padding) + inner + index


def read(pieces: Iterable[bytes]) -> list[Roots | tuple[Cid, bytes]]:
    reader, found = CarReader(), []
    for piece in pieces:
        reader.receive(piece)
        while (event := reader.next_event()) is not None:
            found.append(event)
    reader.end()
    return found


EXPECTED = [Roots(tuple(block.cid for block in BLOCKS[:2])), *((block.cid, block.data) for block in BLOCKS)]


@given(st.lists(st.integers(1, 60)), st.sampled_from(["1", "2", "2 with an index"]))
def test_what_was_written_is_read_however_it_is_cut(cuts: list[int], version: str) -> None:
    data = car()
    if version != "1":
        data = version_2(data, padding=7, index=b"an index" if "index" in version else b"")
    pieces, at = [], 0
    for cut in cuts:
        pieces.append(data[at : at + cut])
        at += cut
    assert read([*pieces, data[at:]]) == EXPECTED


def test_no_blocks_and_no_roots() -> None:
    assert read([car([], [])]) == [Roots(())]


def test_a_cut_archive_is_refused_at_every_byte() -> None:
    data = car()
    whole = {len(car(BLOCKS[:count])) for count in range(len(BLOCKS) + 1)}
    for end in range(len(data)):
        if end in whole:
            continue  # an archive with fewer blocks
        with pytest.raises(MalformedCar):
            read([data[:end]])


def test_a_cut_archive_of_version_2_is_refused_at_every_byte() -> None:
    data = version_2(car(), padding=5)
    for end in range(len(data)):
        with pytest.raises(MalformedCar):
            read([data[:end]])


def section(data: bytes) -> bytes:
    return varint.encode(len(data)) + data


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"\x00",
        b"\x80\x00",
        b"not a CAR at all, but text",
        section(b"\xff"),
        section(dag_cbor.encode({"version": 1})),
        section(dag_cbor.encode({"roots": [], "version": 3})),
        section(dag_cbor.encode({"roots": [], "version": True})),
        section(dag_cbor.encode({"roots": [], "version": 1.0})),
        section(dag_cbor.encode({"version": 2.0})) + version_2(car(), padding=8)[11:51] + car(),
        section(dag_cbor.encode({"roots": ["no CID"], "version": 1})),
        section(dag_cbor.encode({"roots": {}, "version": 1})),
        section(dag_cbor.encode({"roots": [], "version": 1, "more": 1})),
        section(b"\xa2\x67version\x01\x65roots\x80"),  # keys out of order
        varint.encode(MAX_HEADER + 1),
        varint.encode(1 << 63),
        car() + b"\x00",
        car() + varint.encode(MAX_SECTION + 1),
        car() + section(b"\x01"),
        car() + section(b"\x01\x55\x12\x20short"),
        car() + section(b"\x01\x55\x12" + varint.encode(200) + bytes(200)),
        car() + section(b"\x02\x55\x12\x20" + bytes(32)),
        V2_PRAGMA + bytes(16) + b"".join(n.to_bytes(8, "little") for n in (10, 5, 0)),
        version_2(b"", size=0),
        version_2(car(), size=len(car()) - 1),
        version_2(version_2(car())),
    ],
)
def test_what_is_no_archive_is_refused(data: bytes) -> None:
    with pytest.raises(MalformedCar):
        read([data])


def test_lengths_are_refused_before_anything_is_kept() -> None:
    reader = CarReader()
    reader.receive(car([], []) + varint.encode(MAX_SECTION + 1))
    reader.next_event()
    with pytest.raises(MalformedCar, match="section of"):
        reader.next_event()


def test_a_block_over_the_networks_limit_is_refused() -> None:
    cid = Block.create(b"x").cid
    with pytest.raises(BlockTooLarge):
        read([car([], []) + section(cid.to_bytes() + bytes(MAX_BLOCK_SIZE + 1))])


def test_what_waits_is_bounded() -> None:
    reader = CarReader()
    reader.receive(car([], []))
    big = Block.create(bytes(1 << 20))
    data = b"".join(writer.section(big))
    for _ in range(20):
        reader.receive(data)
        while reader.next_event() is not None:
            pass
    assert len(reader._buffer) <= len(data)
