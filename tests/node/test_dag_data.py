"""Structured data on a node without a network."""

from __future__ import annotations

from pathlib import Path

import pytest

from peershelf.blockstore.block import Block
from peershelf.blockstore.cid import DAG_CBOR, DAG_JSON, DAG_PB, RAW, Cid
from peershelf.blockstore.errors import BlockNotFound, MalformedBlock, PathNotFound, UnsupportedCodec
from peershelf.node import Node
from peershelf.node.errors import StillPinned

ABSENT = Block.create(b"nobody has this").cid


async def test_data_come_back_through_paths_and_links(node: Node) -> None:
    inner = await node.dag_put({"text": "ü", "list": [1, b"\x00", None]})
    outer = await node.dag_put([{"inner": inner}], codec=DAG_JSON)
    assert (inner.codec, outer.codec) == (DAG_CBOR, DAG_JSON)
    assert await node.dag_get(outer) == [{"inner": inner}]
    assert await node.dag_get(f"{outer}/0/inner") == {"text": "ü", "list": [1, b"\x00", None]}
    assert await node.dag_get(f"{outer}/0/inner/list/1") == b"\x00"
    resolved = await node.dag_resolve(f"{outer}/0/inner/list/1")
    assert (resolved.cid, resolved.rest) == (inner, ("list", "1"))
    assert await node.dag_read(f"{outer}/0/inner/list/1", codec=RAW) == b"\x00"
    with pytest.raises(PathNotFound, match="'9'"):
        await node.dag_get(f"{outer}/0/inner/list/9")


async def test_directories_are_gone_through_by_name_and_by_field(node: Node, tmp_path: Path) -> None:
    folder = tmp_path / "folder"
    folder.mkdir()
    (folder / "a file").write_bytes(b"bytes")
    root = await node.add_tree(folder)
    data = await node.dag_put({"folder": root})
    assert await node.dag_get(f"{data}/folder/a file") == b"bytes"
    assert await node.dag_get(f"/ipld/{data}/folder/Links/0/Name") == "a file"
    block = await node.get_block(root)
    assert await node.dag_read(root, codec=DAG_PB) == block.data


async def test_a_pin_of_data_keeps_what_is_below_and_nothing_else(node: Node) -> None:
    """While a DAG of dag-cbor was pinned, no block could be removed."""
    leaf = await node.put_block(b"leaf")
    inner = await node.dag_put({"leaf": leaf.cid}, codec=DAG_JSON)
    root = await node.dag_put([inner], pin=True)
    loose = await node.dag_put("loose")
    for cid in (root, inner, leaf.cid):
        with pytest.raises(StillPinned, match=str(root)):
            await node.remove_block(cid)
    await node.remove_block(loose)
    other = await node.dag_put("other")
    await node.collect_garbage()
    assert await node.dag_get(f"{root}/0/leaf") == b"leaf"
    with pytest.raises(BlockNotFound):
        await node.get_block(other)


async def test_a_pin_of_what_is_not_here_is_refused_and_collections_go_on(node: Node) -> None:
    with pytest.raises(BlockNotFound, match=str(ABSENT)):
        await node.dag_put({"link": ABSENT}, pin=True)
    assert list(node.pins.list()) == []
    await node.collect_garbage()


async def test_links_that_nobody_can_read_are_not_pinned_for_good(node: Node) -> None:
    with pytest.raises(MalformedBlock):
        await node.put_block(b"\x18\x01", codec=DAG_CBOR, pin=True)
    unreadable = await node.put_block(b"\x18\x01", codec=DAG_CBOR)
    with pytest.raises(MalformedBlock, match="shortest"):
        await node.dag_get(unreadable.cid)
    with pytest.raises(UnsupportedCodec):
        await node.put_block(b"no codec of ours", codec=0x78, pin=True)
    assert list(node.pins.list()) == []
    await node.collect_garbage()
    assert list(node.local_cids()) == []


async def test_what_the_codec_cannot_hold_is_not_stored(node: Node) -> None:
    for data, codec in (({"/": "text"}, DAG_JSON), ([], DAG_PB), ("text", RAW), (1 << 64, DAG_CBOR)):
        with pytest.raises(MalformedBlock):
            await node.dag_put(data, codec=codec)
    with pytest.raises(BlockNotFound):
        await node.dag_get(Cid.parse(str(ABSENT)), offline=True)
    assert list(node.local_cids()) == []
