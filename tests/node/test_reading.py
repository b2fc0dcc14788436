"""Files come out: whole or in part, as they went in, or with the reason why not."""

from __future__ import annotations

from pathlib import Path

import pytest
from contents import SMALL_CHUNKS, content, read

from peershelf.blockstore.cid import Cid
from peershelf.blockstore.errors import (
    BlockNotFound,
    CorruptBlock,
    InvalidCid,
    NotAFile,
    PathNotFound,
)
from peershelf.node import Node

EMPTY_DIRECTORY = bytes.fromhex("0a020801")


@pytest.mark.parametrize("size", [0, 1, 999, 1000, 1001, 4000, 4001, 16_001, 3_000_000])
async def test_what_was_added_comes_back(node: Node, size: int) -> None:
    data = content(size)
    assert await read(node, await node.add(data, profile=SMALL_CHUNKS)) == data


async def test_ranges_are_cut_exactly(node: Node) -> None:
    data = content(20_000)
    cid = await node.add(data, profile=SMALL_CHUNKS)
    for offset, length in [
        (0, 1),
        (999, 2),
        (1000, 1000),
        (3_500, 9_000),
        (19_999, 5),
        (20_000, 5),
        (30_000, 1),
    ]:
        assert await read(node, cid, offset=offset, length=length) == data[offset : offset + length]
    assert await read(node, cid, offset=12_345) == data[12_345:]


async def test_the_forms_of_a_reference_lead_to_one_file(node: Node) -> None:
    cid = await node.add(b"hello")
    for form in (str(cid), f"/ipfs/{cid}", f"ipfs://{cid}"):
        assert await read(node, form) == b"hello"


async def test_a_block_that_is_not_here_is_named(node: Node) -> None:
    absent = "bafkreiaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"
    with pytest.raises(BlockNotFound, match=absent):
        await read(node, absent)
    with pytest.raises(BlockNotFound, match=absent):
        await node.get_block(Cid.parse(absent))


async def test_a_directory_has_no_bytes_and_a_wrong_name_is_told(node: Node) -> None:
    directory = await node.put_block(EMPTY_DIRECTORY, codec=0x70)
    with pytest.raises(NotAFile):
        await read(node, directory.cid)
    with pytest.raises(PathNotFound, match="no link named 'x'"):
        await read(node, f"{directory.cid}/x")


@pytest.mark.parametrize("text", ["", "hello", "/ipfs/", "Qm", "ipfs://?", "\x1b[31m"])
async def test_what_is_no_cid_is_refused_in_printable_words(node: Node, text: str) -> None:
    with pytest.raises((InvalidCid, ValueError)) as raised:
        await read(node, text)
    assert str(raised.value).isprintable()


async def test_a_flipped_bit_on_disk_is_never_handed_out(tmp_path: Path) -> None:
    async with Node(tmp_path / "repo", online=False) as first:
        cid = await first.add(content(5000))
    segment = next(path for path in (tmp_path / "repo" / "segments").iterdir() if path.stat().st_size > 5000)
    damaged = bytearray(segment.read_bytes())
    damaged[2500] ^= 1
    segment.write_bytes(damaged)
    async with Node(tmp_path / "repo", online=False) as again:
        with pytest.raises(CorruptBlock):
            await read(again, cid)
        assert await again.add(content(5000)) == cid
        assert await read(again, cid) == content(5000)


async def test_stopping_half_way_is_harmless(node: Node) -> None:
    data = content(9_000_000)
    cid = await node.add(data)
    async for chunk in node.cat(cid):
        assert data.startswith(chunk)
        break
    assert await read(node, cid) == data
