"""A collection that ends between any two of its operations: by a kill, a power loss, or an error of the disk.

Whatever the moment: what is live is there, what was deleted stays deleted, the index is not rebuilt for it,
and the next collection brings all the space back.
"""

from __future__ import annotations

import errno
import os
import shutil
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from peershelf.blockstore.block import Block
from peershelf.blockstore.errors import StoreError
from peershelf.blockstore.store.live import LiveKeys
from peershelf.blockstore.store.pack import PackStore
from peershelf.blockstore.store.pack.index import Index

SEGMENT_SIZE = 1600
OPERATIONS = ("pwritev", "fdatasync", "fsync", "ftruncate", "truncate", "unlink")
COMMITS = ("commit", "remove", "forget_empty", "checkpoint")


def made(label: str, count: int) -> list[Block]:
    return [Block.create(f"{label}{number:08d}".encode().ljust(100, b".")) for number in range(count)]


OLD, DELETED, GARBAGE = made("old", 24), made("deleted", 12), made("garbage", 24)
MIXED = [block for trio in zip(OLD[::2], OLD[1::2], DELETED, strict=True) for block in trio]


def fill(directory: Path) -> None:
    """A store in which some segments are dead, some half dead, and some hold tombstones of both."""
    with open_store(directory) as store:
        store.put_many([*MIXED, *GARBAGE[:12]])
        store.delete_many([block.cid for block in DELETED])
        store.put_many(GARBAGE[12:])
        store.put_many(DELETED[:3])
        store.delete_many([block.cid for block in DELETED[:3]])


def open_store(directory: Path) -> PackStore:
    return PackStore.open(directory, segment_size=SEGMENT_SIZE)


def collect(store: PackStore) -> None:
    with store.collecting() as collection:
        for _ in collection.sweep(LiveKeys(block.cid.multihash for block in OLD)):
            pass


def check(store: PackStore) -> None:
    assert [store.get(block.cid) for block in OLD] == [block.data for block in OLD]
    assert [block for block in DELETED if store.has(block.cid)] == []


def check_opened(directory: Path, *, rebuilt: bool = False) -> None:
    """A store that was interrupted: sound, and clean after another collection, from its index or without."""
    with open_store(directory) as store:
        assert store.recovery.index_rebuilt is rebuilt
        assert store.recovery.damage == ()
        check(store)
        collect(store)
        check(store)
        assert store.stats().blocks == len(OLD)
        collect(store)
    sizes = [path.stat().st_size for path in (directory / "segments").glob("*.seg")]
    assert sum(sizes) - 156 * len(OLD) <= SEGMENT_SIZE
    (directory / "index.db").unlink()
    with open_store(directory) as store:
        check(store)


@dataclass
class Recorder:
    """Copies the store before each operation, and knows how far each segment is synced."""

    directory: Path
    images: Path
    count: int = 0
    synced: dict[str, int] = field(default_factory=dict)
    synced_at: list[dict[str, int]] = field(default_factory=list)

    def before(self, name: str, *arguments: Any) -> None:
        shutil.copytree(self.directory, self.images / str(self.count))
        self.synced_at.append(self.synced.copy())
        self.count += 1

    def after(self, name: str, *arguments: Any) -> None:
        if name in ("fdatasync", "fsync"):
            path = Path(f"/proc/self/fd/{arguments[0]}").readlink()
            if path.suffix == ".seg":
                self.synced[path.name] = path.stat().st_size


class Failing:
    """Lets one operation fail, by its number, and counts all of them."""

    def __init__(self, at: int, code: int) -> None:
        self.at = at
        self.code = code
        self.count = 0

    def before(self, name: str, *arguments: Any) -> None:
        self.count += 1
        if self.count == self.at:
            raise OSError(self.code, os.strerror(self.code))

    def after(self, name: str, *arguments: Any) -> None:
        """Nothing is to be known."""


@contextmanager
def watched(watcher: Recorder | Failing, *, commits: bool) -> Iterator[None]:
    """Tell the watcher of every operation of the store that changes something."""

    def telling(name: str, function: Callable[..., Any]) -> Callable[..., Any]:
        def call(*arguments: Any, **options: Any) -> Any:
            watcher.before(name, *arguments)
            result = function(*arguments, **options)
            watcher.after(name, *arguments)
            return result

        return call

    with pytest.MonkeyPatch.context() as patch:
        for name in OPERATIONS:
            patch.setattr(os, name, telling(name, getattr(os, name)))
        for name in COMMITS if commits else ():
            patch.setattr(Index, name, telling(name, getattr(Index, name)))
        yield


@pytest.fixture(scope="module")
def recorded(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Recorder]:
    """A store before a collection, and images of it from before each of the collection's operations."""
    directory = tmp_path_factory.mktemp("store")
    fill(directory)
    start = tmp_path_factory.mktemp("start") / "image"
    with open_store(directory) as store:
        # As after a crash: the index has no seal.
        (directory / "index.sum").unlink()
        store._pack.index._seal.is_set = False
        shutil.copytree(directory, start)
        recorder = Recorder(directory, tmp_path_factory.mktemp("images"))
        recorder.synced = {path.name: path.stat().st_size for path in (directory / "segments").glob("*.seg")}
        with watched(recorder, commits=True):
            collect(store)
        check(store)
    return start, recorder


def images(recorded: tuple[Path, Recorder], target: Path) -> Iterator[tuple[Path, dict[str, int]]]:
    """Copies of the images to be spoilt, with how far each segment was synced."""
    _, recorder = recorded
    assert recorder.count > 30
    for number in range(recorder.count):
        shutil.copytree(recorder.images / str(number), target / str(number))
        yield target / str(number), recorder.synced_at[number]


def roll_index_back(image: Path, start: Path) -> None:
    """What SQLite had not synced is lost: the index is the one from before the collection."""
    for path in image.glob("index.db*"):
        path.unlink()
    for path in start.glob("index.db*"):
        shutil.copy(path, image)


def undo_cuts(image: Path, start: Path, synced: dict[str, int]) -> None:
    """Segments that were cut, but not synced since, have their old length again."""
    for path in (start / "segments").glob("*.seg"):
        cut = image / "segments" / path.name
        if cut.exists() and cut.stat().st_size < synced[path.name]:
            shutil.copy(path, cut)


def lose_unsynced(image: Path, synced: dict[str, int]) -> None:
    """What was appended and not synced is lost."""
    for path in (image / "segments").glob("*.seg"):
        if path.stat().st_size > synced.get(path.name, 0):
            os.truncate(path, synced.get(path.name, 0))


def test_a_kill_between_any_two_operations(recorded: tuple[Path, Recorder], tmp_path: Path) -> None:
    for image, _ in images(recorded, tmp_path):
        check_opened(image)


def test_a_power_loss_that_takes_the_index_back(recorded: tuple[Path, Recorder], tmp_path: Path) -> None:
    for image, synced in images(recorded, tmp_path):
        lose_unsynced(image, synced)
        roll_index_back(image, recorded[0])
        check_opened(image)


def test_a_power_loss_that_takes_cuts_back(recorded: tuple[Path, Recorder], tmp_path: Path) -> None:
    for image, synced in images(recorded, tmp_path):
        lose_unsynced(image, synced)
        undo_cuts(image, recorded[0], synced)
        check_opened(image)


def test_a_power_loss_that_takes_cuts_and_the_index_back(
    recorded: tuple[Path, Recorder], tmp_path: Path
) -> None:
    for image, synced in images(recorded, tmp_path):
        lose_unsynced(image, synced)
        undo_cuts(image, recorded[0], synced)
        roll_index_back(image, recorded[0])
        check_opened(image)


def test_a_kill_and_a_lost_index(recorded: tuple[Path, Recorder], tmp_path: Path) -> None:
    for image, _ in images(recorded, tmp_path):
        (image / "index.db").unlink()
        check_opened(image, rebuilt=True)


def interrupt(directory: Path, failing: Failing) -> bool:
    """Collect while one operation fails. Returns whether the collection failed with it."""
    with open_store(directory) as store:
        try:
            with watched(failing, commits=False):
                collect(store)
        except StoreError:
            return True
        else:
            return False
        finally:
            check(store)
            collect(store)
            check(store)


@pytest.mark.parametrize("code", [errno.EIO, errno.ENOSPC])
def test_an_error_in_any_operation(tmp_path: Path, code: int) -> None:
    """The collection fails with it or gets by, and the next one does its work."""
    fill(tmp_path / "whole")
    shutil.copytree(tmp_path / "whole", tmp_path / "0")
    none = Failing(0, code)
    assert not interrupt(tmp_path / "0", none)
    failed = 0
    for at in range(1, none.count + 1):
        directory = tmp_path / str(at)
        shutil.copytree(tmp_path / "whole", directory)
        failed += interrupt(directory, Failing(at, code))
        check_opened(directory)
    assert failed > 20
