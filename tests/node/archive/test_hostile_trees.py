"""Nothing is written outside of the target, whatever a stranger's tree says."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from trees_on_disk import ROOT, directory, file, link, tree, write

from peershelf.node.archive.directory import Directory
from peershelf.node.archive.member import DIRECTORY, FILE, SYMLINK, Member
from peershelf.node.errors import CannotWrite


@pytest.mark.parametrize("name", [b"..", b".", b"", b"a/b", b"/", b"a\0b", b"n" * 256])
@pytest.mark.parametrize("kind", [FILE, DIRECTORY, SYMLINK])
def test_an_unsafe_name_is_refused_and_named(target: Path, name: bytes, kind: str) -> None:
    for path in ((name,), (b"d", name), (name, b"x")):
        with pytest.raises(CannotWrite, match=r"^refused: ") as caught:
            write(target, ROOT, directory("d"), Member(path, kind, target=b"x"))
        assert str(caught.value).isprintable()
    assert tree(target) == {"d": None}


def test_a_link_is_made_but_never_followed(target: Path, sentinel: Path) -> None:
    write(target, ROOT, link("abs", to=str(sentinel)), link("up", to="../outside"))
    assert tree(target) == {"abs": str(sentinel), "up": "../outside"}
    for name in ("abs", "up"):
        with pytest.raises(CannotWrite, match="there twice"):
            write(target, ROOT, link(name, to="../outside"), directory(name), file(name, "precious"))
        with pytest.raises(CannotWrite, match="symbolic link in its place"):
            write(target, ROOT, directory(name), file(name, "precious"))
        with pytest.raises(CannotWrite, match="no directory that comes before"):
            write(target, ROOT, link(name, to="../outside"), file(name, "precious"))
        write(target, ROOT, file(name, data=b"mine"))
        assert (target / name).read_bytes() == b"mine"


def test_a_link_that_is_there_as_the_root_is_not_followed(target: Path, sentinel: Path) -> None:
    target.symlink_to(sentinel)
    with pytest.raises(CannotWrite, match="symbolic link in its place"):
        write(target, ROOT, file("a"))


@pytest.mark.parametrize("again", [FILE, DIRECTORY, SYMLINK])
@pytest.mark.parametrize("first", [FILE, DIRECTORY, SYMLINK])
def test_two_entries_of_one_name_are_refused(target: Path, first: str, again: str) -> None:
    with pytest.raises(CannotWrite, match=r"'.*/a' is there twice"):
        write(target, ROOT, Member((b"a",), first, target=b"x"), Member((b"a",), again, target=b"y"))


def test_a_directory_is_not_entered_twice(target: Path) -> None:
    with pytest.raises(CannotWrite, match="no directory that comes before"):
        write(target, ROOT, directory("d"), file("e"), file("d", "x"))
    with pytest.raises(CannotWrite, match="twice"):
        write(target, ROOT, directory("d"), file("e"), directory("d"))
    with pytest.raises(CannotWrite, match="two entries"):
        write(target, ROOT, ROOT)


def test_a_swapped_directory_is_not_entered(
    target: Path, sentinel: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Somebody else puts a link where a directory was just made."""
    make: Callable[[Directory, bytes], None] = Directory.make

    def swapped(self: Directory, name: bytes) -> None:
        make(self, name)
        if name == b"d":
            (target / "d").rmdir()
            (target / "d").symlink_to(sentinel)

    monkeypatch.setattr(Directory, "make", swapped)
    with pytest.raises(CannotWrite, match="cannot write"):
        write(target, ROOT, directory("d"), file("d", "precious"))
