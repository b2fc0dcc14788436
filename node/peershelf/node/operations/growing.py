"""One tree that grows by the parts of an upload."""

from __future__ import annotations

from collections.abc import AsyncGenerator, AsyncIterator, Awaitable, Callable, Sequence
from io import RawIOBase

from peershelf.blockstore.unixfs.importer import Imported
from peershelf.blockstore.unixfs.metadata import NONE, Metadata
from peershelf.blockstore.unixfs.tree import Path
from peershelf.node import importing
from peershelf.node.blocking import Blocking
from peershelf.node.errors import UsageError
from peershelf.node.operations.request import Part, Record
from peershelf.node.operations.texts import as_text
from peershelf.node.trees import (
    MAX_TARGET,
    SMALL_SIZE,
    Gathered,
    LargeFile,
    Preserve,
    SmallEntry,
    TreeBuilder,
)

_PROGRESS_STEP = 256 << 10

Send = Callable[[Record], Awaitable[None]]


class Growing:
    """Puts parts into `tree`: those below `top`, a name, or all of them if that is None.

    `tell` is given records of progress: of a large file how far it is, of small ones the bytes of several
    under the name of the last, since clients sum up.
    """

    def __init__(
        self, blocking: Blocking, tree: TreeBuilder, preserve: Preserve, top: str | None, tell: Send | None
    ) -> None:
        self._blocking = blocking
        self._tree = tree
        self._preserve = preserve
        self._top = top
        self._tell = tell
        self._gathered = Gathered()
        self._last_name = ""
        if top is None:
            self._gathered.add(SmallEntry((), "directory", metadata=preserve.of(NONE)))

    def has_room_for(self, part: Part) -> bool:
        """Whether the part is one of this tree."""
        return self._top is None or part.name.partition("/")[0] == self._top

    async def add(self, part: Part) -> None:
        """Take one part. Raises UsageError, InvalidPath, StoreError."""
        if part.kind == "directory" and not part.name:
            return  # it is the directory that is there already
        metadata = self._preserve.of(part.metadata)
        content = await _content(part)
        is_nameless = part.kind == "file" and not part.name and self._top is None
        if not isinstance(content, bytes) or is_nameless:
            await self._flush()
            imported = await self._import(part.name, content, metadata)
            path = (str(imported.cid).encode(),) if is_nameless else self._path(part.name)
            self._gathered.add(LargeFile(path, imported, metadata))
            return
        self._last_name = part.name
        self._gathered.add(SmallEntry(self._path(part.name), part.kind, content, metadata))
        if self._gathered.is_enough:
            await self._flush()

    async def finish(self) -> None:
        """Build the directories; once this returns the tree is durable and pinned."""
        await self._flush()
        await self._blocking.run(self._tree.finish)

    def _path(self, name: str) -> Path:
        names = name.encode("utf-8", "surrogateescape").split(b"/") if name else []
        return tuple(names if self._top is None else names[1:])

    async def _flush(self) -> None:
        """Import what was gathered."""
        size, entries = self._gathered.size, self._gathered.take()
        if entries:
            await self._blocking.run(self._tree.add, entries)
        if self._tell is not None and any(map(_is_small_file, entries)):
            await self._tell({"Name": as_text(self._last_name), "Bytes": size})

    async def _import(self, name: str, source: importing.Source, metadata: Metadata) -> Imported:
        tell = self._tell
        told: importing.Progress | None = None
        if tell is not None and isinstance(source, AsyncIterator):
            source = _reported(name, source, tell)
        elif tell is not None:
            told = self._from_inside(name, tell)
        return await importing.add(
            self._blocking, source, self._tree.sink, self._tree.profile, told, metadata
        )

    def _from_inside(self, name: str, tell: Send) -> importing.Progress:
        return lambda done: self._blocking.call(tell, {"Name": as_text(name), "Bytes": done})


def _is_small_file(entry: SmallEntry | LargeFile) -> bool:
    return isinstance(entry, SmallEntry) and entry.kind == "file"


async def _content(part: Part) -> bytes | RawIOBase | AsyncIterator[bytes]:
    """A part's content: as bytes if it is small, and otherwise something to read it from."""
    if part.content is not None or part.kind == "directory":
        content = part.content or b""
        return content if len(content) <= SMALL_SIZE else _pieces([content])
    if part.file is not None:
        return part.file
    pieces: list[bytes] = []
    size = 0
    async for piece in part.chunks:
        pieces.append(piece)
        size += len(piece)
        if size > SMALL_SIZE and part.kind == "file":
            return _pieces(pieces, part.chunks)
        if size > MAX_TARGET and part.kind == "symlink":
            raise UsageError(f"the target of the link {part.name!a} has more than {MAX_TARGET} bytes")
    return b"".join(pieces)


async def _pieces(
    first: Sequence[bytes], others: AsyncIterator[bytes] | None = None
) -> AsyncGenerator[bytes, None]:
    for piece in first:
        yield piece
    if others is not None:
        async for piece in others:
            yield piece


async def _reported(name: str, chunks: AsyncIterator[bytes], tell: Send) -> AsyncGenerator[bytes, None]:
    """Pass the chunks on, and say how far they are every 256 KiB and at the end."""
    done = told = 0
    async for chunk in chunks:
        yield chunk
        done += len(chunk)
        if done - told >= _PROGRESS_STEP:
            told = done
            await tell({"Name": as_text(name), "Bytes": done})
    if told != done:
        await tell({"Name": as_text(name), "Bytes": done})
