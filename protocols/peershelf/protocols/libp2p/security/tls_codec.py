"""TLS records once the handshake is done, through Python's ssl with buffers in place of a socket."""

from __future__ import annotations

import ssl
from collections.abc import Iterable, Iterator
from itertools import chain

from peershelf.protocols.libp2p.security.codec import Buffer, Message
from peershelf.protocols.libp2p.security.errors import ForgedMessage

_RECORD = 16_384
"""Most that a TLS record carries, and so what one read returns."""


class TlsCodec:
    """Both directions of one connection, over the memory buffers that its handshake used."""

    def __init__(self, session: ssl.SSLObject, incoming: ssl.MemoryBIO, outgoing: ssl.MemoryBIO) -> None:
        self._session = session
        self._incoming = incoming
        self._outgoing = outgoing

    def seal(self, messages: Iterable[Message]) -> Buffer:
        """Return the records that carry `messages`, and those that TLS itself has to send."""
        rest = memoryview(b"".join(chain.from_iterable(messages)))
        while rest:
            rest = rest[self._session.write(rest) :]
        return self._outgoing.read()

    def open(self, data: bytes) -> Iterator[bytes]:
        """Yield what the records carry that are complete with `data`. Raises ForgedMessage.

        A peer that ends its side as TLS wants it closes the socket next: that says as much.
        """
        self._incoming.write(data)
        try:
            while piece := self._session.read(_RECORD):
                yield piece
        except (ssl.SSLWantReadError, ssl.SSLZeroReturnError):
            pass
        except ssl.SSLError:
            raise ForgedMessage("a TLS record is not what the peer sealed") from None
