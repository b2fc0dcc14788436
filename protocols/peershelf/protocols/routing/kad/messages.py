"""The DHT's messages: what is asked and answered, in protobuf.

Everything here comes from strangers: each list is cut, each size bounded, and a peer that cannot be read is
left out, so that one of them does not cost the answer of all.
https://github.com/libp2p/specs/blob/master/kad-dht/README.md#rpc-messages
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from enum import IntEnum
from itertools import islice

from peershelf.blockstore import protobuf
from peershelf.protocols.errors import MalformedMessage
from peershelf.protocols.routing.kad.keys import peer_bytes, peer_from_bytes
from peershelf.protocols.transport import PeerId

MAX_MESSAGE = 1 << 20
"""Bytes of a message that we read."""
MAX_KEY = 256
MAX_PEERS = 64
"""Peers that are taken from one list of a message."""
MAX_ADDRESSES = 32
MAX_ADDRESS = 512
_MOST_FIELDS = 1_024
_MOST_FIELDS_OF_A_PEER = 2 * MAX_ADDRESSES
"""Fields that are looked at: a megabyte of empty ones would take half a second."""


class Kind(IntEnum):
    """What a message asks, and what its answer is an answer to."""

    PUT_VALUE = 0
    GET_VALUE = 1
    ADD_PROVIDER = 2
    GET_PROVIDERS = 3
    FIND_NODE = 4
    PING = 5


@dataclass(frozen=True, slots=True)
class Contact:
    """A peer with its addresses, in the bytes of multiaddrs: most are never dialed, so they are not read."""

    peer: PeerId
    addresses: tuple[bytes, ...] = ()


@dataclass(frozen=True, slots=True)
class Message:
    """A request or an answer."""

    kind: Kind
    key: bytes = b""
    record: bytes | None = None
    """A value with its key, encoded."""
    closer: tuple[Contact, ...] = ()
    providers: tuple[Contact, ...] = ()


_KIND, _KEY, _RECORD, _CLOSER, _PROVIDERS = 1, 2, 3, 8, 9
_PEER_ID, _PEER_ADDRESS = 1, 2


def encode(message: Message) -> bytes:
    """Return the bytes of a message, without the length before it."""
    out = bytearray(protobuf.varint_field(_KIND, message.kind))
    if message.key:
        out += protobuf.bytes_field(_KEY, message.key)
    if message.record is not None:
        out += protobuf.bytes_field(_RECORD, message.record)
    for number, contacts in ((_CLOSER, message.closer), (_PROVIDERS, message.providers)):
        for contact in contacts:
            out += protobuf.bytes_field(number, _encode_contact(contact))
    return bytes(out)


def _encode_contact(contact: Contact) -> bytes:
    addresses = b"".join(protobuf.bytes_field(_PEER_ADDRESS, one) for one in contact.addresses)
    return protobuf.bytes_field(_PEER_ID, peer_bytes(contact.peer)) + addresses


def decode(data: bytes | memoryview) -> Message:
    """Read a message. Raises MalformedMessage."""
    kind, key = 0, b""
    record: bytes | None = None
    lists: dict[int, list[memoryview]] = {_CLOSER: [], _PROVIDERS: []}
    for number, _, value in islice(protobuf.fields(data, MalformedMessage), _MOST_FIELDS):
        if number == _KIND and isinstance(value, int):
            kind = value
        elif isinstance(value, memoryview):
            if number == _KEY:
                key = bytes(value)
            elif number == _RECORD:
                record = bytes(value)
            elif number in lists and len(lists[number]) < MAX_PEERS:
                lists[number].append(value)
    if len(key) > MAX_KEY:
        raise MalformedMessage(f"a key of {len(key)} bytes is over the limit of {MAX_KEY}")
    try:
        known = Kind(kind)
    except ValueError:
        raise MalformedMessage(f"there are no messages of type {kind}") from None
    return Message(known, key, record, _contacts(lists[_CLOSER]), _contacts(lists[_PROVIDERS]))


def _contacts(encoded: Iterable[memoryview]) -> tuple[Contact, ...]:
    found: dict[PeerId, Contact] = {}
    for data in encoded:
        try:
            contact = _decode_contact(data)
        except MalformedMessage:
            continue
        found.setdefault(contact.peer, contact)
    return tuple(found.values())


def _decode_contact(data: memoryview) -> Contact:
    peer: PeerId | None = None
    addresses: list[bytes] = []
    for number, _, value in islice(protobuf.fields(data, MalformedMessage), _MOST_FIELDS_OF_A_PEER):
        if not isinstance(value, memoryview):
            continue
        if number == _PEER_ID:
            peer = peer_from_bytes(bytes(value))
        elif number == _PEER_ADDRESS and len(value) <= MAX_ADDRESS and len(addresses) < MAX_ADDRESSES:
            addresses.append(bytes(value))
    if peer is None:
        raise MalformedMessage("a peer without an ID")
    return Contact(peer, tuple(addresses))
