from __future__ import annotations

import errno
import os
import stat
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from peershelf.node.archive.directory import UNFINISHED, Directory
from peershelf.node.archive.member import DIRECTORY, FILE, SYMLINK, Member
from peershelf.node.archive.tree_writer import TreeWriter
from peershelf.node.errors import CannotWrite

Item = Member | tuple[Member, bytes]
ROOT = Member((), DIRECTORY)


@pytest.fixture
def sentinel(tmp_path: Path) -> Iterator[Path]:
    """A directory that nothing may write to; everything else is written beside it."""
    outside = tmp_path / "outside"
    outside.mkdir()
    (outside / "precious").write_text("precious")
    yield outside
    assert names(outside) == {"precious"}
    assert (outside / "precious").read_text() == "precious"
    assert names(tmp_path) <= {"outside", "target"}


@pytest.fixture
def target(sentinel: Path) -> Path:
    return sentinel.parent / "target"


def names(path: Path) -> set[str]:
    return {one.name for one in path.iterdir()}


def file(*path: str, data: bytes = b"content", mode: int | None = None, mtime: int | None = None) -> Item:
    return Member(tuple(map(os.fsencode, path)), FILE, size=len(data), mode=mode, mtime=mtime), data


def link(*path: str, to: str) -> Member:
    return Member(tuple(map(os.fsencode, path)), SYMLINK, target=os.fsencode(to))


def directory(*path: str, mode: int | None = None, mtime: int | None = None) -> Member:
    return Member(tuple(map(os.fsencode, path)), DIRECTORY, mode=mode, mtime=mtime)


def write(target: Path, *items: Item, name: bytes = b"name") -> None:
    writer = TreeWriter(os.fsencode(target), name)
    try:
        for item in items:
            if isinstance(item, Member):
                writer.begin(item)
            else:
                writer.begin(item[0])
                for start in range(0, len(item[1]), 3):
                    writer.write(item[1][start : start + 3])
        writer.finish()
    finally:
        writer.close()


def tree(path: Path) -> dict[str, bytes | str | None]:
    """What is there: bytes of files, targets of links, None for directories."""
    found: dict[str, bytes | str | None] = {}
    for one in sorted(path.rglob("*")):
        name = str(one.relative_to(path))
        found[name] = str(one.readlink()) if one.is_symlink() else None if one.is_dir() else one.read_bytes()
    return found


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
