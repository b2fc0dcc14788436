"""AutoNAT v2's messages: asking others to dial one of our addresses, and answering such a question.

https://github.com/libp2p/specs/blob/master/autonat/autonat-v2.md
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import IntEnum
from itertools import islice

from peershelf.blockstore import protobuf
from peershelf.protocols.errors import MalformedMessage

DIAL_REQUEST = "/libp2p/autonat/2/dial-request"
DIAL_BACK = "/libp2p/autonat/2/dial-back"

MAX_MESSAGE = 8_192
"""Bytes of a message on a stream of DIAL_REQUEST."""
MAX_DIAL_BACK = 1_024
MAX_ADDRESSES = 50
"""Addresses of a question that are looked at."""
MAX_ADDRESS = 512
MOST_DATA = 100_000
"""Bytes that a server may ask for before it dials: more than a dial can do to whoever is dialed."""
_MOST_FIELDS = 256


class Status(IntEnum):
    """Whether a question was taken."""

    INTERNAL_ERROR = 0
    REJECTED = 100
    """Not now: there were too many."""
    DIAL_REFUSED = 101
    """None of these addresses is ever dialed by this server."""
    OK = 200


class Dialed(IntEnum):
    """What came of the dial."""

    UNUSED = 0
    DIAL_ERROR = 100
    DIAL_BACK_ERROR = 101
    """Connected, but the nonce could not be delivered."""
    OK = 200


@dataclass(frozen=True, slots=True)
class Question:
    """Dial the first of these addresses that you can, and say the nonce there."""

    addresses: tuple[bytes, ...]
    nonce: int


@dataclass(frozen=True, slots=True)
class Answer:
    """What came of a question; `index` is that of the address that was dialed."""

    status: Status
    index: int = 0
    dialed: Dialed = Dialed.UNUSED


@dataclass(frozen=True, slots=True)
class DataWanted:
    """Send so many bytes first: whoever wants to have others dialed must pay more than they."""

    index: int
    size: int


@dataclass(frozen=True, slots=True)
class Data:
    """Some of those bytes; only their number counts."""

    payload: bytes | memoryview


Message = Question | Answer | DataWanted | Data

_QUESTION, _ANSWER, _DATA_WANTED, _DATA = 1, 2, 3, 4


def encode(message: Message) -> bytes:
    """Return the bytes of a message, without the length before it."""
    match message:
        case Question(addresses, nonce):
            listed = b"".join(protobuf.bytes_field(1, address) for address in addresses)
            return protobuf.bytes_field(_QUESTION, listed + protobuf.fixed64_field(2, nonce))
        case Answer(status, index, dialed):
            return protobuf.bytes_field(_ANSWER, _numbers(status, index, dialed))
        case DataWanted(index, size):
            return protobuf.bytes_field(_DATA_WANTED, _numbers(index, size))
        case Data(payload):
            return protobuf.bytes_field(_DATA, protobuf.bytes_field(1, payload))


def _numbers(*values: int) -> bytes:
    return b"".join(protobuf.varint_field(number, value) for number, value in enumerate(values, 1) if value)


def decode(data: bytes | memoryview) -> Message:
    """Read a message. Raises MalformedMessage."""
    for number, _, value in islice(protobuf.fields(data, MalformedMessage), _MOST_FIELDS):
        if isinstance(value, memoryview) and number == _QUESTION:
            return _question(value)
        if isinstance(value, memoryview) and number == _ANSWER:
            status, index, dialed = _read_numbers(value, 3)
            return Answer(_status(status), index, _dialed(dialed))
        if isinstance(value, memoryview) and number == _DATA_WANTED:
            index, size = _read_numbers(value, 2)
            return DataWanted(index, size)
        if isinstance(value, memoryview) and number == _DATA:
            return _data(value)
    raise MalformedMessage("a message that says nothing")


def _question(data: memoryview) -> Question:
    addresses: list[bytes] = []
    nonce = 0
    for number, wire_type, value in islice(protobuf.fields(data, MalformedMessage), _MOST_FIELDS):
        if number == 1 and isinstance(value, memoryview) and len(addresses) < MAX_ADDRESSES:
            # One that is too long keeps its place: the answer counts them.
            addresses.append(bytes(value) if len(value) <= MAX_ADDRESS else b"")
        elif number == 2 and wire_type == protobuf.FIXED64 and isinstance(value, int):
            nonce = value
    return Question(tuple(addresses), nonce)


def _data(data: memoryview) -> Data:
    for number, _, value in islice(protobuf.fields(data, MalformedMessage), _MOST_FIELDS):
        if number == 1 and isinstance(value, memoryview):
            return Data(value)
    return Data(b"")


def _read_numbers(data: memoryview, count: int) -> list[int]:
    found = [0] * count
    for number, _, value in islice(protobuf.fields(data, MalformedMessage), _MOST_FIELDS):
        if 0 < number <= count and isinstance(value, int):
            found[number - 1] = value
    return found


def _status(number: int) -> Status:
    try:
        return Status(number)
    except ValueError:
        raise MalformedMessage(f"there is no status {number}") from None


def _dialed(number: int) -> Dialed:
    try:
        return Dialed(number)
    except ValueError:
        raise MalformedMessage(f"there is no dial status {number}") from None


def encode_dial_back(nonce: int) -> bytes:
    """Return what is said on a stream of DIAL_BACK, without the length before it."""
    return protobuf.fixed64_field(1, nonce)


def decode_dial_back(data: bytes | memoryview) -> int:
    """Return the nonce that somebody has dialed us to say. Raises MalformedMessage."""
    for number, wire_type, value in islice(protobuf.fields(data, MalformedMessage), _MOST_FIELDS):
        if number == 1 and wire_type == protobuf.FIXED64 and isinstance(value, int):
            return value
    raise MalformedMessage("a dial-back without a nonce")
