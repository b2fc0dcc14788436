"""A directory that may not be written to: a one-line error, and nothing in it is harmed."""

from __future__ import annotations

import os
import shutil
import subprocess
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import Any

import pytest

from peershelf.blockstore.block import Block
from peershelf.blockstore.errors import StoreError
from peershelf.blockstore.pins import Pins
from peershelf.blockstore.store.pack import PackStore

Readable = Callable[[PackStore, Iterable[Block]], list[Block]]
REASON = r"Read-only file system|Permission denied|unable to open|readonly"


@pytest.fixture
def read_only(damaged: Any) -> Iterator[Path]:
    """The store's directory, which root too may not write to."""
    if os.geteuid() != 0:
        paths = [damaged.directory, damaged.directory / "segments"]
        for path in paths:
            path.chmod(0o500)
        yield damaged.directory
        for path in paths:
            path.chmod(0o700)
        return
    if shutil.which("mount") is None or not _mount("--bind", damaged.directory, damaged.directory):
        pytest.skip("root can write everywhere, and mounting is not allowed here")
    assert _mount("-o", "remount,ro,bind", damaged.directory)
    yield damaged.directory
    subprocess.run(["umount", str(damaged.directory)], check=True)


def _mount(*arguments: str | Path) -> bool:
    return subprocess.run(["mount", *map(str, arguments)], capture_output=True, check=False).returncode == 0


def test_a_store_says_so_and_is_unharmed(damaged: Any, read_only: Path) -> None:
    before = {path: path.read_bytes() for path in read_only.rglob("*") if path.is_file()}
    with pytest.raises(StoreError, match=REASON) as raised:
        damaged.open()
    assert "\n" not in str(raised.value)
    assert os.geteuid() != 0 or "mount it writable, or copy the repo" in str(raised.value)
    assert {path: path.read_bytes() for path in read_only.rglob("*") if path.is_file()} == before


def test_a_new_store_says_so(read_only: Path) -> None:
    with pytest.raises(StoreError, match=REASON):
        PackStore.open(read_only / "new")


def test_pins_say_so(read_only: Path) -> None:
    with pytest.raises(StoreError, match=REASON):
        Pins(read_only / "facts.db")


def test_a_store_works_again_once_it_may_be_written(damaged: Any, readable: Readable) -> None:
    damaged.index.chmod(0o000)
    if os.geteuid() != 0:
        with pytest.raises(StoreError, match=REASON):
            damaged.open()
    damaged.index.chmod(0o600)
    with damaged.open() as store:
        assert readable(store, damaged.blocks) == damaged.blocks
