"""A request's body, and the parts of an upload in it, read only as fast as the operation consumes them."""

from __future__ import annotations

from collections import deque
from collections.abc import AsyncIterator
from typing import Self

import trio
from starlette.types import Receive

from peershelf.node.errors import UsageError
from peershelf.node.http.handed import HandedFile, HandedFiles
from peershelf.node.http.multipart import End, MultipartParser, NeedData, PartBegin, PartData, PartEnd
from peershelf.node.http.part_header import PartHeader, parse_parameters
from peershelf.node.operations.request import Part

MAX_BOUNDARY = 70
"""RFC 2046, 5.1.1."""

MAX_ARGUMENT_BYTES = 1 << 20
"""How long a list of arguments in a body may be."""


class ClientGone(Exception):
    """The client closed its connection; nobody is left to answer."""


class Body:
    """The bytes of a request. One task reads them; afterwards another may watch for the client's leaving."""

    def __init__(self, receive: Receive) -> None:
        self._receive = receive
        self._released = trio.Event()
        self._ended = trio.Event()
        self.client_gone = False

    async def read(self) -> bytes:
        """The next bytes; b"" at the end. Raises ClientGone."""
        while not self._ended.is_set():
            data = await self._next()
            if data:
                return data
        return b""

    def release(self) -> None:
        """The operation reads no further."""
        self._released.set()

    async def discard(self, seconds: float) -> None:
        """Let watch() throw away what is still coming, for up to `seconds`, so that the client can finish."""
        self.release()
        with trio.move_on_after(seconds):
            await self._ended.wait()

    async def watch(self) -> None:
        """Return once the client has gone; takes over reading when the operation has released the body."""
        await self._released.wait()
        try:
            while True:
                await self._next()
        except ClientGone:
            self._ended.set()

    async def _next(self) -> bytes:
        message = await self._receive()
        if message["type"] == "http.disconnect":
            self.client_gone = True
            raise ClientGone
        if not message.get("more_body", False):
            self._ended.set()
        data: bytes = message.get("body", b"")
        return data


def boundary(content_type: str) -> bytes | None:
    """The boundary that a Content-Type names; None if it is no multipart/form-data. Raises UsageError."""
    value, parameters = parse_parameters(content_type)
    if value != "multipart/form-data":
        return None
    text = parameters.get("boundary", "")
    if not 0 < len(text) <= MAX_BOUNDARY or not text.isascii() or not text.isprintable():
        raise UsageError("the upload's Content-Type names no usable multipart boundary")
    return text.encode()


class PartReader:
    """The parts of an upload, one after the other. Iterating raises UsageError if the upload is malformed.

    Some may have their content in `files`; whoever stops in the middle closes the last of them by aclose().
    Not generators, so that an operation may otherwise stop without closing anything.
    """

    def __init__(self, body: Body, boundary: bytes, files: HandedFiles) -> None:
        self._body = body
        self._parser = MultipartParser(boundary)
        self._content: _Content | None = None
        self._files = files
        self._file: HandedFile | None = None

    def __aiter__(self) -> Self:
        return self

    async def aclose(self) -> None:
        """Close the file of the part that was given out last. Nobody may be reading it any more."""
        if self._file is not None:
            self._file.close()

    async def __anext__(self) -> Part:
        await self.aclose()
        while self._content is not None and not self._content.has_arrived:
            await anext(self._content, None)
        event = await self.next_event()
        if not isinstance(event, PartBegin):
            self._body.release()
            raise StopAsyncIteration
        header = event.header
        pieces, is_whole = self._at_hand()
        self._content = _Content(self, pieces, has_arrived=is_whole)
        if header.handed is not None:
            return self._handed(header, header.handed, self._content)
        content = b"".join(pieces) if is_whole else None
        return Part(header.name, header.kind, self._content, content=content, metadata=header.metadata)

    def _handed(self, header: PartHeader, shown: str, nothing: _Content) -> Part:
        self._file = file = HandedFile(self._files.take(), shown)
        return Part(header.name, "file", nothing, file, metadata=header.metadata)

    def _at_hand(self) -> tuple[list[bytes], bool]:
        """What has arrived of the part that began, and whether that is all of it, as with small files."""
        pieces = []
        while isinstance(event := self._parser.next_event(), PartData):
            pieces.append(event.data)
        return pieces, isinstance(event, PartEnd)

    async def next_event(self) -> PartBegin | PartData | PartEnd | End:
        """What the parser says next, having read as much as it takes."""
        while isinstance(event := self._parser.next_event(), NeedData):
            data = await self._body.read()
            if data:
                self._parser.receive(data)
            else:
                self._parser.finish()
        return event


class _Content:
    """The content of one part."""

    def __init__(self, reader: PartReader, pieces: list[bytes], *, has_arrived: bool) -> None:
        self._reader = reader
        self._pieces = deque(pieces)
        self.has_arrived = has_arrived
        """Whether nothing of it is still to be read from the body."""

    def __aiter__(self) -> Self:
        return self

    async def __anext__(self) -> bytes:
        if self._pieces:
            return self._pieces.popleft()
        event = None if self.has_arrived else await self._reader.next_event()
        if isinstance(event, PartData):
            return event.data
        self.has_arrived = True
        raise StopAsyncIteration


async def words(parts: AsyncIterator[Part]) -> list[str]:
    """The words of an upload: how Kubo's command line passes on arguments from its standard input."""
    content = bytearray()
    async for part in parts:
        async for chunk in part.chunks:
            content += chunk
            if len(content) > MAX_ARGUMENT_BYTES:
                raise UsageError(f"the arguments take more than {MAX_ARGUMENT_BYTES} bytes")
    return content.decode("utf-8", "replace").split()
