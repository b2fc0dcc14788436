"""A node's life: who may have a repo, what is there before and after, and how it ends."""

from __future__ import annotations

import asyncio
import gc
from pathlib import Path

import pytest
from contents import content, read

import peershelf.node
from peershelf.blockstore.errors import MalformedCar, StoreLocked
from peershelf.node import Node, NodeError
from peershelf.node.errors import NotEntered, NotOnline, UsageError
from peershelf.protocols.errors import DialFailed


async def test_everything_is_there_after_reopening(tmp_path: Path) -> None:
    data = content(1_500_000)
    async with Node(tmp_path / "repo", online=False) as first:
        cid = await first.add(data)
    async with Node(tmp_path / "repo", online=False) as again:
        assert await read(again, cid) == data


async def test_a_second_node_on_one_repo_is_refused_and_the_first_goes_on(node: Node) -> None:
    with pytest.raises(StoreLocked, match="in use by process"):
        async with Node(node.repo.path, online=False):
            pytest.fail("two nodes on one repo")
    assert await read(node, await node.add(b"still here")) == b"still here"


async def test_a_read_only_node_works_beside_one_that_has_the_repo(node: Node) -> None:
    async with Node(node.repo.path, read_only=True) as reader:
        assert reader.repo.identity == node.repo.identity
        assert (await reader.import_file(b"x", only_hash=True)).cid == await node.add(b"x")


async def test_a_read_only_node_makes_no_repo(tmp_path: Path) -> None:
    """`add -n` and `denylist check` left one behind, with a key."""
    async with Node(tmp_path / "absent", read_only=True) as reader:
        assert str((await reader.import_file(b"hello", only_hash=True)).cid).startswith("bafk")
        assert reader.denylists is not None
    assert not (tmp_path / "absent").exists()


async def test_outside_of_its_with_a_node_says_how_it_is_used(tmp_path: Path) -> None:
    node = Node(tmp_path / "repo", online=False)
    with pytest.raises(NotEntered, match="async with"):
        await node.add(b"too early")
    async with node:
        cid = await node.add(b"in time")
    with pytest.raises(NotEntered, match="async with"):
        node.cat(cid)


def test_without_trio_a_node_says_what_it_runs_under_and_makes_nothing(tmp_path: Path) -> None:
    async def enter() -> None:
        async with Node(tmp_path / "repo", online=False):
            pytest.fail("there is no trio")

    with pytest.raises(NodeError, match=r"trio\.run"):
        asyncio.run(enter())
    assert not (tmp_path / "repo").exists()


def test_every_family_of_errors_is_where_the_node_is() -> None:
    assert issubclass(StoreLocked, peershelf.node.BlockstoreError)
    assert issubclass(DialFailed, peershelf.node.NetworkError)
    assert issubclass(NotOnline, peershelf.node.NodeError)


async def test_reading_nothing_is_wrong_usage(node: Node) -> None:
    with pytest.raises(UsageError, match="a CID is needed"):
        node.cat()
    with pytest.raises(UsageError, match="a CID is needed"):
        await node.open()


@pytest.mark.filterwarnings("error::ResourceWarning", "error::pytest.PytestUnraisableExceptionWarning")
async def test_an_archive_that_is_none_leaves_nothing_open(node: Node, tmp_path: Path) -> None:
    (tmp_path / "work.car").write_bytes(b"no archive" * 1000)
    with pytest.raises(MalformedCar):
        await node.import_car(tmp_path / "work.car")
    gc.collect()


async def test_the_network_is_not_there_offline(node: Node) -> None:
    with pytest.raises(NotOnline, match=r"node daemon`, or in Python Node.*online=True"):
        await node.connect("/ip4/127.0.0.1/tcp/1/p2p/12D3KooWDF6DnKoZdnpLtiegUTLguGJtow2RXjxBNQ8uFcB6QvkV")


async def test_an_error_of_the_body_comes_out_bare(tmp_path: Path) -> None:
    with pytest.raises(LookupError, match="mine"):
        async with Node(tmp_path / "repo", online=False):
            raise LookupError("mine")
