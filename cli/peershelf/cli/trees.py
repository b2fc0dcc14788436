"""What an `add` uploads: files, symbolic links, and directories with all that is in them."""
# pathlib would cost a command 7 ms.
# ruff: noqa: PTH115, PTH116, PTH119

from __future__ import annotations

import os
import stat

from peershelf.cli.errors import CliError
from peershelf.cli.failing import Failing
from peershelf.cli.sources import STDIN, Source, check_standard_input, file_source, unreadable
from peershelf.cli.text import safe

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator

    from peershelf.cli.grammar import Call
    from peershelf.node.walk import Entry, Ignored, OnSkipped

_SMALL_SIZE = 64 << 10


class Trees:
    """The sources that the words of an `add` name; those in directories are found while iterating.

    Whatever is wrong with the words themselves is found at once: raises CliError. Iterating raises CliError
    for what cannot be read. `on_skipped` is told what cannot be added, such as a socket.
    """

    def __init__(self, paths: list[str], call: Call, on_skipped: OnSkipped | None = None) -> None:
        check_standard_input(paths)
        self._call = call
        self._on_skipped = on_skipped
        self._tops = [self._top(path) for path in paths]
        if call.flag("wrap-with-directory") or self.has_directories:
            self._tops = _without_repetition(self._tops)
        self._ignored = _ignored(call) if self.has_directories else None

    @property
    def has_directories(self) -> bool:
        """Whether some of what is uploaded has to be found first."""
        return any(top.kind == "directory" for top in self._tops)

    def has_large(self, size: int) -> bool:
        """Whether there may be a file of at least `size` bytes; what is in directories is not looked at."""
        return any(top.kind == "directory" or (top.size or 0) >= size for top in self._tops)

    def __iter__(self) -> Iterator[Source]:
        for top in self._tops:
            if top.kind == "directory":
                yield from self._tree(top)
            else:
                yield top

    def size(self) -> int | None:
        """Bytes of all files, found by a walk of its own; None if that cannot be known."""
        sizes = [top.size for top in self._tops if top.kind == "file"]
        try:
            for top in self._tops:
                if top.kind == "directory":
                    sizes += [entry.status.st_size for entry in self._walk(top, None) if entry.kind == "file"]
        except OSError:
            return None
        return None if None in sizes else sum(size for size in sizes if size is not None)

    def _top(self, path: str) -> Source:
        """What a word names, before it is read. Raises CliError."""
        if path == STDIN:
            return Source(self._call.text("stdin-name") or "", None, None)
        path = path.rstrip("/") or path
        try:
            if self._call.flag("dereference-args") or self._call.flag("dereference-symlinks"):
                path = os.path.realpath(path, strict=True)
            found = os.stat(path, follow_symlinks=False)
            source = self._found(path, found)
        except OSError as error:
            raise unreadable(path, error) from None
        self._keep_metadata(source, found)
        return source

    def _found(self, path: str, found: os.stat_result) -> Source:
        if stat.S_ISDIR(found.st_mode) and not self._call.flag("recursive"):
            raise CliError(f"{safe(path)} is a directory: add -r takes it, with all that is in it")
        name = _name(path)
        if stat.S_ISLNK(found.st_mode):
            return Source(name, path, 0, kind="symlink", content=os.fsencode(os.readlink(path)))
        if stat.S_ISDIR(found.st_mode):
            return Source(name, path, None, kind="directory")
        return file_source(path, name, found)

    def _tree(self, top: Source) -> Iterator[Source]:
        try:
            for entry in self._walk(top, self._on_skipped):
                yield self._source(top.name, entry)
        except OSError as error:
            raise unreadable(str(error.filename), error) from None

    def _walk(self, top: Source, on_skipped: OnSkipped | None) -> Iterator[Entry]:
        from peershelf.node.walk import Rules, walk

        rules = Rules(
            hidden=self._call.flag("hidden"),
            dereference=self._call.flag("dereference-symlinks"),
            ignored=self._ignored,
            on_skipped=on_skipped,
        )
        return walk(top.path or "", rules)

    def _source(self, top_name: str, entry: Entry) -> Source:
        name = f"{top_name}/{os.fsdecode(entry.path)}" if entry.path else top_name
        content = entry.read_small(_SMALL_SIZE) if entry.kind == "file" else entry.target
        source = Source(
            name,
            entry.shown,
            entry.status.st_size if entry.kind == "file" else 0,
            kind=entry.kind,
            content=content,
            descriptor=entry.descriptor,
        )
        self._keep_metadata(source, entry.status)
        return source

    def _keep_metadata(self, source: Source, status: os.stat_result) -> None:
        if self._call.flag("preserve-mode"):
            source.mode = stat.S_IMODE(status.st_mode)
        if self._call.flag("preserve-mtime"):
            source.mtime_ns = status.st_mtime_ns


def _name(path: str) -> str:
    """The name under which the node is told of a file. Raises CliError."""
    name = os.path.basename(path)
    if name in ("", ".", ".."):
        name = os.path.basename(os.path.realpath(path))
    if not name:
        raise CliError(f"{safe(path)} has no name of its own: name the files and directories in it")
    return name


def _without_repetition(tops: list[Source]) -> list[Source]:
    """Once what is named twice; of two things of one name there can be no tree. Raises CliError."""
    by_name: dict[str, Source] = {}
    for top in tops:
        other = by_name.setdefault(top.name, top)
        if not _is_same(other, top):
            ours, theirs = safe(other.path or STDIN), safe(top.path or STDIN)
            raise CliError(f"{ours} and {theirs} have the same name: add them one by one")
    return list(by_name.values())


def _is_same(one: Source, other: Source) -> bool:
    if one is other or one.path is None or other.path is None:
        return one is other
    return os.path.realpath(one.path) == os.path.realpath(other.path)


def _ignored(call: Call) -> Ignored | None:
    lines = (call.text("ignore") or "").splitlines()
    path = call.text("ignore-rules-path")
    if path is not None:
        try:
            with open(path, encoding="utf-8", errors="surrogateescape") as file:  # noqa: PTH123
                lines = file.read().splitlines() + lines
        except OSError as error:
            raise unreadable(path, error) from None
    if not lines:
        return None
    from peershelf.node.ignoring import ignore_rules

    with Failing():
        return ignore_rules(lines)
