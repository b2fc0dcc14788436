"""What a router answers: records of peers, one JSON object a line, or all in one JSON document.

A router passes on what strangers told it, so reading is strict and bounded: what is malformed, too large or
of a kind that is not known is left out, and nothing is raised.

Spec: https://specs.ipfs.tech/routing/http-routing-v1/
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable
from typing import Any, Protocol

from peershelf.blockstore.cid import LIBP2P_KEY, Cid
from peershelf.blockstore.errors import InvalidCid
from peershelf.protocols.errors import MalformedMessage
from peershelf.protocols.multiaddrs import canonical
from peershelf.protocols.routing.base import PeerInfo
from peershelf.protocols.routing.kad.keys import peer_bytes, peer_from_bytes
from peershelf.protocols.transport import PeerId

MAX_RECORDS = 100
"""Records that are looked at in one answer, the malformed ones among them."""
MAX_RECORD = 64 << 10
"""Bytes of one line."""
MAX_DOCUMENT = 1 << 20
"""Bytes of a JSON document."""
MAX_ADDRESSES = 32
MAX_ADDRESS = 512
"""Characters."""

_MAX_ID = 128
"""Characters; a peer ID in base 16 has no more than that."""
_SCHEMAS = {"peer", "bitswap", "graphsync", "graphsync-filecoinv1"}
"""The last ones are of old, and say the same of a peer in the same two fields."""


class Reader(Protocol):
    """Takes an answer's body in pieces; each of them gives the peers that are complete with it."""

    full: bool
    """Whether all further bytes would be for nothing."""

    def feed(self, data: bytes) -> list[PeerInfo]: ...

    def end(self) -> list[PeerInfo]:
        """The body has ended, whole."""


class LineReader:
    """Reads NDJSON: a record a line."""

    def __init__(self) -> None:
        self.full = False
        self._records = 0
        self._line = bytearray()
        self._skipping = False
        """Whether what comes belongs to a line that is too long."""

    def feed(self, data: bytes) -> list[PeerInfo]:
        found: list[PeerInfo] = []
        first, *rest = data.split(b"\n")
        self._extend(first)
        for piece in rest:
            found += self._take_line()
            self._extend(piece)
        return found

    def end(self) -> list[PeerInfo]:
        return self._take_line()

    def _extend(self, piece: bytes) -> None:
        if self._skipping or len(self._line) + len(piece) > MAX_RECORD:
            self._skipping = True
            self._line.clear()
        else:
            self._line += piece

    def _take_line(self) -> list[PeerInfo]:
        line = bytes(self._line.strip())
        self._line.clear()
        skipped, self._skipping = self._skipping, False
        if self.full or not (line or skipped):
            return []
        self._records += 1
        self.full = self._records == MAX_RECORDS
        return read_records([_json(line)])


class DocumentReader:
    """Reads one JSON document that has the records in a list, under the name `field`."""

    def __init__(self, field: str) -> None:
        self.full = False
        self._field = field
        self._document = bytearray()

    def feed(self, data: bytes) -> list[PeerInfo]:
        self._document += data[: MAX_DOCUMENT + 1 - len(self._document)]
        self.full = len(self._document) > MAX_DOCUMENT
        return []

    def end(self) -> list[PeerInfo]:
        document = None if self.full else _json(bytes(self._document))
        records = document.get(self._field) if isinstance(document, dict) else None
        return read_records(records[:MAX_RECORDS]) if isinstance(records, list) else []


def read_records(records: Iterable[Any]) -> list[PeerInfo]:
    """Return the peers that records, as read from JSON, tell of."""
    return [info for one in records if (info := _read_record(one)) is not None]


def _read_record(record: Any) -> PeerInfo | None:
    match record:
        case {"Schema": str(schema), "ID": str(name)} if schema in _SCHEMAS:
            peer = read_peer(name)
        case _:
            return None
    addresses = record.get("Addrs")
    if peer is None or not isinstance(addresses, list | None):
        return None
    read = (_read_address(one, peer) for one in (addresses or ())[:MAX_ADDRESSES])
    return PeerInfo(peer, tuple(dict.fromkeys(one for one in read if one)))


def _read_address(address: Any, peer: PeerId) -> str | None:
    """Return a multiaddr without the peer ID; None for what is none, or is another peer's."""
    if not isinstance(address, str) or len(address) > MAX_ADDRESS or not address.isascii():
        return None
    if not address.isprintable():
        return None
    # A relayed address has the relay's ID within; only the one at the end is the peer's.
    bare, _, name = address.rpartition("/p2p/")
    if bare and "/" not in name:
        return canonical(bare) if read_peer(name) == peer else None
    return canonical(address)


def read_peer(name: str) -> PeerId | None:
    """Return the peer of an ID in base58btc or as a CID; None for what is neither."""
    if len(name) > _MAX_ID:
        return None
    try:
        if name.startswith(("1", "Qm")):
            return peer_from_bytes(peer_bytes(PeerId(name)))
        cid = Cid.parse(name)
        return peer_from_bytes(cid.multihash) if cid.codec == LIBP2P_KEY else None
    except (InvalidCid, MalformedMessage, ValueError):
        return None


def _json(data: bytes) -> Any:
    try:
        return json.loads(data, parse_constant=_refuse)
    except (ValueError, RecursionError):
        return None


def _refuse(constant: str) -> None:
    """NaN and the infinities, which Python would read, are no JSON."""
    raise ValueError(constant)


_READERS: dict[str, Callable[[str], Reader]] = {
    "application/x-ndjson": lambda field: LineReader(),
    "application/json": DocumentReader,
}


def reader_of(content_type: str, field: str) -> Reader | None:
    """Return what reads a body of a content type; None if nothing does."""
    make = _READERS.get(content_type.partition(";")[0].strip().lower())
    return make(field) if make else None
