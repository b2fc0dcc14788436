"""Files go in: from every kind of source, durable and pinned, or not at all."""

from __future__ import annotations

import errno
import io
import os
from collections.abc import AsyncIterator, Iterable
from pathlib import Path

import pytest
import trio
import trio.testing
from contents import content, in_pieces, read

from peershelf.blockstore.block import Block
from peershelf.blockstore.errors import (
    StoreError,
)
from peershelf.blockstore.store.holds import HeldKeys
from peershelf.blockstore.store.pack import PackStore
from peershelf.node import Node


async def test_every_kind_of_source_gives_one_cid(node: Node, tmp_path: Path) -> None:
    data = content(2_500_000)
    (tmp_path / "file").write_bytes(data)
    cids = {
        await node.add(data),
        await node.add(tmp_path / "file"),
        await node.add(str(tmp_path / "file")),
        await node.add(io.BytesIO(data)),
        await node.add(in_pieces(data, 60_000)),
    }
    assert len(cids) == 1


async def test_bytes_of_every_kind_are_added_and_nothing_else(node: Node) -> None:
    cid = await node.add(b"bytes")
    assert await node.add(bytearray(b"bytes")) == await node.add(memoryview(b"bytes")) == cid
    for wrong in (5, None, io.StringIO("text")):
        with pytest.raises(TypeError, match="a path, bytes, a binary file"):
            await node.add(wrong)  # type: ignore[arg-type]


async def test_a_missing_source_is_an_os_error_and_adds_nothing(node: Node, tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError):
        await node.add(tmp_path / "nowhere")
    assert (await node.stats()).blocks == 0


async def test_a_file_that_has_nothing_to_read_yet_does_not_pass_for_an_empty_one(node: Node) -> None:
    receiver, sender = os.pipe()
    os.set_blocking(receiver, False)
    with (
        os.fdopen(sender, "wb"),
        os.fdopen(receiver, "rb", buffering=0) as file,
        pytest.raises(BlockingIOError),
    ):
        await node.add(file)


async def test_progress_reaches_the_size(node: Node) -> None:
    seen: list[int] = []
    await node.add(content(3 << 20), progress=seen.append)
    assert seen == sorted(seen)
    assert seen[-1] == 3 << 20


async def test_only_hash_stores_nothing_and_gives_the_same_cid(node: Node) -> None:
    data = content(2_000_000)
    hashed = await node.import_file(data, only_hash=True)
    assert (await node.stats()).blocks == 0
    assert await node.add(data) == hashed.cid


async def test_an_added_file_is_pinned_recursively_unless_told_otherwise(node: Node) -> None:
    kept = await node.add(b"keep me")
    loose = await node.add(b"do not", pin=False)
    pins = {pin.cid: pin for pin in node.pins.list()}
    assert pins[kept].recursive
    assert loose not in pins


async def test_a_file_that_a_failed_sync_may_have_lost_is_an_error_and_not_pinned(
    node: Node, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert isinstance(node.store, PackStore)
    put_held = node.store.put_held

    def lose(blocks: Iterable[Block], held: HeldKeys | None, *, durable: bool, behind: bool = False) -> None:
        put_held(blocks, held, durable=durable, behind=behind)
        with monkeypatch.context() as patch, pytest.raises(StoreError):
            patch.setattr(os, "fdatasync", failing)
            node.store.sync()

    def failing(descriptor: int) -> None:
        raise OSError(errno.EIO, os.strerror(errno.EIO))

    monkeypatch.setattr(node.store, "put_held", lose)
    with pytest.raises(StoreError, match="try again"):
        await node.add(content(100_000))
    assert list(node.pins.list()) == []


async def test_a_cancelled_add_leaves_the_node_working(node: Node) -> None:
    async def endless() -> AsyncIterator[bytes]:
        while True:
            yield bytes(1 << 16)

    with trio.move_on_after(0.2) as scope:
        await node.add(endless())
    assert scope.cancelled_caught
    assert await read(node, await node.add(b"after")) == b"after"
