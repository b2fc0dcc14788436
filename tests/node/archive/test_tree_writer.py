"""A tree arrives on disk as it is, or the failure is named."""

from __future__ import annotations

import os
import stat
from pathlib import Path

import pytest
from trees_on_disk import ROOT, directory, file, link, tree, write

from peershelf.node.archive.member import FILE, SYMLINK, Member
from peershelf.node.archive.tree_writer import TreeWriter
from peershelf.node.errors import CannotWrite


def test_a_tree_is_written(target: Path) -> None:
    write(
        target,
        ROOT,
        file("a"),
        directory("d"),
        directory("d", "e"),
        file("d", "f", data=b""),
        link("l", to="a"),
    )
    assert tree(target) == {"a": b"content", "d": None, "d/e": None, "d/f": b"", "l": "a"}


def test_modes_and_times_are_restored_without_setuid(target: Path) -> None:
    writer = TreeWriter(os.fsencode(target), b"x")
    writer.begin(directory(mode=0o2511, mtime=10**9))
    writer.begin(Member((b"a",), FILE, size=0, mode=0o6751, mtime=5_000_000_007))
    writer.begin(Member((b"l",), SYMLINK, target=b"a", mtime=7_000_000_000))
    writer.finish()
    writer.close()
    assert stat.S_IMODE(target.stat().st_mode) == 0o511
    assert target.stat().st_mtime_ns == 10**9
    assert stat.S_IMODE((target / "a").stat().st_mode) == 0o751
    assert (target / "a").stat().st_mtime_ns == 5_000_000_007
    assert (target / "l").lstat().st_mtime_ns == 7_000_000_000
    target.chmod(0o700)


@pytest.mark.parametrize("mtime", [1 << 80, -(1 << 80)])
def test_a_time_that_no_system_knows_is_not_kept(target: Path, mtime: int) -> None:
    write(target, directory(mtime=mtime), file("a", mtime=mtime))
    assert tree(target) == {"a": b"content"}


def test_a_file_goes_into_a_directory_that_is_there(target: Path) -> None:
    target.mkdir()
    write(target, file(data=b"x"), name=b"a")
    write(target / "b", file(data=b"y"), name=b"a")
    assert tree(target) == {"a": b"x", "b": b"y"}


def test_a_tree_can_be_written_to_the_current_directory(
    target: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    target.mkdir()
    monkeypatch.chdir(target)
    write(Path(), ROOT, file("a"))
    assert tree(target) == {"a": b"content"}


def test_more_levels_than_descriptors_are_held_open(target: Path) -> None:
    deep = ["d"] * 300
    write(
        target,
        ROOT,
        *(directory(*deep[:depth]) for depth in range(1, 301)),
        file(*deep, "a"),
        file(*deep[:150], "b", data=b"b"),
    )
    assert (target / "/".join(deep) / "a").read_bytes() == b"content"
    assert (target / "/".join(deep[:150]) / "b").read_bytes() == b"b"


def test_too_many_or_too_few_bytes_are_refused(target: Path) -> None:
    with pytest.raises(CannotWrite, match="more bytes"):
        write(target, ROOT, (Member((b"a",), FILE, size=2), b"abc"))
    with pytest.raises(CannotWrite, match="ends early"):
        write(target, ROOT, (Member((b"a",), FILE, size=4), b"abc"))
    assert tree(target) == {}


@pytest.mark.parametrize("to", [b"", b"a\0b", b"x" * 5000])
def test_a_link_to_what_is_no_path_is_refused(target: Path, to: bytes) -> None:
    with pytest.raises(CannotWrite, match="no path"):
        write(target, ROOT, Member((b"l",), SYMLINK, target=to))


def test_a_failure_names_what_could_not_be_written(target: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(*_: object) -> int:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "write", full)
    with pytest.raises(CannotWrite, match=r"target/a'?: No space left on device"):
        write(target, ROOT, file("a"))
    assert tree(target) == {}


def test_a_parent_that_is_missing_is_an_error(target: Path) -> None:
    with pytest.raises(CannotWrite, match="No such file"):
        write(target / "missing" / "x", ROOT)
