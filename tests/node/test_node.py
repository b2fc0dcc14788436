import errno
import hashlib
import io
import os
import random
import sys
from collections.abc import AsyncIterator, Iterable
from contextlib import AsyncExitStack, aclosing
from pathlib import Path
from types import ModuleType

import pytest
import trio
import trio.testing

from peershelf.blockstore.block import Block
from peershelf.blockstore.cid import DAG_PB, Cid
from peershelf.blockstore.dag import pb
from peershelf.blockstore.errors import (
    BlockNotFound,
    BlockTooLarge,
    CorruptBlock,
    InvalidCid,
    NotAFile,
    PathNotFound,
    StoreError,
    StoreLocked,
)
from peershelf.blockstore.store.holds import HeldKeys
from peershelf.blockstore.store.pack import PackStore
from peershelf.blockstore.unixfs.profiles import PROFILES, with_options
from peershelf.blockstore.unixfs.sequence import FileSequence
from peershelf.node import Node
from peershelf.node.errors import NotEntered, NotOnline, StillPinned
from peershelf.node.facade import core
from peershelf.node.read_ahead import READ_AHEAD, READ_AHEAD_OF_ALL, in_steps

SMALL_CHUNKS = with_options(PROFILES["unixfs-v1-2025"], chunk_size=1000, max_links=4)
EMPTY_DIRECTORY = bytes.fromhex("0a020801")


@pytest.fixture
async def node(tmp_path: Path) -> AsyncIterator[Node]:
    async with Node(tmp_path / "repo", online=False) as opened:
        yield opened


def content(size: int, seed: int = 0) -> bytes:
    return random.Random(seed).randbytes(size)


async def read(node: Node, reference: Cid | str, **options: int) -> bytes:
    return b"".join([bytes(chunk) async for chunk in node.cat(reference, **options)])


async def in_pieces(data: bytes, size: int) -> AsyncIterator[bytes]:
    for start in range(0, len(data), size):
        yield data[start : start + size]


@pytest.mark.parametrize("size", [0, 1, 999, 1000, 1001, 4000, 4001, 16_001, 3_000_000])
async def test_what_was_added_comes_back(node: Node, size: int) -> None:
    data = content(size)
    assert await read(node, await node.add(data, profile=SMALL_CHUNKS)) == data


async def test_a_file_of_several_read_aheads_comes_back(node: Node) -> None:
    data = content(3 * READ_AHEAD + 1)
    assert await read(node, await node.add(data)) == data


async def test_files_read_at_the_same_time_share_the_memory_for_reading_ahead(
    node: Node, monkeypatch: pytest.MonkeyPatch
) -> None:
    budgets: list[int] = []
    wants = FileSequence.wants

    def noted(reader: FileSequence, budget_bytes: int) -> list[Cid]:
        budgets.append(budget_bytes)
        return wants(reader, budget_bytes)

    monkeypatch.setattr(FileSequence, "wants", noted)
    cid = await node.add(content(300_000), profile=SMALL_CHUNKS)
    async with AsyncExitStack() as stack:
        for _ in range(8):
            stalled = await stack.enter_async_context(aclosing(node.cat(cid)))
            await anext(aiter(stalled))
        assert budgets[0] == READ_AHEAD
        share = READ_AHEAD_OF_ALL // 8
        assert share * 7 // 8 < budgets[-1] <= share
    await trio.testing.wait_all_tasks_blocked()
    budgets.clear()
    await read(node, cid)
    assert budgets[0] == READ_AHEAD


def test_the_read_ahead_moves_on_in_steps():
    ahead = [in_steps(64, read, 4) + read for read in range(40)]
    assert ahead == [64] * 16 + [80] * 16 + [96] * 8
    assert [in_steps(3, read, 4) + read for read in range(4)] == [3, 4, 5, 6]


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


async def test_a_missing_source_is_an_os_error_and_adds_nothing(node: Node, tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError):
        await node.add(tmp_path / "nowhere")
    assert (await node.stats()).blocks == 0


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


async def test_everything_is_there_after_reopening(tmp_path: Path) -> None:
    data = content(1_500_000)
    async with Node(tmp_path / "repo", online=False) as first:
        cid = await first.add(data)
    async with Node(tmp_path / "repo", online=False) as again:
        assert await read(again, cid) == data


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


async def test_a_cancelled_add_leaves_the_node_working(node: Node) -> None:
    async def endless() -> AsyncIterator[bytes]:
        while True:
            yield bytes(1 << 16)

    with trio.move_on_after(0.2) as scope:
        await node.add(endless())
    assert scope.cancelled_caught
    assert await read(node, await node.add(b"after")) == b"after"


async def test_an_error_of_the_body_comes_out_bare(tmp_path: Path) -> None:
    with pytest.raises(LookupError, match="mine"):
        async with Node(tmp_path / "repo", online=False):
            raise LookupError("mine")


async def test_a_second_node_on_one_repo_is_refused_and_the_first_goes_on(node: Node) -> None:
    with pytest.raises(StoreLocked, match="in use by process"):
        async with Node(node.repo.path, online=False):
            pytest.fail("two nodes on one repo")
    assert await read(node, await node.add(b"still here")) == b"still here"


async def test_a_read_only_node_works_beside_one_that_has_the_repo(node: Node) -> None:
    async with Node(node.repo.path, read_only=True) as reader:
        assert reader.repo.identity == node.repo.identity
        assert (await reader.import_file(b"x", only_hash=True)).cid == await node.add(b"x")


async def test_outside_of_its_with_a_node_says_how_it_is_used(tmp_path: Path) -> None:
    node = Node(tmp_path / "repo", online=False)
    with pytest.raises(NotEntered, match="async with"):
        await node.add(b"too early")
    async with node:
        cid = await node.add(b"in time")
    with pytest.raises(NotEntered, match="async with"):
        node.cat(cid)


async def test_bytes_of_every_kind_are_added_and_nothing_else(node: Node) -> None:
    cid = await node.add(b"bytes")
    assert await node.add(bytearray(b"bytes")) == await node.add(memoryview(b"bytes")) == cid
    for wrong in (5, None, io.StringIO("text")):
        with pytest.raises(TypeError, match="a path, bytes, a binary file"):
            await node.add(wrong)  # type: ignore[arg-type]


async def test_a_file_that_has_nothing_to_read_yet_does_not_pass_for_an_empty_one(node: Node) -> None:
    receiver, sender = os.pipe()
    os.set_blocking(receiver, False)
    with (
        os.fdopen(sender, "wb"),
        os.fdopen(receiver, "rb", buffering=0) as file,
        pytest.raises(BlockingIOError),
    ):
        await node.add(file)


async def test_ctrl_c_waits_while_what_goes_online_is_imported(monkeypatch: pytest.MonkeyPatch) -> None:
    """The import system swallowed it now and then, and the program went on."""
    protected = []

    class Watched(ModuleType):
        def __getattr__(self, name: str) -> object:
            protected.append(trio.lowlevel.currently_ki_protected())
            return name

    for name in ("peershelf.node.network", "peershelf.node.searching"):
        monkeypatch.setitem(sys.modules, name, Watched(name))
    assert not trio.lowlevel.currently_ki_protected()
    core._network_services()
    assert protected
    assert all(protected)


async def test_a_read_only_node_makes_no_repo(tmp_path: Path) -> None:
    """`add -n` and `denylist check` left one behind, with a key."""
    async with Node(tmp_path / "absent", read_only=True) as reader:
        assert str((await reader.import_file(b"hello", only_hash=True)).cid).startswith("bafk")
        assert reader.denylists is not None
    assert not (tmp_path / "absent").exists()


async def test_the_network_is_not_there_offline(node: Node) -> None:
    with pytest.raises(NotOnline, match="node daemon"):
        await node.connect("/ip4/127.0.0.1/tcp/1/p2p/12D3KooWDF6DnKoZdnpLtiegUTLguGJtow2RXjxBNQ8uFcB6QvkV")


async def test_blocks_go_in_and_out(node: Node) -> None:
    block = await node.put_block(b"a block")
    assert block.cid.digest == hashlib.sha256(b"a block").digest()
    assert (await node.get_block(block.cid)).data == b"a block"
    await node.remove_block(block.cid)
    with pytest.raises(BlockNotFound):
        await node.remove_block(block.cid)


async def test_a_block_that_a_pin_needs_stays(node: Node) -> None:
    cid = await node.add(content(5000), profile=SMALL_CHUNKS)
    leaf = await node.add(content(1000), profile=SMALL_CHUNKS, pin=False)
    for needed in (cid, leaf):
        with pytest.raises(StillPinned, match=str(cid)):
            await node.remove_block(needed)
    assert await read(node, cid) == content(5000)


async def test_a_pinned_dag_of_which_blocks_are_missing_keeps_no_other_block(node: Node) -> None:
    inner = Block.create(bytes.fromhex("0a020801"), codec=DAG_PB)
    root = pb.encode(pb.PbNode(None, (pb.Link(inner.cid),)))
    node.pins.add((await node.put_block(root, codec=DAG_PB)).cid)
    other = await node.put_block(b"other")
    await node.remove_block(other.cid)
    await node.put_block(inner.data, codec=DAG_PB)
    with pytest.raises(StillPinned):
        await node.remove_block(inner.cid)


async def test_blocks_that_their_cid_spells_out_need_no_store(node: Node) -> None:
    for cid, data in [
        ("bafkqabtimvwgy3yk", b"hello\n"),
        ("bafkreihdwdcefgh4dqkjv67uzcmw7ojee6xedzdetojuzjevtenxquvyku", b""),
    ]:
        assert (await node.get_block(Cid.parse(cid))).data == data
        assert await read(node, cid) == data


async def test_an_oversized_block_is_refused(node: Node) -> None:
    with pytest.raises(BlockTooLarge):
        await node.put_block(bytes((2 << 20) + 1))
    assert (await node.stats()).blocks == 0


async def test_local_cids_are_cidv1_raw(node: Node) -> None:
    cids = {await node.add(b"one"), await node.add(b"two")}
    assert set(node.local_cids()) == cids
