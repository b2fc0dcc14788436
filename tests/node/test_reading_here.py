"""Files read without a node: the right bytes as far as they are here, and never one too many."""

from __future__ import annotations

import random
import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from peershelf.blockstore.block import Block
from peershelf.blockstore.cid import Cid
from peershelf.blockstore.errors import CorruptBlock, StoreError
from peershelf.blockstore.store.memory import MemoryStore
from peershelf.blockstore.store.pack import PackStore
from peershelf.blockstore.unixfs.importer import Importer
from peershelf.blockstore.unixfs.profiles import UNIXFS_V1_2025, with_options
from peershelf.blockstore.unixfs.queued_file import Span
from peershelf.node import reading_here, repo
from peershelf.node.opening import opened_store
from peershelf.node.opening_here import open_here
from peershelf.node.reading_here import copy_files

CHUNK = 4096
SMALL = with_options(UNIXFS_V1_2025, chunk_size=CHUNK, max_links=8)
CONTENT = random.Random(1).randbytes(60 * CHUNK + 1)
ALL = Span()


class Faulty(MemoryStore):
    """Raises `error` when one block is read; `on_get` is told of the others."""

    def __init__(self) -> None:
        super().__init__()
        self.faulty: Cid | None = None
        self.error: Exception = AssertionError()
        self.on_get: Callable[[bytes], object] = id

    def get(self, cid: Cid) -> bytes:
        if cid == self.faulty:
            raise self.error
        data = super().get(cid)
        self.on_get(data)
        return data


def add(store: MemoryStore, data: bytes) -> str:
    with Importer(store.put_many, SMALL) as importer:
        importer.write(data)
        return str(importer.finish().cid)


def chunk(number: int) -> Cid:
    return Block.create(CONTENT[number * CHUNK : (number + 1) * CHUNK]).cid


def copy(store: MemoryStore, references: Sequence[str], span: Span = ALL) -> tuple[bool, bytes, list[int]]:
    """Whether all was there, the bytes that came, and the sizes that were told."""
    pieces: list[bytes] = []
    sizes: list[int] = []
    whole = copy_files(store, references, span, lambda data: pieces.append(bytes(data)), sizes.append)
    return whole, b"".join(pieces), sizes


@pytest.fixture
def no_threads_left() -> Iterator[None]:
    yield
    assert [thread for thread in threading.enumerate() if thread.name == "reader"] == []


@given(
    st.lists(st.binary(max_size=3 * CHUNK), min_size=1, max_size=3),
    st.integers(0, 4 * CHUNK),
    st.none() | st.integers(0, 4 * CHUNK),
)
def test_the_files_come_out_as_one(contents: list[bytes], offset: int, length: int | None) -> None:
    store = MemoryStore()
    references = [add(store, data) for data in contents]
    end = None if length is None else offset + length
    wanted = b"".join(contents)[offset:end]
    assert copy(store, references, Span(offset, length)) == (True, wanted, [len(contents[0])])


@pytest.mark.usefixtures("no_threads_left")
@pytest.mark.parametrize("missing", [0, 1, 31, 60])
def test_what_stands_before_a_missing_block_is_written_and_nothing_else(missing: int) -> None:
    store = MemoryStore()
    cid = add(store, CONTENT)
    store.delete_many([Block.create(CONTENT[missing * CHUNK : (missing + 1) * CHUNK]).cid])
    whole, written, sizes = copy(store, [cid])
    assert (whole, sizes) == (False, [len(CONTENT)])
    assert len(written) <= missing * CHUNK
    assert CONTENT.startswith(written)


@pytest.mark.usefixtures("no_threads_left")
@pytest.mark.parametrize(
    "error", [CorruptBlock("damaged"), StoreError("reading segment 1: Input/output error")]
)
def test_a_block_that_cannot_be_read_is_left_to_the_node(error: Exception) -> None:
    store = Faulty()
    cid = add(store, CONTENT)
    store.faulty, store.error = chunk(40), error
    whole, written, _ = copy(store, [cid])
    assert not whole
    assert len(written) <= 40 * CHUNK
    assert CONTENT.startswith(written)


@pytest.mark.parametrize("reference", ["bafy", "no/reference", "/ipfs/", "bafyaaaaa/x"])
def test_a_reference_that_is_none_is_left_to_the_node(reference: str) -> None:
    store = MemoryStore()
    cid = add(store, b"text")
    assert copy(store, [reference]) == (False, b"", [])
    assert copy(store, [cid, reference])[:2] == (False, b"text")


@pytest.mark.usefixtures("no_threads_left")
def test_a_mistake_of_the_programs_own_is_not_hidden() -> None:
    store = Faulty()
    cid = add(store, CONTENT)
    store.faulty, store.error = chunk(40), ZeroDivisionError()
    with pytest.raises(ZeroDivisionError):
        copy(store, [cid])


@pytest.mark.usefixtures("no_threads_left")
def test_an_output_that_fails_ends_the_reading() -> None:
    store = MemoryStore()
    cid = add(store, CONTENT)

    def write(data: bytes | memoryview) -> None:
        raise BrokenPipeError

    with pytest.raises(BrokenPipeError):
        copy_files(store, [cid], ALL, write, id)


def test_a_slow_output_holds_little_memory(monkeypatch: pytest.MonkeyPatch) -> None:
    ahead = 8 * CHUNK
    monkeypatch.setattr(reading_here, "READ_AHEAD", ahead)
    store = Faulty()
    cid = add(store, CONTENT)
    read = written = most = 0
    lock = threading.Lock()

    def on_get(data: bytes) -> None:
        nonlocal read, most
        with lock:
            read += len(data)
            most = max(most, read - written)

    def write(data: bytes | memoryview) -> None:
        nonlocal written
        with lock:
            written += len(data)

    store.on_get = on_get
    assert copy_files(store, [cid], ALL, write, id)
    nodes = read - len(CONTENT)
    assert most <= ahead + CHUNK + nodes


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return repo.init(tmp_path / "repo", ("test",)).path


def test_an_ordinary_repo_is_opened_and_closed(path: Path) -> None:
    with ExitStack() as stack:
        opened = open_here(path, stack)
        assert opened is not None
        opened.store.put_many([Block.create(b"text")])
    with opened_store(path) as store:
        assert store.get(Block.create(b"text").cid) == b"text"


def test_a_repo_in_use_is_left_to_the_node(path: Path) -> None:
    with opened_store(path), ExitStack() as stack:
        assert open_here(path, stack) is None


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("denylists/mine.deny", "nonsense\n"),
        ("config.toml", "Unknown = 1\n"),
        ("version", "99\n"),
        ("segments", "no directory\n"),
    ],
)
def test_a_repo_that_is_out_of_the_ordinary_is_left_to_the_node(path: Path, name: str, text: str) -> None:
    (path / name).parent.mkdir(exist_ok=True)
    (path / name).write_text(text)
    with ExitStack() as stack:
        assert open_here(path, stack) is None
    with PackStore.open(path) if name != "segments" else ExitStack():
        pass  # nothing is left locked


def test_where_there_is_no_repo_none_is_made(tmp_path: Path) -> None:
    with ExitStack() as stack:
        assert open_here(tmp_path / "repo", stack) is None
    assert not (tmp_path / "repo").exists()


def test_damage_that_opening_finds_is_told(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    told: list[dict[str, object]] = []
    monkeypatch.setattr(
        "peershelf.node.opening.log.warning", lambda event, **fields: told.append(fields), raising=False
    )
    blocks = [Block.create(bytes([number]) * 3000) for number in range(3)]
    with opened_store(path) as store:
        store.put_many(blocks)
    (path / "index.db").unlink()
    (segment,) = (path / "segments").glob("*.seg")
    data = bytearray(segment.read_bytes())
    data[data.index(blocks[1].data)] ^= 1
    segment.write_bytes(data)
    with ExitStack() as stack:
        assert open_here(path, stack) is not None
    assert [fields["segment"] for fields in told] == [segment.name]
