"""What a node does with denylists: reading, adding, walking, serving and announcing."""

from __future__ import annotations

import io
import random
from collections.abc import Awaitable, Callable
from pathlib import Path

import pytest
import trio

from peershelf.blockstore.block import Block
from peershelf.blockstore.cid import RAW, Cid
from peershelf.node import Node
from peershelf.node.denylists.errors import ContentBlocked
from peershelf.node.errors import TimedOut

LOOPBACK = {"Addresses.Swarm": ["/ip4/127.0.0.1/tcp/0"], "Bootstrap": [], "Routing.Type": "none"}
DATA = random.Random(1).randbytes(3_000_000)


async def read(node: Node, reference: Cid | str, **options: float) -> bytes:
    return b"".join([bytes(chunk) async for chunk in node.cat(reference, **options)])


def deny(node: Node, *rules: str, name: str = "x.deny") -> Path:
    file = Path(node.repo.path) / "denylists" / name
    file.parent.mkdir(exist_ok=True)
    file.write_text("".join(f"{rule}\n" for rule in rules))
    return file


async def eventually(check: Callable[[], bool]) -> None:
    with trio.fail_after(10):
        while not check():  # noqa: ASYNC110
            await trio.sleep(0.05)


async def leaves(node: Node, root: Cid) -> list[Cid]:
    return [ref.cid async for ref in node.refs(root, recursive=True) if ref.cid.codec == RAW]


@pytest.fixture
async def alone(tmp_path: Path):
    async with Node(tmp_path / "repo", online=False) as node:
        yield node


READS: dict[str, Callable[[Node, Cid], Awaitable[object]]] = {
    "cat": read,
    "get_block": lambda node, cid: node.get_block(cid),
    "resolve": lambda node, cid: node.resolve(cid),
    "dag_get": lambda node, cid: node.dag_get(cid),
    "dag_resolve": lambda node, cid: node.dag_resolve(f"/ipld/{cid}/Links/0"),
    "dag_stat": lambda node, cid: node.dag_stat(cid),
    "pin": lambda node, cid: node.pin(cid),
    "ls": lambda node, cid: anext(aiter(node.ls(cid))),
    "refs": lambda node, cid: anext(aiter(node.refs(cid))),
    "export_car": lambda node, cid: anext(aiter(node.export_car(cid))),
}


@pytest.mark.parametrize("how", READS)
async def test_what_is_here_and_blocked_is_not_handed_out(alone: Node, how: str) -> None:
    cid = await alone.add(DATA)
    await READS[how](alone, cid)
    file = deny(alone, f"/ipfs/{cid}")
    alone.denylists.reload()
    with pytest.raises(ContentBlocked, match=f"{file}, line 1"):
        await READS[how](alone, cid)
    file.unlink()
    alone.denylists.reload()
    await READS[how](alone, cid)


@pytest.mark.parametrize("how", ["cat", "pin", "dag_stat", "export_car"])
async def test_a_blocked_block_ends_the_walk_that_comes_to_it(alone: Node, how: str) -> None:
    """Leaves that are here are passed over by some walks without being read."""
    cid = await alone.add(DATA)
    leaf = (await leaves(alone, cid))[-1]
    deny(alone, f"/ipfs/{leaf}")
    alone.denylists.reload()
    with pytest.raises(ContentBlocked, match=str(leaf)):
        if how == "export_car":
            async for _ in alone.export_car(cid):
                pass
        else:
            await READS[how](alone, cid)


async def test_a_path_is_refused_and_its_neighbour_is_not(alone: Node, tmp_path: Path) -> None:
    tree = tmp_path / "tree"
    (tree / "sub").mkdir(parents=True)
    for name in ("a", "b", "sub/c"):
        (tree / name).write_text(name)
    root = await alone.add_tree(tree)
    deny(alone, f"/ipfs/{root}/a", f"/ipfs/{root}/sub*")
    alone.denylists.reload()
    assert await read(alone, f"{root}/b") == b"b"
    for path in (f"{root}/a", f"/ipfs/{root}/sub/c", f"/ipld/{root}/sub"):
        with pytest.raises(ContentBlocked, match="is blocked by"):
            await (alone.dag_resolve(path) if path.startswith("/ipld/") else read(alone, path))
    assert await read(alone, await alone.resolve(f"{root}/b")) == b"b"


async def test_blocked_content_is_not_added_however_it_comes(alone: Node) -> None:
    cid = await alone.add(DATA)
    archive = b"".join([bytes(chunk) async for chunk in alone.export_car(cid)])
    leaf = (await leaves(alone, cid))[0]
    block = await alone.get_block(leaf)
    await alone.unpin(cid)
    await trio.to_thread.run_sync(alone.collector.collect)
    deny(alone, f"/ipfs/{leaf}")
    alone.denylists.reload()
    with pytest.raises(ContentBlocked):
        await alone.add(DATA)
    with pytest.raises(ContentBlocked):
        await alone.put_block(block.data)
    with pytest.raises(ContentBlocked):
        await alone.import_car(io.BytesIO(archive))
    assert not alone.store.has(leaf)
    assert (await alone.import_file(DATA, only_hash=True)).cid == cid


async def test_a_pin_of_blocked_content_can_be_given_up(alone: Node) -> None:
    cid = await alone.add(DATA)
    deny(alone, f"/ipfs/{cid}")
    alone.denylists.reload()
    assert await alone.unpin(cid) == [cid]
    await alone.remove_block(cid)


async def test_a_node_without_the_repos_lock_knows_the_lists_too(alone: Node) -> None:
    cid = await alone.add(b"x")
    deny(alone, f"/ipfs/{cid}")
    async with Node(alone.repo.path, read_only=True) as other:
        decision = await other.denylist_check(f"/ipfs/{cid}")
        assert decision is not None
        assert decision.verdict.is_blocked
        assert [one.path for one in await other.denylist_files()]
        assert await other.denylist_check("/ipns/example.com/x") is None


async def test_peers_get_what_is_blocked_only_once_it_no_longer_is(tmp_path: Path) -> None:
    """One who asked meanwhile is served when the list is gone."""
    async with (
        Node(tmp_path / "giver", settings=LOOPBACK) as giver,
        Node(tmp_path / "taker", settings=LOOPBACK) as taker,
    ):
        cid, other = await giver.add(DATA), await giver.add(b"free")
        file = deny(giver, f"/ipfs/{cid}")
        await eventually(lambda: giver.denylists.is_active)
        await taker.connect(giver.addresses()[0])
        with pytest.raises(TimedOut):
            await read(taker, cid, timeout=1)
        assert await read(taker, other, timeout=10) == b"free"
        answers: list[bytes] = []

        async def ask() -> None:
            answers.append(await read(taker, cid, timeout=30))

        async with trio.open_nursery() as nursery:
            nursery.start_soon(ask)
            await eventually(lambda: cid in giver.online.exchange.wantlist(taker.online.host.local_peer))
            file.unlink()
        assert answers == [DATA]


async def test_nobody_is_asked_for_what_is_blocked(tmp_path: Path) -> None:
    """Neither for a root, nor for a block inside a DAG that others may have."""
    async with (
        Node(tmp_path / "giver", settings=LOOPBACK) as giver,
        Node(tmp_path / "taker", settings=LOOPBACK) as taker,
    ):
        cid = await giver.add(DATA)
        leaf = (await leaves(giver, cid))[-1]
        await taker.connect(giver.addresses()[0])
        file = deny(taker, f"/ipfs/{cid}")
        await eventually(lambda: taker.denylists.is_active)
        with pytest.raises(ContentBlocked):
            await read(taker, cid, timeout=20)
        assert taker.online.exchange.stat().blocks_received == 0
        file.write_text(f"/ipfs/{leaf}\n")
        await eventually(lambda: taker.denylists.refusal(leaf) is not None)
        for fetch in (read, Node.pin):
            with pytest.raises(ContentBlocked, match=str(leaf)):
                await fetch(taker, cid, timeout=20)
        assert not taker.store.has(leaf)


async def test_a_half_written_list_does_no_harm(tmp_path: Path) -> None:
    async with Node(tmp_path / "repo", settings=LOOPBACK) as node:
        cid = await node.add(b"x")
        file = deny(node, f"/ipfs/{cid}")
        with file.open("a") as growing:
            growing.write("//d9d295bde21f42\xff")
            growing.flush()
            await eventually(lambda: node.denylists.is_active)
            assert node.denylists.refusal(cid) is not None
            growing.write("\n/ipfs/bafkreihvvulpp4evxj7x7armbqcyg6uezzuig6jp3lktpbovlqfkuqeuoq\n")
        later = Cid.parse("bafkreihvvulpp4evxj7x7armbqcyg6uezzuig6jp3lktpbovlqfkuqeuoq")
        await eventually(lambda: node.denylists.refusal(later) is not None)


def test_the_served_store_is_the_store_without_what_is_blocked(tmp_path: Path) -> None:
    from peershelf.blockstore.errors import BlockNotFound
    from peershelf.blockstore.store.memory import MemoryStore
    from peershelf.node.denylists.denylists import Denylists
    from peershelf.node.denylists.served import ServedBlocks

    blocked, free = Block.create(b"blocked"), Block.create(b"free")
    store = MemoryStore()
    store.put_many([blocked, free])
    (tmp_path / "x.deny").write_text(f"/ipfs/{blocked.cid}\n")
    lists = Denylists([str(tmp_path)])
    served = ServedBlocks(store, lists)
    assert set(served.sizes([blocked.cid, free.cid])) == {blocked.cid, free.cid}
    lists.reload()
    assert served.sizes([blocked.cid, free.cid]) == {free.cid: 4}
    assert served.get_unhashed(free.cid) == b"free"
    with pytest.raises(BlockNotFound):
        served.get_unhashed(blocked.cid)
