"""Which keys have no row, known without asking the index: never wrong, kept while it is closed, relearnt."""

from __future__ import annotations

import shutil
from bisect import bisect_right
from collections.abc import Callable, Iterable, Sequence
from hashlib import sha256
from pathlib import Path

import pytest

from peershelf.blockstore.block import Block
from peershelf.blockstore.store.pack import PackStore
from peershelf.blockstore.store.pack.index import Index
from peershelf.blockstore.store.pack.known import KeyFilter, KnownKeys

COUNT = 17_000


def keys(first: int, stop: int) -> list[bytes]:
    return [sha256(b"%d" % number).digest() for number in range(first, stop)]


def blocks(first: int, stop: int) -> list[Block]:
    return [Block.create(b"%d" % number) for number in range(first, stop)]


@pytest.mark.parametrize("count", [1, 100, 5_000, 60_000])
def test_no_key_that_was_entered_is_missed_and_few_others_are_taken_for_one(count: int) -> None:
    known = KeyFilter.sized(count)
    there = keys(0, count)
    known.enter(there)
    assert known.candidates(there) == there
    assert len(known.candidates(keys(100_000, 110_000))) < 10_000 / 12
    assert not known.is_full


def test_a_filter_is_full_before_it_is_of_little_use() -> None:
    known = KeyFilter.sized(5_000)
    entered = 0
    while not known.is_full:
        known.enter(keys(entered, entered + 10_000))
        entered += 10_000
    assert entered > 10_000
    assert len(known.candidates(keys(1_000_000, 1_010_000))) < 10_000 / 7


class Rows:
    """The keys of an index, and how many of them were read."""

    def __init__(self, rows: Iterable[bytes]) -> None:
        self.keys = sorted(rows)
        self.read = 0

    def page(self, after: bytes, limit: int) -> list[bytes]:
        start = bisect_right(self.keys, after)
        page = self.keys[start : start + limit]
        self.read += len(page)
        return page

    def known(self, path: Path, seal: bytes = b"") -> KnownKeys:
        return KnownKeys(path, seal, self.page, lambda: len(self.keys))


def test_until_all_rows_were_read_every_key_is_a_candidate(tmp_path: Path) -> None:
    rows = Rows(keys(0, 1_000))
    known = rows.known(tmp_path / "filter")
    new = keys(5_000, 5_010)
    for _ in range(6):
        assert known.candidates(new) == new
    assert rows.read == 6 * 160
    # What gets a row meanwhile may be behind or before what was read.
    late = keys(2_000, 2_100)
    known.enter(late)
    known.candidates(new)
    assert known.candidates(rows.keys + late) == rows.keys + late
    assert len(known.candidates(keys(5_000, 6_000))) < 100


def test_a_put_of_nothing_new_learns_nothing(tmp_path: Path) -> None:
    """All its keys may be on their way to the disk already; that ended a second `add` of a file."""
    rows = Rows(keys(0, 1_000))
    known = rows.known(tmp_path / "filter")
    assert known.candidates([]) == []
    assert known.candidates(keys(0, 1)) == keys(0, 1)


def test_a_full_filter_gives_way_to_a_larger_one_without_forgetting_a_key(tmp_path: Path) -> None:
    rows = Rows([])
    known = rows.known(tmp_path / "filter")
    known.candidates([b"key"])
    for first in range(0, 400_000, 20_000):
        new = keys(first, first + 20_000)
        assert len(known.candidates(new)) < 20_000 / 7
        known.enter(new)
        rows.keys = sorted(rows.keys + new)
        assert known.candidates(rows.keys[::500]) == rows.keys[::500]
    assert 100_000 < rows.read < 2 * 400_000


def test_learning_goes_on_where_it_was_when_the_index_was_closed(tmp_path: Path) -> None:
    rows = Rows(keys(0, 70_000))
    seal = b"00000000\n"
    known = rows.known(tmp_path / "filter", seal)
    for number in range(8):
        known.candidates(keys(100_000, 100_500))
        known.enter([sha256(b"late %d" % number).digest()])
        seal = b"%08x\n" % number
        known.save(seal)
        known = rows.known(tmp_path / "filter", seal)
    assert len(known.candidates(keys(100_000, 100_300))) == 300
    assert rows.read == 8 * 8_000 + 4_800
    late = [sha256(b"late %d" % number).digest() for number in range(8)]
    assert known.candidates(rows.keys + late) == rows.keys + late
    assert len(known.candidates(keys(200_000, 210_000))) < 10_000 / 7


def test_what_was_never_read_does_not_count_as_known(tmp_path: Path) -> None:
    """As after a crash, if many records are replayed and nothing is put."""
    rows = Rows(keys(0, 70_000))
    known = rows.known(tmp_path / "filter")
    known.enter(keys(100_000, 120_000))
    known.save(b"00000001\n")
    known = rows.known(tmp_path / "filter", b"00000001\n")
    assert known.candidates(rows.keys[:1_000]) == rows.keys[:1_000]


@pytest.fixture(scope="session")
def filled(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A closed store that is not small."""
    path = tmp_path_factory.mktemp("filled")
    with PackStore.open(path) as store:
        store.put_many(blocks(0, COUNT))
    return path


@pytest.fixture
def shelf(filled: Path, tmp_path: Path) -> Path:
    return Path(shutil.copytree(filled, tmp_path / "shelf"))


@pytest.fixture
def asked(monkeypatch: pytest.MonkeyPatch) -> list[bytes]:
    """The keys that the index was asked for, many at once."""
    seen: list[bytes] = []
    locate = Index.locate_many

    def locate_many(self: Index, wanted: Iterable[bytes]) -> object:
        wanted = list(wanted)
        seen.extend(wanted)
        return locate(self, wanted)

    monkeypatch.setattr(Index, "locate_many", locate_many)
    return seen


def test_a_store_that_is_opened_again_knows_its_keys_at_once(shelf: Path, asked: Sequence[bytes]) -> None:
    with PackStore.open(shelf) as store:
        store.put_many(blocks(COUNT, COUNT + 1_000))
    assert len(asked) < 1_000 / 7
    with PackStore.open(shelf) as store:
        store.put_many(blocks(0, COUNT + 1_000))
        assert store.stats().blocks == COUNT + 1_000
    assert len(asked) > COUNT


def write_nothing(path: Path) -> None:
    path.write_bytes(b"")


def cut(path: Path) -> None:
    path.write_bytes(path.read_bytes()[:-1])


def lengthen(path: Path) -> None:
    path.write_bytes(path.read_bytes() * 2)


def clear_places(path: Path) -> None:
    path.write_bytes(path.read_bytes()[:100].ljust(path.stat().st_size, b"\0"))


def put_more(path: Path) -> None:
    """Have the filter of an older index, one that lacks keys."""
    old = path.read_bytes()
    with PackStore.open(path.parent) as store:
        store.put_many(blocks(COUNT, COUNT + 2_000))
    path.write_bytes(old)


def die(path: Path) -> None:
    """Leave what a process leaves that is killed when its index has changed."""
    before = path.read_bytes()
    killed = path.parent.with_name("killed")
    with PackStore.open(path.parent) as store:
        store.put_many(blocks(COUNT, COUNT + 2_000))
        store.delete_many([blocks(COUNT, COUNT + 1)[0].cid])
        shutil.copytree(path.parent, killed)
    shutil.rmtree(path.parent)
    killed.rename(path.parent)
    assert path.read_bytes() == before


@pytest.mark.parametrize(
    "damage",
    [Path.unlink, write_nothing, cut, lengthen, clear_places, put_more, die],
    ids=lambda one: one.__name__,
)
def test_a_filter_that_does_not_fit_is_not_believed(shelf: Path, damage: Callable[[Path], None]) -> None:
    damage(shelf / "index.filter")
    with PackStore.open(shelf) as store:
        stored = store.stats()
        there = [block for block in blocks(0, COUNT + 2_000) if store.has(block.cid)]
        store.put_many(there)
        assert store.stats() == stored, "nothing was stored a second time"


def test_what_was_lost_is_learnt_by_putting_and_kept_again(shelf: Path, asked: list[bytes]) -> None:
    (shelf / "index.filter").unlink()
    with PackStore.open(shelf) as store:
        store.put_many(blocks(COUNT, COUNT + 2_000))
        del asked[:]
        store.put_many(blocks(COUNT + 2_000, COUNT + 3_000))
        assert len(asked) < 1_000 / 7
    with PackStore.open(shelf) as store:
        del asked[:]
        store.put_many(blocks(COUNT + 3_000, COUNT + 4_000))
        assert len(asked) < 1_000 / 7


def test_reading_changes_no_file_beside_the_index(shelf: Path) -> None:
    before = {path.name: path.read_bytes() for path in shelf.glob("index*")}
    assert "index.filter" in before
    with PackStore.open(shelf) as store:
        assert store.get(blocks(5, 6)[0].cid) == b"5"
        store.put_many(blocks(0, 10))
    assert {path.name: path.read_bytes() for path in shelf.glob("index*")} == before


def test_a_disk_without_space_for_the_filter_leaves_none(shelf: Path) -> None:
    (shelf / "index.filter").unlink()
    with PackStore.open(shelf) as store:
        store.put_many(blocks(COUNT, COUNT + 3_000))
        (shelf / "index.filter").symlink_to("/dev/full")
    assert not (shelf / "index.filter").is_symlink()
    with PackStore.open(shelf) as store:
        assert store.stats().blocks == COUNT + 3_000


def test_a_small_store_has_no_such_file(tmp_path: Path) -> None:
    with PackStore.open(tmp_path) as store:
        store.put_many(blocks(0, 1_000))
    with PackStore.open(tmp_path) as store:
        store.put_many(blocks(1_000, 2_000))
    assert sorted(path.name for path in tmp_path.glob("index*")) == ["index.db", "index.sum"]
