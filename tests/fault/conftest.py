"""Stores to be damaged, and what every damaged store must still keep to."""

from __future__ import annotations

import importlib.util
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterable, Iterator
from contextlib import ExitStack, suppress
from dataclasses import dataclass, field
from pathlib import Path
from types import ModuleType

import pytest

from peershelf.blockstore.block import Block
from peershelf.blockstore.cid import Cid
from peershelf.blockstore.errors import BlockNotFound, CorruptBlock
from peershelf.blockstore.store.pack import PackStore

sys.path.insert(0, str(Path(__file__).with_name("powerloss")))


@dataclass(frozen=True)
class DamagedStore:
    """A closed store: three segments of ten blocks each, the last of them active."""

    directory: Path
    blocks: list[Block] = field(default_factory=list)
    segment_size: int = 10 * 1056

    @property
    def index(self) -> Path:
        return self.directory / "index.db"

    @property
    def segments(self) -> list[Path]:
        return sorted((self.directory / "segments").glob("*.seg"))

    def open(self) -> PackStore:
        return PackStore.open(self.directory, segment_size=self.segment_size)

    def flip(self, path: Path, offset: int, mask: int = 1) -> None:
        """Change bits of one byte."""
        with path.open("r+b") as file:
            file.seek(offset)
            (byte,) = file.read(1)
            file.seek(offset)
            file.write(bytes([byte ^ mask]))

    def lose_index(self) -> None:
        self.index.unlink()

    def break_seal(self) -> None:
        """Take away what tells a closed index from a damaged one, as a crash does."""
        self.index.with_name("index.sum").unlink()


@pytest.fixture
def damaged(tmp_path: Path) -> DamagedStore:
    blocks = [Block.create(f"{number:04d}".encode() * 250) for number in range(30)]
    made = DamagedStore(tmp_path / "store", blocks)
    made.directory.mkdir()
    with made.open() as store:
        store.put_many(blocks)
    assert [path.stat().st_size for path in made.segments] == [10 * 1056] * 3
    return made


@pytest.fixture
def readable() -> Callable[[PackStore, Iterable[Block]], list[Block]]:
    """Which of the blocks a store still has. Wrong bytes fail the test, here and everywhere."""

    def readable(store: PackStore, blocks: Iterable[Block]) -> list[Block]:
        found = []
        for block in blocks:
            answers = [_read(get, block) for get in (store.get_unhashed, store.get)]
            assert answers[0] == answers[1]
            if answers[1] is not None:
                assert answers[1] == block.data
                found.append(block)
        return found

    return readable


def _read(get: Callable[[Cid], bytes | memoryview], block: Block) -> bytes | memoryview | None:
    try:
        return get(block.cid)
    except (BlockNotFound, CorruptBlock):
        return None


@pytest.fixture
def load_program() -> Callable[[Path], ModuleType]:
    """Loads a program that tests run in processes of its own, to use what it defines."""

    def load(path: Path) -> ModuleType:
        spec = importlib.util.spec_from_file_location(path.stem, path)
        assert spec is not None
        assert spec.loader is not None
        module = importlib.util.module_from_spec(spec)
        spec.loader.exec_module(module)
        return module

    return load


@pytest.fixture
def disk_of(tmp_path: Path) -> Iterator[Callable[[str], Path]]:
    """Makes file systems of a size, such as "24m"."""
    with ExitStack() as mounted:

        def make(size: str) -> Path:
            point = tmp_path / f"disk-{size}"
            point.mkdir()
            mount = ["mount", "-t", "tmpfs", "-o", f"size={size}", "none", str(point)]
            if shutil.which("mount") is None or subprocess.run(mount, check=False).returncode:
                pytest.skip("mounting a file system is not allowed here")
            mounted.callback(subprocess.run, ["umount", str(point)], check=True)
            return point

        yield make


@pytest.fixture
def fill_up() -> Callable[[Path], None]:
    """Takes what space a file system has left, to the last byte, in a file `ballast`."""

    def fill_up(disk: Path) -> None:
        with (disk / "ballast").open("ab", buffering=0) as file:
            for size in (1 << 16, 1 << 12, 1):
                with suppress(OSError):
                    while True:
                        file.write(bytes(size))

    return fill_up
