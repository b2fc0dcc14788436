"""The DHT's messages: what is read is within its bounds, and the same once it is written and read again."""

from __future__ import annotations

from peershelf.blockstore import protobuf
from peershelf.protocols.errors import MalformedMessage
from peershelf.protocols.multiaddrs import network_of, texts
from peershelf.protocols.routing.kad.keys import peer_from_bytes
from peershelf.protocols.routing.kad.messages import (
    MAX_ADDRESS,
    MAX_ADDRESSES,
    MAX_KEY,
    MAX_PEERS,
    Contact,
    Kind,
    Message,
    decode,
    encode,
)
from peershelf.protocols.routing.kad.record import decode_record, encode_record
from peershelf.protocols.routing.kad.scope import LAN, WAN

SLOW = 0.05
"""Seconds that a message may take: anybody may send many."""

_KEY = b"\x12\x20" + bytes(range(32))
_TCP = bytes([6, 15, 161])
_ADDRESSES = (
    bytes([4, 8, 8, 8, 8]) + _TCP,
    bytes([4, 192, 168, 0, 1]) + _TCP,
    bytes([0x29, 0x26]) + bytes(15) + _TCP,
    bytes([0x36, 11]) + b"example.com" + _TCP,
)


def check(data: bytes) -> None:
    """Read a message, and what every message is asked for: where its peers are, and whether that is near."""
    try:
        message = decode(data)
    except MalformedMessage:
        return
    assert decode(encode(message)) == message
    if message.record is not None:
        _check_record(message.record, message.key)
    assert len(message.key) <= MAX_KEY
    for contacts in (message.closer, message.providers):
        assert len({one.peer for one in contacts}) == len(contacts) <= MAX_PEERS
        for contact in contacts:
            _check_addresses(contact.addresses)


def _check_record(record: bytes, key: bytes) -> None:
    try:
        value = decode_record(record, key)
    except MalformedMessage:
        return
    assert decode_record(encode_record(key, value), key) == value


def _check_addresses(addresses: tuple[bytes, ...]) -> None:
    assert len(addresses) <= MAX_ADDRESSES
    assert all(len(one) <= MAX_ADDRESS for one in addresses)
    near, public = LAN.only(addresses), WAN.only(addresses)
    assert not set(near) & set(public)
    assert all(text.isprintable() for text in texts(addresses[:4]))
    for address in public:
        network_of(address)


def samples() -> list[bytes]:
    """Every type, with and without peers, and more of them than are taken."""
    peers = [
        peer_from_bytes(prefix + bytes([number]) * (prefix[1] - (len(prefix) - 2)))
        for number in range(3)
        for prefix in (b"\x12\x20", b"\x00\x24\x08\x01\x12\x20")
    ]
    contacts = tuple(Contact(peer, _ADDRESSES[: number % 5]) for number, peer in enumerate(peers))
    messages = [
        *(Message(kind, _KEY) for kind in Kind),
        Message(Kind.FIND_NODE, _KEY, closer=contacts),
        Message(Kind.GET_PROVIDERS, _KEY, closer=contacts[:2], providers=contacts),
        Message(Kind.ADD_PROVIDER, _KEY, providers=contacts[:1]),
        Message(Kind.PUT_VALUE, bytes(MAX_KEY), record=b"a record"),
        Message(Kind.GET_VALUE, _KEY, record=encode_record(_KEY, b"a value", 1e9), closer=contacts[:1]),
    ]
    crowd = b"".join(
        protobuf.bytes_field(8, protobuf.bytes_field(1, b"\x12\x20" + bytes([number]) * 32))
        for number in range(MAX_PEERS + 2)
    )
    return [*map(encode, messages), encode(messages[4]) + crowd]
