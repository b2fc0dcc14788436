"""The bitswap message and its parts, and how they are written for each version of the protocol.

Version 1.2.0 has everything. 1.1.0 knows blocks only: a want-have becomes a want-block there and presences
are left out. 1.0.0 also sends blocks bare, which can only be CIDv0's kind: SHA2-256.
https://specs.ipfs.tech/bitswap-protocol/
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from functools import lru_cache

from peershelf.blockstore import varint
from peershelf.blockstore.buffers import Rope
from peershelf.blockstore.cid import DAG_PB, Cid
from peershelf.blockstore.multihash import SHA2_256, split
from peershelf.blockstore.protobuf import bytes_field, bytes_header, varint_field

BITSWAP_1_2_0 = "/ipfs/bitswap/1.2.0"
BITSWAP_1_1_0 = "/ipfs/bitswap/1.1.0"
BITSWAP_1_0_0 = "/ipfs/bitswap/1.0.0"
PROTOCOLS = (BITSWAP_1_2_0, BITSWAP_1_1_0, BITSWAP_1_0_0)
"""Versions spoken, best first."""

Buffer = bytes | memoryview


@dataclass(frozen=True, slots=True)
class WantEntry:
    """One line of a wantlist: the block, or only word of it (`have_only`); or, with `cancel`, no longer."""

    cid: Cid
    priority: int = 1
    """Signed 32 bits; higher is wanted sooner."""
    cancel: bool = False
    have_only: bool = False
    send_dont_have: bool = False


@dataclass(frozen=True, slots=True)
class Prefix:
    """A CID without its digest, which whoever has the data can compute."""

    version: int
    codec: int
    hash_code: int
    digest_size: int

    @classmethod
    def of(cls, cid: Cid) -> Prefix:
        """What stands before a block with this CID."""
        code, digest = split(cid.multihash)
        return cls(cid.version, cid.codec, code, len(digest))


V0_PREFIX = Prefix(0, DAG_PB, SHA2_256, 32)
"""What a block of protocol 1.0.0 is: it comes bare."""


@dataclass(frozen=True, slots=True)
class Payload:
    """A block as it travels. Inbound, `data` is a slice of the message that it came in, or of its pieces."""

    prefix: Prefix
    data: Buffer | Rope


@dataclass(frozen=True, slots=True)
class Presence:
    """Word that the sender has a block, or does not have it."""

    cid: Cid
    have: bool


@dataclass(frozen=True, slots=True)
class Message:
    """One bitswap message, to or from a peer."""

    wants: tuple[WantEntry, ...] = ()
    full: bool = False
    """The wants replace all earlier ones instead of adding to them."""
    payloads: tuple[Payload, ...] = ()
    presences: tuple[Presence, ...] = ()
    pending_bytes: int = 0
    """How much more the sender has queued for the receiver."""


def encode(message: Message, protocol: str) -> list[Buffer]:
    """Return the message's bytes in pieces, in which the payloads' data is not copied.

    What `protocol` cannot say is left out; the list is empty if nothing remains.
    """
    pieces: list[Buffer] = []
    wantlist = b"".join(_wantlist_fields(message, protocol))
    if wantlist:
        pieces.append(bytes_field(1, wantlist))
    for payload in message.payloads:
        pieces += _payload_pieces(payload, protocol)
    if protocol == BITSWAP_1_2_0:
        pieces += [_presence_field(presence) for presence in message.presences]
        if message.pending_bytes:
            pieces.append(_int32_field(5, message.pending_bytes))
    return pieces


@lru_cache(maxsize=64)
def encode_prefix(prefix: Prefix) -> bytes:
    """Return the four varints that stand before a block's data."""
    parts = (prefix.version, prefix.codec, prefix.hash_code, prefix.digest_size)
    return b"".join(varint.encode(part) for part in parts)


def _wantlist_fields(message: Message, protocol: str) -> Iterator[bytes]:
    for entry in message.wants:
        yield bytes_field(1, b"".join(_entry_fields(entry, protocol)))
    if message.full:
        yield varint_field(2, 1)


def _entry_fields(entry: WantEntry, protocol: str) -> Iterator[bytes]:
    yield bytes_field(1, entry.cid.to_bytes())
    if entry.priority:
        yield _int32_field(2, entry.priority)
    if entry.cancel:
        yield varint_field(3, 1)
    if protocol == BITSWAP_1_2_0:
        if entry.have_only:
            yield varint_field(4, 1)
        if entry.send_dont_have:
            yield varint_field(5, 1)


def _payload_pieces(payload: Payload, protocol: str) -> Iterable[Buffer]:
    data = payload.data
    pieces = data.pieces if isinstance(data, Rope) else (data,)
    if protocol == BITSWAP_1_0_0:
        sendable = (payload.prefix.hash_code, payload.prefix.digest_size) == (SHA2_256, 32)
        return (bytes_header(2, len(data)), *pieces) if sendable else ()
    inner = bytes_field(1, encode_prefix(payload.prefix)) + bytes_header(2, len(data))
    return bytes_header(3, len(inner) + len(data)) + inner, *pieces


def _presence_field(presence: Presence) -> bytes:
    kind = b"" if presence.have else varint_field(2, 1)
    return bytes_field(4, bytes_field(1, presence.cid.to_bytes()) + kind)


def _int32_field(number: int, value: int) -> bytes:
    # Protobuf writes a negative int32 as the 64-bit two's complement.
    return varint_field(number, value & 0xFFFF_FFFF_FFFF_FFFF)
