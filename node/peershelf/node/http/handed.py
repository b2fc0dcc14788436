"""Open files that a command hands to the daemon along with its request, over the API's Unix socket.

They come as SCM_RIGHTS beside the bytes of the request, so whatever names one in a request has the next one
that came over that very connection. Nothing else can name it, and it is gone with the connection at the
latest.
"""

from __future__ import annotations

import io
import os
import socket
import stat
from array import array
from collections import deque
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass

import structlog
import trio

from peershelf.node.errors import CannotRead, UsageError

MOST, MOST_OF_ONE = 256, 16
"""Files that may wait to be taken; and those of one connection."""

_ROOM = socket.CMSG_SPACE(MOST_OF_ONE * array("i").itemsize)
_CLOSED_ON_EXEC = getattr(socket, "MSG_CMSG_CLOEXEC", 0)

_log = structlog.get_logger(__name__)


@dataclass(slots=True)
class Waiting:
    """How many files of all connections wait to be taken."""

    count: int = 0


class HandedFiles:
    """The files that came over one connection and were not taken yet, in their order.

    They are all of the first request's: what one request left must not pass for what another handed over.
    """

    def __init__(self, waiting: Waiting) -> None:
        self._descriptors: deque[int] = deque()
        self._all = waiting
        self._claimed = False

    def claim(self) -> HandedFiles:
        """What a request may take from: these files for the first one, and none for others."""
        first, self._claimed = not self._claimed, True
        return self if first else HandedFiles(self._all)

    def add(self, descriptors: Sequence[int]) -> bool:
        """Keep descriptors until they are taken. Where that would be too many they are closed: False."""
        self._descriptors.extend(descriptors)
        self._all.count += len(descriptors)
        if len(self._descriptors) <= MOST_OF_ONE and self._all.count <= MOST:
            return True
        self.close()
        return False

    def take(self) -> int:
        """The next descriptor, the caller's to close. Raises UsageError if there is no file."""
        if not self._descriptors:
            raise UsageError("the request names a file that was not handed over")
        self._all.count -= 1
        descriptor = self._descriptors.popleft()
        # A pipe or a device could keep a thread for ever.
        if not stat.S_ISREG(os.fstat(descriptor).st_mode):
            os.close(descriptor)
            raise UsageError("what was handed over is no regular file")
        return descriptor

    def close(self) -> None:
        """Close what was not taken."""
        self._all.count -= len(self._descriptors)
        while self._descriptors:
            os.close(self._descriptors.popleft())


class HandedFile(io.FileIO):
    """A file to read; `shown` is what the user calls it."""

    def __init__(self, descriptor: int, shown: str) -> None:
        super().__init__(descriptor)
        self._shown = shown

    def read(self, size: int | None = -1, /) -> bytes:
        """Read up to `size` bytes. Raises CannotRead."""
        try:
            return super().read(size)
        except OSError as error:
            raise CannotRead(f"cannot read {self._shown}: {error.strerror}") from None


class HandingStream:
    """A trio.SocketStream of a Unix socket which puts the files that come over it into `files`."""

    def __init__(self, stream: trio.SocketStream, files: HandedFiles) -> None:
        self.socket = stream.socket
        self.send_all = stream.send_all
        self.send_eof = stream.send_eof
        self.aclose = stream.aclose
        self._files = files

    async def receive_some(self, max_bytes: int) -> bytes:
        """What has arrived; b"" at the end. Too many files are one: nobody could say which were dropped."""
        try:
            data, messages, flags, _ = await self.socket.recvmsg(max_bytes, _ROOM, _CLOSED_ON_EXEC)
        except OSError:
            return b""
        kept = self._files.add(_descriptors(messages))
        if kept and not flags & socket.MSG_CTRUNC:
            return data
        _log.warning("too many files were handed over")
        with suppress(OSError):
            self.socket.shutdown(socket.SHUT_RDWR)
        return b""


def _descriptors(messages: Sequence[tuple[int, int, bytes]]) -> array[int]:
    found = array("i")
    for level, kind, data in messages:
        if (level, kind) == (socket.SOL_SOCKET, socket.SCM_RIGHTS):
            found.frombytes(data[: len(data) - len(data) % found.itemsize])
    return found
