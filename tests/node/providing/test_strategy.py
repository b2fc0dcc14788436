"""What a sweep announces, and what it must not."""

from __future__ import annotations

import os
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
import trio

from peershelf.blockstore.cid import Cid
from peershelf.node.api import Node
from peershelf.node.errors import NodeError
from peershelf.node.providing.strategy import STRATEGY

LARGE = 3 << 20
"""Bytes of a file of several blocks."""


async def swept(node: Node, strategy: str) -> set[bytes]:
    def sweep() -> set[bytes]:
        return set(STRATEGY[strategy](node.store, node.pins, lambda: node.additions.any_unannounced))

    return await trio.to_thread.run_sync(sweep)


async def below(node: Node, cid: Cid) -> set[bytes]:
    return {cid.multihash} | {ref.cid.multihash async for ref in node.refs(cid, recursive=True)}


@pytest.fixture(params=["roots", "pinned", "all"])
def strategy(request: pytest.FixtureRequest) -> str:
    return request.param


async def test_what_each_strategy_names(node: Node) -> None:
    root = await node.add(os.urandom(LARGE))
    loose = await node.add(os.urandom(LARGE), pin=False)
    assert await swept(node, "roots") == {root.multihash}
    assert await swept(node, "pinned") == await below(node, root)
    assert await swept(node, "all") == await below(node, root) | await below(node, loose)


async def test_nothing_of_what_was_added_without_announcing(node: Node, strategy: str) -> None:
    shown = await node.add(os.urandom(LARGE))
    hidden = await node.add(os.urandom(LARGE), announce=False)
    loose = await node.add(os.urandom(LARGE), announce=False, pin=False)
    found = await swept(node, strategy)
    assert shown.multihash in found
    assert not found & (await below(node, hidden) | await below(node, loose))


async def test_nor_of_a_tree(node: Node, strategy: str, tmp_path: Path) -> None:
    tree = tmp_path / "tree"
    tree.mkdir()
    for number in range(5):
        (tree / f"{number}").write_bytes(os.urandom(LARGE // 2))
    hidden = await node.add_tree(tree, announce=False)
    assert await below(node, hidden)
    assert await swept(node, strategy) == set()


async def test_it_stays_so_without_the_pin_and_after_another_one(node: Node, strategy: str) -> None:
    hidden = await node.add(os.urandom(LARGE), announce=False)
    await node.unpin(hidden)
    assert await swept(node, strategy) == set()
    await node.pin(hidden, name="letter")
    assert await swept(node, strategy) == set()


async def test_adding_it_again_with_announcing_lifts_it(node: Node, strategy: str) -> None:
    data = os.urandom(LARGE)
    hidden = await node.add(data, announce=False)
    assert await node.add(data) == hidden
    assert hidden.multihash in await swept(node, strategy)
    await node.add(data, announce=False)
    assert await swept(node, strategy) == set()


async def test_what_an_announced_pin_keeps_is_announced_except_for_the_root_itself(
    node: Node, tmp_path: Path
) -> None:
    (tmp_path / "tree").mkdir()
    (tmp_path / "tree" / "file").write_bytes(os.urandom(LARGE))
    hidden = await node.add(tmp_path / "tree" / "file", announce=False)
    shown = await node.add_tree(tmp_path / "tree")
    for strategy in ("pinned", "all"):
        assert await swept(node, strategy) == await below(node, shown) - {hidden.multihash}


async def test_the_successor_of_what_is_not_announced_is_not_either(node: Node, strategy: str) -> None:
    before = await node.add(os.urandom(LARGE), announce=False)
    after = await node.add(os.urandom(LARGE), pin=False)
    await node.pin_update(before, after)
    assert await swept(node, strategy) == set()


async def test_no_sweep_tells_of_what_is_just_being_added(node: Node, strategy: str) -> None:
    shown = await node.add(os.urandom(LARGE))
    seen: set[bytes] = set()

    async def pieces() -> AsyncIterator[bytes]:
        before = len(list(node.store.multihashes()))
        while len(list(node.store.multihashes())) == before:
            yield os.urandom(1 << 20)
        seen.update(await swept(node, strategy))

    await node.add(pieces(), announce=False)
    assert shown.multihash in seen
    assert seen <= await below(node, shown)


async def test_a_private_repo_announces_nothing_even_when_told_to(tmp_path: Path) -> None:
    async with Node(tmp_path / "private", settings={"Private": True}, online=False) as node:
        cid = await node.add(b"mine")
        assert not (tmp_path / "private" / "provide.db").exists()
        with pytest.raises(NodeError, match="private"):
            await node.provide(cid)
