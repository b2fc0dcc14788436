"""Reads bitswap messages from strangers: everything malformed is MalformedMessage, and it costs bounded time.

It is read in steps of about a millisecond at most, whatever the bytes are, so that others get a turn between
them. Wants, blocks and presences are a message's items: there are only so many, and hardly more in one than
its own fields.

Fields that we do not know are passed over, as protobuf wants it for what later versions add, but only as many
as those may have. A known field of the wrong type is malformed. Block data is not copied: payloads are slices
of the bytes given. Large blocks stay in the pieces in which they came.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from functools import lru_cache
from itertools import islice

from peershelf.blockstore import varint
from peershelf.blockstore.buffers import Rope
from peershelf.blockstore.cid import MAX_CID_SIZE, Cid
from peershelf.blockstore.errors import InvalidCid
from peershelf.blockstore.multihash import HASHES_BY_NAME, IDENTITY, MAX_DIGEST, MIN_DIGEST, split
from peershelf.blockstore.protobuf import BYTES, VARINT, RopeField, Value, fields
from peershelf.protocols.bitswap.limits import BitswapLimits
from peershelf.protocols.bitswap.messages import (
    V0_PREFIX,
    Buffer,
    Message,
    Payload,
    Prefix,
    Presence,
    WantEntry,
)
from peershelf.protocols.errors import MalformedMessage
from peershelf.protocols.wire import joined

_BLOCK, _HAVE = 0, 1
_TRUSTED = frozenset(HASHES_BY_NAME.values()) - {IDENTITY}
_NO_BYTES = memoryview(b"")
_SHA2_256 = b"\x12\x20"
"""How a whole SHA2-256 multihash begins, as nearly all do."""

_BLOCK_KEYS = (0x12, 0x1A)
"""How fields 2 and 3 begin."""
_LARGE_BLOCK = 64 * 1024
_LARGE_PIECE = 16 * 1024

ITEMS_PER_STEP = 32
_FIELDS_OF_ITEM = 8
"""A want has five, once each; more are for what later versions add."""
_OTHER_FIELDS = 256
"""An honest message has a wantlist, whether that is full, and the pending bytes."""


def decode(data: Buffer, limits: BitswapLimits | None = None) -> Message:
    """Read one message in one go. Raises MalformedMessage."""
    decoding = Decoding([memoryview(data)], limits or BitswapLimits())
    for _ in decoding:
        pass
    return decoding.message


class Decoding(Iterator[None]):
    """One message that is being read; each `next` is a step. Raises MalformedMessage.

    Args:
        pieces: the message's bytes, in one piece or several.
    """

    def __init__(self, pieces: Sequence[memoryview], limits: BitswapLimits) -> None:
        self._reader = _Reader(limits)
        self._items = self._reader.read(Rope(pieces) if _is_large_block(pieces) else joined(pieces))

    def __next__(self) -> None:
        read = sum(1 for _ in islice(self._items, ITEMS_PER_STEP))
        if read < ITEMS_PER_STEP:
            raise StopIteration

    @property
    def message(self) -> Message:
        """What was read, once there are no more steps."""
        return self._reader.message


@lru_cache(maxsize=64)
def decode_prefix(data: bytes) -> Prefix:
    """Read the four varints before a block's data. Raises MalformedMessage."""
    parts = []
    offset = 0
    try:
        for _ in range(4):
            part, offset = varint.decode(data, offset)
            parts.append(part)
    except varint.InvalidVarint:
        raise MalformedMessage("malformed message: a block's prefix is not four varints") from None
    prefix = Prefix(*parts)
    if offset != len(data) or prefix.version > 1 or prefix.digest_size > MAX_DIGEST:
        raise MalformedMessage("malformed message: a block's prefix is of no known kind")
    return prefix


class _Reader:
    """Gathers the parts of one message, and counts them, since each costs time."""

    def __init__(self, limits: BitswapLimits) -> None:
        self._wants_left = limits.wants_per_message
        self._answers_left = limits.answers_per_message
        self._others_left = _OTHER_FIELDS
        self._wants: list[WantEntry] = []
        self._full = False
        self._payloads: list[Payload] = []
        self._presences: list[Presence] = []
        self._pending_bytes = 0

    @property
    def message(self) -> Message:
        return Message(
            tuple(self._wants), self._full, tuple(self._payloads), tuple(self._presences), self._pending_bytes
        )

    def read(self, data: memoryview | Rope) -> Iterator[None]:
        """Read everything, and yield after each item and each field that is none."""
        for number, wire_type, value in fields(data, MalformedMessage):
            if number == 1:
                yield from self._wantlist(_bytes(wire_type, value))
            elif number in (2, 3, 4):
                self._answer(number, _slice(wire_type, value))
                yield
                continue
            elif number == 5:
                self._pending_bytes = _int32(wire_type, value)
            self._count_other()
            yield

    def _wantlist(self, data: memoryview) -> Iterator[None]:
        for number, wire_type, value in fields(data, MalformedMessage):
            if number == 1:
                self._want(_bytes(wire_type, value))
                yield
                continue
            if number == 2:
                self._full = _bool(wire_type, value)
            self._count_other()
            yield

    def _want(self, data: memoryview) -> None:
        self._wants_left -= 1
        if self._wants_left < 0:
            raise MalformedMessage("malformed message: too many wants")
        cid = _NO_BYTES
        priority, cancel, kind, send_dont_have = 0, False, _BLOCK, False
        for number, wire_type, value in _fields_of_item(data):
            if number == 1:
                cid = _bytes(wire_type, value)
            elif number == 2:
                priority = _int32(wire_type, value)
            elif number == 3:
                cancel = _bool(wire_type, value)
            elif number == 4:
                kind = _int32(wire_type, value)
            elif number == 5:
                send_dont_have = _bool(wire_type, value)
        entry = WantEntry(_cid(cid), priority, cancel, kind == _HAVE, send_dont_have)
        # A kind of want that a later version adds is not for us to answer, nor is a hash we would not trust.
        if kind in (_BLOCK, _HAVE) and _is_trusted(entry.cid.multihash):
            self._wants.append(entry)

    def _answer(self, number: int, data: memoryview | Rope) -> None:
        self._answers_left -= 1
        if self._answers_left < 0:
            raise MalformedMessage("malformed message: more answers than anybody was asked for")
        if number == 2:
            self._payloads.append(Payload(V0_PREFIX, data))
        elif number == 3:
            self._payload(data)
        else:
            self._presence(_one(data))

    def _presence(self, data: memoryview) -> None:
        cid = _NO_BYTES
        kind = 0
        for number, wire_type, value in _fields_of_item(data):
            if number == 1:
                cid = _bytes(wire_type, value)
            elif number == 2:
                kind = _int32(wire_type, value)
        presence = Presence(_cid(cid), kind == 0)
        if kind in (0, 1):
            self._presences.append(presence)

    def _payload(self, data: memoryview | Rope) -> None:
        prefix = _NO_BYTES
        body: memoryview | Rope = _NO_BYTES
        for number, wire_type, value in _fields_of_item(data):
            if number == 1:
                prefix = _bytes(wire_type, value)
            elif number == 2:
                body = _slice(wire_type, value)
        self._payloads.append(Payload(decode_prefix(bytes(_short(prefix))), body))

    def _count_other(self) -> None:
        self._others_left -= 1
        if self._others_left < 0:
            raise MalformedMessage(
                "malformed message: too many fields that are no wants, blocks or presences"
            )


def _is_large_block(pieces: Sequence[memoryview]) -> bool:
    """Whether a message in several large pieces begins with a large block, which joining them would copy."""
    if len(pieces) < 2 or len(pieces) * _LARGE_PIECE > sum(map(len, pieces)):
        return False
    try:
        return pieces[0][0] in _BLOCK_KEYS and varint.decode(pieces[0], 1)[0] >= _LARGE_BLOCK
    except varint.InvalidVarint:
        return False


def _fields_of_item(data: memoryview | Rope) -> list[RopeField]:
    found = list(islice(fields(data, MalformedMessage), _FIELDS_OF_ITEM + 1))
    if len(found) > _FIELDS_OF_ITEM:
        raise MalformedMessage("malformed message: too many fields in a want, block or presence")
    return found


def _slice(wire_type: int, value: Value | Rope) -> memoryview | Rope:
    if wire_type != BYTES or isinstance(value, int):
        raise MalformedMessage("malformed message: a number where bytes belong")
    return value


def _bytes(wire_type: int, value: Value | Rope) -> memoryview:
    return _one(_slice(wire_type, value))


def _one(data: memoryview | Rope) -> memoryview:
    return joined(data.pieces) if isinstance(data, Rope) else data


def _number(wire_type: int, value: Value | Rope) -> int:
    if wire_type != VARINT or not isinstance(value, int):
        raise MalformedMessage("malformed message: something else where a number belongs")
    return value


def _int32(wire_type: int, value: Value | Rope) -> int:
    low = _number(wire_type, value) & 0xFFFF_FFFF
    return low - (1 << 32) if low >= 1 << 31 else low


def _bool(wire_type: int, value: Value | Rope) -> bool:
    return _number(wire_type, value) != 0


def _short(data: memoryview) -> memoryview:
    if len(data) > MAX_CID_SIZE:
        raise MalformedMessage(f"malformed message: a CID of more than {MAX_CID_SIZE} bytes")
    return data


def _is_trusted(multihash: bytes) -> bool:
    if multihash.startswith(_SHA2_256):
        return True
    code, digest = split(multihash)
    return code in _TRUSTED and MIN_DIGEST <= len(digest) <= MAX_DIGEST


def _cid(data: memoryview) -> Cid:
    try:
        cid = Cid.from_bytes(bytes(_short(data)))
    except InvalidCid:
        raise MalformedMessage("malformed message: bytes where a CID belongs") from None
    if cid.hash_code == IDENTITY and len(cid.digest) > MAX_DIGEST:
        raise MalformedMessage(f"malformed message: an identity CID of more than {MAX_DIGEST} bytes")
    return cid
