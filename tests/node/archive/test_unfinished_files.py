"""A file that is being written has another name, and none that is left is in anybody's way."""

from __future__ import annotations

import errno
import os
from pathlib import Path
from typing import Any

import pytest
from trees_on_disk import ROOT, directory, file, link, names, tree, write

from peershelf.node.archive.directory import UNFINISHED
from peershelf.node.archive.member import FILE, Member
from peershelf.node.archive.tree_writer import TreeWriter


def test_a_file_has_its_name_only_when_it_is_whole(target: Path) -> None:
    writer = TreeWriter(os.fsencode(target), b"x")
    writer.begin(ROOT)
    writer.begin(Member((b"a",), FILE, size=6))
    writer.write(b"abc")
    assert names(target) == {UNFINISHED.decode()}
    writer.close()
    assert names(target) == set()


def test_what_an_interrupted_run_left_is_removed(target: Path) -> None:
    (target / "d").mkdir(parents=True)
    for left in (target / os.fsdecode(UNFINISHED), target / "d" / os.fsdecode(UNFINISHED)):
        left.write_text("left")
    write(target, ROOT, file("a"), directory("d"))
    assert tree(target) == {"a": b"content", "d": None}


def test_what_several_left_is_removed_by_whoever_writes_a_file_beside_it(target: Path) -> None:
    target.mkdir()
    for number in ("", "1", "3"):
        (target / f"{os.fsdecode(UNFINISHED)}{number}").write_text("left")
    write(target / "a", file())
    assert tree(target) == {"a": b"content"}


def test_what_somebody_else_left_is_in_nobodys_way(target: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """As in /tmp, where one user's files are not another's to open or remove."""
    target.mkdir()
    (target / os.fsdecode(UNFINISHED)).write_text("theirs")
    real_open = os.open

    def open_as_another_user(path: Any, *args: Any, **more: Any) -> int:
        if path == UNFINISHED:
            raise PermissionError(errno.EACCES, "Permission denied")
        return real_open(path, *args, **more)

    monkeypatch.setattr(os, "open", open_as_another_user)
    write(target, ROOT, file("a"))
    assert tree(target) == {os.fsdecode(UNFINISHED): b"theirs", "a": b"content"}


def test_ctrl_c_just_when_a_file_was_made_leaves_none(target: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    target.mkdir()
    real_open = os.open
    opened = []

    def open_and_be_interrupted(path: Any, *args: Any, **more: Any) -> int:
        descriptor = real_open(path, *args, **more)
        if path == UNFINISHED and not opened:
            opened.append(descriptor)
            raise KeyboardInterrupt
        return descriptor

    monkeypatch.setattr(os, "open", open_and_be_interrupted)
    with pytest.raises(KeyboardInterrupt):
        write(target, ROOT, file("a"))
    os.close(opened[0])
    assert names(target) == set()


def test_an_entry_may_be_called_as_unfinished_files_are(target: Path) -> None:
    name = os.fsdecode(UNFINISHED)
    write(target, ROOT, file(name, data=b"mine"), file("z", data=b"other"))
    assert tree(target) == {name: b"mine", "z": b"other"}


def test_what_was_left_cannot_lead_anywhere(target: Path, sentinel: Path) -> None:
    target.mkdir()
    (target / os.fsdecode(UNFINISHED)).hardlink_to(sentinel / "precious")
    write(target, ROOT, file("a"))
    assert tree(target) == {"a": b"content"}
    (target / os.fsdecode(UNFINISHED)).symlink_to(sentinel / "precious")
    write(target, ROOT, file("b"), link("c", to="anywhere"))
    assert tree(target) == {"a": b"content", "b": b"content", "c": "anywhere"}


def test_two_that_write_at_the_same_place_do_not_mix(target: Path) -> None:
    writer = TreeWriter(os.fsencode(target), b"x")
    writer.begin(ROOT)
    writer.begin(Member((b"a",), FILE, size=6))
    writer.write(b"abc")
    write(target, ROOT, file("a", data=b"ABCDEF"), link("l", to="anywhere"))
    assert (target / "a").read_bytes() == b"ABCDEF"
    writer.write(b"def")
    writer.finish()
    writer.close()
    assert tree(target) == {"a": b"abcdef", "l": "anywhere"}
