"""Writes a tree to disk, and nothing outside of it, whatever its members are called.

Theory of operation. Members come directories first, and everything in a directory before the next thing
beside it. So a stack of open directories is enough, with the names that each of them has been given: a member
that comes twice, or whose directory was not announced or is finished, is refused. Directories are entered one
name at a time from an open descriptor, and never through a symbolic link. Files are written under another
name and renamed when they are whole. Links are made as they are, and nothing ever goes through them.

What is there already is kept where it is the same; other files and links are replaced. A directory is never
replaced by something else, nor anything by a directory, and devices, pipes and sockets never are.
"""
# pathlib would cost a command 7 ms.
# ruff: noqa: PTH112, PTH118

from __future__ import annotations

import os
import stat

from peershelf.blockstore.unixfs.names import problem_of_name, problem_of_path, problem_of_target
from peershelf.node.archive.directory import Directory
from peershelf.node.archive.member import DIRECTORY, FILE, Member, shown
from peershelf.node.archive.output_file import OutputFile
from peershelf.node.errors import CannotWrite

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import NoReturn

_MOST_OPEN = 64
"""Directories of the stack that are kept open, besides the first."""

SPECIAL = "is a device, pipe or socket, which nothing replaces: redirect the output of `cat` to it"

_LARGE = 1 << 40
"""Bytes of a file that few disks have. A few blocks can claim as many, and be read for as long."""


class _Level:
    """A directory on the way to what is being written."""

    __slots__ = ("directory", "member", "names")

    def __init__(self, member: Member, directory: Directory | None) -> None:
        self.member = member
        self.directory = directory
        self.names: set[bytes] = set()


class TreeWriter:
    """Writes one tree, to be called `target`: a path of the user's, of which only the last name is made.

    Where a directory is `target`, a file goes into it, under `name`. Every method raises CannotWrite, whose
    text names the entry. Call close() in any case.
    """

    def __init__(self, target: bytes, name: bytes) -> None:
        self.target = target.rstrip(b"/") or target
        """Where the tree is, once it was begun."""
        self._name = name
        self._parent: Directory | None = None
        self._beside: set[bytes] = set()
        self._levels: list[_Level] = []
        self._member: Member | None = None
        self._file: OutputFile | None = None
        self._left = 0

    def begin(self, member: Member) -> None:
        """Go on to the next member. The bytes of a file have to follow before the one after it."""
        self._end_file()
        try:
            if not member.path:
                self._begin_root(member)
            else:
                self._begin_below(member)
        except OSError as error:
            self._fail(member, error)

    def write(self, data: bytes | memoryview) -> None:
        """Take the next bytes of the file that was begun."""
        if self._file is None or self._member is None or len(data) > self._left:
            raise CannotWrite("refused: there are more bytes than the files of the tree have")
        try:
            self._file.write(data)
        except OSError as error:
            self._fail(self._member, error)
        self._left -= len(data)

    def finish(self) -> None:
        """All members are here: the directories get their permissions and times."""
        self._end_file()
        self._leave_to(0)
        if self._parent is not None and self._beside:
            self._parent.remove_leftovers(self._beside)

    def close(self) -> None:
        """Let go of everything. What is half-written is removed; what is finished stays."""
        if self._file is not None:
            self._file.close()
            self._file = None
        for level in self._levels:
            if level.directory is not None:
                level.directory.close()
        self._levels.clear()
        if self._parent is not None:
            self._parent.close()

    # The root of the tree.

    def _begin_root(self, member: Member) -> None:
        if self._parent is not None:
            raise CannotWrite(f"refused: there are two entries {self._shown(member)}")
        parent, name = os.path.split(self.target)
        if name in (b"", b".", b".."):
            parent, name = self.target, b""
        if member.kind != DIRECTORY and (not name or os.path.isdir(self.target)):
            parent, name = self.target, self._name
            self._refuse(member, problem_of_name(name))
            self.target = os.path.join(parent, name)
        self._parent = Directory.open(parent)
        if not name:
            self._levels.append(_Level(member, self._parent.duplicate()))
            return
        if self._parent.leads_to_special(name):
            self._refuse(member, SPECIAL)
        self._make(self._parent, name, member, self._beside)

    # Everything below it.

    def _begin_below(self, member: Member) -> None:
        path = member.path
        for name in path:
            self._refuse(member, problem_of_name(name))
        self._refuse(member, problem_of_path(path))
        self._leave_to(len(path))
        above = [level.member.path for level in self._levels]
        if len(above) != len(path) or above[-1] != path[:-1]:
            self._refuse(member, "is in no directory that comes before it")
        level = self._levels[-1]
        if path[-1] in level.names:
            self._refuse(member, "is there twice")
        level.names.add(path[-1])
        self._make(self._opened(), path[-1], member, level.names)

    def _make(self, directory: Directory, name: bytes, member: Member, taken: set[bytes]) -> None:
        if member.kind == DIRECTORY:
            self._enter(directory, name, member)
            return
        there = directory.look(name)
        if there is not None and stat.S_ISDIR(there.st_mode):
            self._refuse(member, "cannot be written where a directory is: move that away")
        if there is not None and not stat.S_ISREG(there.st_mode) and not stat.S_ISLNK(there.st_mode):
            self._refuse(member, SPECIAL)
        if member.kind == FILE:
            self._member, self._left = member, member.size
            taken.add(name)
            if member.size >= _LARGE and 0 < directory.capacity() < member.size:
                self._refuse(member, f"claims {member.size} bytes, more than the whole disk has")
            self._file = OutputFile(directory, name, taken, size=member.size, there=there)
        else:
            taken.add(name)
            self._make_link(directory, name, member, taken, there)

    def _enter(self, directory: Directory, name: bytes, member: Member) -> None:
        there = directory.look(name)
        if there is None:
            directory.make(name)
        elif stat.S_ISLNK(there.st_mode):
            self._refuse(member, "is a directory, and there is a symbolic link in its place: remove that")
        elif not stat.S_ISDIR(there.st_mode):
            self._refuse(member, "is a directory, and there is a file in its place: move that away")
        self._levels.append(_Level(member, directory.enter(name)))
        if len(self._levels) > _MOST_OPEN + 1:
            level = self._levels[-_MOST_OPEN - 1]
            if level.directory is not None and level is not self._levels[0]:
                level.directory.close()
                level.directory = None

    def _make_link(
        self,
        directory: Directory,
        name: bytes,
        member: Member,
        taken: set[bytes],
        there: os.stat_result | None,
    ) -> None:
        self._refuse(member, problem_of_target(member.target))
        same = there is not None and stat.S_ISLNK(there.st_mode)
        if not same or directory.target_of(name) != member.target:
            directory.rename(directory.make_link(member.target, taken), name)
        if member.mtime is not None:
            directory.set_link_time(name, member.mtime)

    # Where we are.

    def _opened(self) -> Directory:
        """The latest directory, opened again from above where it was closed because too many were open."""
        level = self._levels[-1]
        if level.directory is None:
            near = max(number for number, one in enumerate(self._levels) if one.directory is not None)
            start = self._levels[near].directory
            assert start is not None
            directory = start.duplicate()
            for below in self._levels[near + 1 :]:
                entered = directory.enter(below.member.path[-1])
                directory.close()
                directory = entered
            level.directory = directory
        return level.directory

    def _leave_to(self, depth: int) -> None:
        """Be done with directories that are deeper than this many levels."""
        while len(self._levels) > depth:
            level = self._levels[-1]
            try:
                directory = self._opened()
                directory.remove_leftovers(level.names)
                directory.set_metadata(level.member.mode, level.member.mtime)
                directory.close()
            except OSError as error:
                self._fail(level.member, error)
            self._levels.pop()

    def _end_file(self) -> None:
        file, self._file = self._file, None
        if file is None or self._member is None:
            return
        try:
            if self._left:
                raise CannotWrite(f"{self._shown(self._member)} ends early")
            file.finish(self._member.mode, self._member.mtime)
        except OSError as error:
            self._fail(self._member, error)
        finally:
            file.close()

    # What can go wrong.

    def _refuse(self, member: Member, problem: str | None) -> None:
        if problem is not None:
            raise CannotWrite(f"refused: {self._shown(member)} {problem}")

    def _fail(self, member: Member, error: OSError) -> NoReturn:
        raise CannotWrite(
            f"cannot write {self._shown(member)}: {error.strerror or 'input/output error'}"
        ) from None

    def _shown(self, member: Member) -> str:
        return shown(b"/".join((self.target, *member.path)))
