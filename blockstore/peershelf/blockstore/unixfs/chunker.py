"""Cutting a stream of bytes into chunks of one size."""

from __future__ import annotations

from collections.abc import Iterator

from peershelf.blockstore.errors import InvalidImportOption, quoted

_PREFIX = "size-"


def parse_chunker(text: str) -> int:
    """Return the chunk size in bytes that `size-N` names. Raises InvalidImportOption."""
    digits = text.removeprefix(_PREFIX)
    if text.startswith(_PREFIX) and digits.isascii() and digits.isdecimal() and len(digits) < 20:
        return int(digits)
    raise InvalidImportOption(
        f"unknown chunker {quoted(text)}; write size-N with N in bytes, as size-1048576"
    )


class Chunker:
    """Takes bytes in pieces of any length and gives them back in chunks of exactly `size` bytes.

    `bytes` that are a whole chunk pass through as they are, other `bytes` are copied once, into their chunk.
    Buffers that may change are copied at once, so that what the caller does with them changes nothing.
    """

    def __init__(self, size: int) -> None:
        self._size = size
        self._rest: list[memoryview] = []
        self._rest_size = 0

    def push(self, data: bytes | bytearray | memoryview) -> Iterator[bytes]:
        """Yield the chunks that `data` completes. Exhaust this before the next call."""
        if not self._rest and len(data) == self._size and isinstance(data, bytes):
            yield data
            return
        view = memoryview(data if isinstance(data, bytes) else bytes(data))
        while view:
            piece, view = view[: self._size - self._rest_size], view[self._size - self._rest_size :]
            self._rest.append(piece)
            self._rest_size += len(piece)
            if self._rest_size == self._size:
                yield self._take_rest()

    def flush(self) -> bytes:
        """Return what is left of the stream, shorter than a chunk and perhaps empty."""
        return self._take_rest()

    def _take_rest(self) -> bytes:
        chunk = b"".join(self._rest)
        self._rest, self._rest_size = [], 0
        return chunk
