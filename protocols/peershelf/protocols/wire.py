"""Length-prefixed messages on a byte stream: an unsigned varint, then that many bytes.

Sans-IO: give the decoder whatever the stream had, in pieces of any size, and take whole frames out of it.
A frame that lies within one piece is handed out as a slice of it; only frames that span pieces are copied,
once, and not at all for who takes the pieces. https://github.com/multiformats/unsigned-varint
"""

from __future__ import annotations

from collections import deque
from collections.abc import Sequence

from peershelf.blockstore import varint
from peershelf.protocols.errors import MalformedMessage, MessageTooLarge

# Smaller pieces are gathered: as an object each, a message sent byte by byte would cost a hundredfold.
_SMALL_PIECE = 4_096
_GATHERED = 65_536


def frame_header(size: int) -> bytes:
    """Return what goes before a payload of `size` bytes, so that big payloads need not be copied."""
    return varint.encode(size)


def encode_frame(payload: bytes | bytearray | memoryview) -> bytes:
    """Return the payload (bytes) with its length before it."""
    return frame_header(len(payload)) + payload


def joined(pieces: Sequence[memoryview]) -> memoryview:
    """Return the bytes of some pieces in one; those of a single one are not copied."""
    return pieces[0] if len(pieces) == 1 else memoryview(b"".join(pieces))


class FrameDecoder:
    """Cuts a stream into frames of at most `max_size` bytes each.

    Memory follows what was really received, never what a length announces. Once an error was raised the
    decoder is of no more use: the stream has lost its framing.
    """

    def __init__(self, max_size: int) -> None:
        self._max_size = max_size
        self._pieces: deque[memoryview] = deque()
        self._small = bytearray()
        self._buffered = 0
        self._announced: int | None = None

    @property
    def announced(self) -> int | None:
        """Size in bytes of the frame that has begun to arrive, once its length is known."""
        return self._announced

    @property
    def mid_frame(self) -> bool:
        """Whether part of a frame, or of its length, has arrived and the rest has not."""
        return self._announced is not None or self._buffered > 0

    @property
    def buffered(self) -> int:
        """Bytes that have arrived and were not returned."""
        return self._buffered

    @property
    def missing(self) -> int:
        """Bytes that are still to arrive of the frame that has begun, once its length is known; or else 1."""
        return 1 if self._announced is None else max(1, self._announced - self._buffered)

    def receive(self, data: bytes | bytearray | memoryview) -> None:
        """Take what the stream had: any number of bytes, which must not change any more."""
        size = len(data)
        self._buffered += size
        if size >= _SMALL_PIECE:
            self._flush_small()
            self._pieces.append(memoryview(data))
            return
        self._small += data
        if len(self._small) >= _GATHERED:
            self._flush_small()

    def next_frame(self) -> memoryview | None:
        """Return the next whole frame's payload, or None until more arrives. Raises as next_pieces() does."""
        pieces = self.next_pieces()
        return None if pieces is None else joined(pieces)

    def next_pieces(self) -> Sequence[memoryview] | None:
        """As next_frame(), but in the pieces in which the payload lies, none of them empty, uncopied.

        Raises MessageTooLarge as soon as a length over the limit is known, before any of its body is kept,
        and MalformedMessage if the length is no minimal varint.
        """
        if self._announced is None:
            self._flush_small()
            self._announced = self._read_length()
        if self._announced is None or self._buffered < self._announced:
            return None
        self._flush_small()
        pieces = self._take(self._announced)
        self._announced = None
        return pieces

    def _read_length(self) -> int | None:
        head = self._peek(varint.MAX_LENGTH)
        try:
            length, used = varint.decode(head)
        except varint.TruncatedVarint:
            return None
        except varint.InvalidVarint as error:
            self._discard()
            raise MalformedMessage(f"malformed message length: {error}") from None
        if length > self._max_size:
            self._discard()
            raise MessageTooLarge(f"a message of {length} bytes is over the limit of {self._max_size}")
        self._take(used)
        return length

    def _peek(self, size: int) -> memoryview | bytes:
        if self._pieces and (len(self._pieces) == 1 or len(self._pieces[0]) >= size):
            return self._pieces[0][:size]
        head = bytearray()
        for piece in self._pieces:
            head += piece[: size - len(head)]
            if len(head) == size:
                break
        return bytes(head)

    def _take(self, size: int) -> list[memoryview]:
        self._buffered -= size
        parts: list[memoryview] = []
        while size > 0:
            part = self._pieces.popleft()
            if len(part) > size:
                self._pieces.appendleft(part[size:])
                part = part[:size]
            parts.append(part)
            size -= len(part)
        return parts

    def _flush_small(self) -> None:
        if self._small:
            self._pieces.append(memoryview(bytes(self._small)))
            self._small.clear()

    def _discard(self) -> None:
        self._pieces.clear()
        self._buffered = 0
