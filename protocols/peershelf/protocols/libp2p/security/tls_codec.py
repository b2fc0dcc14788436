"""TLS records once the handshake is done, through Python's ssl with buffers in place of a socket."""

from __future__ import annotations

import ssl
from collections.abc import Iterable, Iterator
from itertools import chain

from peershelf.protocols.libp2p.security.codec import Buffer, Message
from peershelf.protocols.libp2p.security.errors import ForgedMessage

_RECORD = 16_384
"""Most that a TLS record carries, and so what one read returns."""
_HEADER_SIZE = 5
"""Type, version and length of a record."""
_ANSWERS = 4_096
"""Bytes of answers of TLS itself that wait until we send something. Asking for new keys makes one of 27, and
is needed after millions of records."""
_TO_ITSELF = 65_536
"""Bytes of records that say something to TLS alone, in the life of a connection. A server's tickets are that,
of which there are one or two; a record has room for hundreds, and each takes OpenSSL some microseconds."""


class TlsCodec:
    """Both directions of one connection, over the memory buffers that its handshake used."""

    def __init__(self, session: ssl.SSLObject, incoming: ssl.MemoryBIO, outgoing: ssl.MemoryBIO) -> None:
        self._session = session
        self._incoming = incoming
        self._outgoing = outgoing
        self._came = incoming.read()
        self._records = RecordEnds()
        self._record = 0
        """Bytes that have come of the record that is being read."""
        self._to_itself = 0

    def seal(self, messages: Iterable[Message]) -> Buffer:
        """Return the records that carry `messages`, and those that TLS itself has to send."""
        rest = memoryview(b"".join(chain.from_iterable(messages)))
        while rest:
            rest = rest[self._session.write(rest) :]
        return self._outgoing.read()

    def open(self, data: bytes) -> Iterator[bytes]:
        """Yield what each record carries that is complete with `data`. Raises ForgedMessage.

        OpenSSL is given one record at a time: of those that say something to itself alone, such as that the
        peer wants new keys, it would deal with all in one go, and nobody would know how many they were.
        """
        came, self._came = self._came, b""
        for piece in self._records.cut(came + data if came else data):
            self._incoming.write(piece)
            self._record += len(piece)
            plaintext = self._read()
            yield plaintext
            if not self._records.is_inside_one:
                self._to_itself += 0 if plaintext else self._record
                self._record = 0
            if self._outgoing.pending > _ANSWERS or self._to_itself > _TO_ITSELF:
                raise ForgedMessage("the peer keeps TLS busy without end")

    def _read(self) -> bytes:
        """Return what has come, b"" if that is nothing for us. Raises ForgedMessage.

        A peer that ends its side as TLS wants it closes the socket next: that says as much.
        """
        try:
            return self._session.read(_RECORD)
        except (ssl.SSLWantReadError, ssl.SSLZeroReturnError):
            return b""
        except ssl.SSLError:
            raise ForgedMessage("a TLS record is not what the peer sealed") from None


class RecordEnds:
    """Knows where records end, however they came."""

    def __init__(self) -> None:
        self._header = bytearray()
        self._missing = 0
        """Bytes that the record lacks whose header is complete."""

    @property
    def is_inside_one(self) -> bool:
        """Whether the last piece has ended inside of a record."""
        return bool(self._missing or self._header)

    def cut(self, data: bytes) -> Iterator[memoryview]:
        """Yield `data` in pieces that end with a record, and at last what belongs to one that has begun."""
        view = memoryview(data)
        begin = at = 0
        while at < len(view):
            if self._missing:
                step = min(self._missing, len(view) - at)
                self._missing -= step
            else:
                step = self._take_header(view[at : at + _HEADER_SIZE - len(self._header)])
            at += step
            if not self._missing and not self._header:
                yield view[begin:at]
                begin = at
        if begin < at:
            yield view[begin:]

    def _take_header(self, piece: memoryview) -> int:
        """Add to the header that has begun; return how many bytes that takes."""
        self._header += piece
        if len(self._header) == _HEADER_SIZE:
            self._missing = int.from_bytes(self._header[-2:], "big")
            self._header.clear()
        return len(piece)
