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

    `bytes` that are a whole chunk pass through as they are; everything else is copied, so that what the
    caller does with its buffers afterwards changes nothing.
    """

    def __init__(self, size: int) -> None:
        self._size = size
        self._rest = bytearray()

    def push(self, data: bytes | bytearray | memoryview) -> Iterator[bytes]:
        """Yield the chunks that `data` completes. Exhaust this before the next call."""
        if not self._rest and len(data) == self._size and isinstance(data, bytes):
            yield data
            return
        view = memoryview(data).cast("B")
        offset = 0
        if self._rest:
            offset = self._size - len(self._rest)
            self._rest += view[:offset]
            if len(self._rest) == self._size:
                yield self._take_rest()
        while len(view) - offset >= self._size:
            yield bytes(view[offset : offset + self._size])
            offset += self._size
        self._rest += view[offset:]

    def flush(self) -> bytes:
        """Return what is left of the stream, shorter than a chunk and perhaps empty."""
        return self._take_rest()

    def _take_rest(self) -> bytes:
        chunk = bytes(self._rest)
        self._rest.clear()
        return chunk
