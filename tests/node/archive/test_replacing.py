"""What is there already: left alone, replaced as a whole, or in the way."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from trees_on_disk import ROOT, directory, file, link, tree, write

from peershelf.node.errors import CannotWrite


def test_what_is_there_and_the_same_is_left_alone(target: Path) -> None:
    items = (ROOT, file("a", data=b"0123456789"), file("b"), link("l", to="a"))
    write(target, *items)
    before = [(target / name).lstat() for name in "abl"]
    write(target, *items)
    for name, old in zip("abl", before, strict=True):
        new = (target / name).lstat()
        assert (new.st_ino, new.st_mtime_ns, new.st_ctime_ns) == (
            old.st_ino,
            old.st_mtime_ns,
            old.st_ctime_ns,
        )


@pytest.mark.parametrize("old", [b"", b"0123456780", b"x123456789", b"01234x6789", b"longer than it was"])
def test_a_file_that_is_there_and_differs_is_replaced_as_a_whole(target: Path, old: bytes) -> None:
    target.mkdir()
    (target / "a").write_bytes(old)
    (target / "twin").hardlink_to(target / "a")
    write(target, ROOT, file("a", data=b"0123456789"))
    assert tree(target) == {"a": b"0123456789", "twin": old}


def test_other_files_in_the_directory_stay(target: Path) -> None:
    target.mkdir()
    (target / "mine").write_text("mine")
    write(target, ROOT, file("a"))
    assert tree(target) == {"a": b"content", "mine": b"mine"}


@pytest.mark.parametrize("there", ["file", "directory"])
def test_directories_and_other_things_do_not_replace_each_other(target: Path, there: str) -> None:
    target.mkdir()
    {"file": Path.touch, "directory": Path.mkdir}[there](target / "a")
    if there == "directory":
        for item in (file("a"), link("a", to="x")):
            with pytest.raises(CannotWrite, match="where a directory is"):
                write(target, ROOT, item)
    else:
        with pytest.raises(CannotWrite, match="file in its place"):
            write(target, ROOT, directory("a"))
        write(target, ROOT, file("a"))
        assert tree(target) == {"a": b"content"}


@pytest.mark.parametrize("in_a_tree", [True, False])
def test_a_pipe_is_not_replaced(target: Path, *, in_a_tree: bool) -> None:
    """`get -o /dev/null` put a file in the place of the device."""
    target.mkdir()
    os.mkfifo(target / "a")
    with pytest.raises(CannotWrite, match="/a' is a device, pipe or socket"):
        write(target, ROOT, file("a")) if in_a_tree else write(target / "a", file())
    assert (target / "a").is_fifo()


def test_a_link_to_a_device_is_not_replaced(target: Path) -> None:
    target.mkdir()
    (target / "stdout").symlink_to("/dev/null")
    with pytest.raises(CannotWrite, match="/stdout' is a device, pipe or socket"):
        write(target / "stdout", file())
    assert (target / "stdout").is_symlink()
