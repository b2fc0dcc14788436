"""Reading CARs without I/O: bytes go in as they come, the roots and the blocks come out.

Theory of operation. A CAR of version 1 is a header, a map of dag-cbor with the roots, and sections, each a
CID and the bytes of its block; before each stands its length as a varint. One of version 2 begins with a
header of version 1 that has no roots and says 2, and 40 bytes that say where in the file a CAR of version 1
is, which is all that is read of it; an index may follow, and is not needed. Every length is checked before
anything is kept because of it, and no more than one section waits here.
https://ipld.io/specs/transport/car/carv1/ and carv2
"""

from __future__ import annotations

import struct
from dataclasses import dataclass
from enum import Enum, auto

from peershelf.blockstore import varint
from peershelf.blockstore.block import MAX_BLOCK_SIZE
from peershelf.blockstore.cid import MAX_CID_SIZE, Cid
from peershelf.blockstore.errors import BlockTooLarge, InvalidCid, MalformedBlock, MalformedCar
from peershelf.blockstore.ipld import dag_cbor

MAX_HEADER = 1 << 20
"""Longest header in bytes."""

MAX_SECTION = 8 << 20
"""Longest section in bytes; a block in it may have 2 MiB."""

_V2_HEADER = struct.Struct("<16xQQQ")
"""Characteristics, then the offset and the length of the inner CAR, and the offset of the index."""

_V0_CID = 34
_V0_HEAD = b"\x12\x20"


@dataclass(frozen=True, slots=True)
class Roots:
    """The head of the archive."""

    cids: tuple[Cid, ...]


class _Expects(Enum):
    HEADER = auto()
    V2_HEADER = auto()
    PADDING = auto()
    INNER_HEADER = auto()
    SECTION = auto()
    NOTHING = auto()


class CarReader:
    """receive() bytes, take events with next_event() until it has none, and say when it is the end().

    Blocks are not verified here: Block.verify() is for who stores them.
    """

    def __init__(self) -> None:
        self._buffer = bytearray()
        self._read = 0
        self._expects = _Expects.HEADER
        self._consumed = 0
        self._padding = 0
        self._left: int | None = None
        """Bytes of the inner CAR still to come; None where the archive has no end but that of the file."""

    def receive(self, data: bytes | memoryview) -> None:
        """Take the next bytes of the file."""
        if self._expects is _Expects.NOTHING:
            return
        del self._buffer[: self._read]
        self._read = 0
        self._buffer += data

    def next_event(self) -> Roots | tuple[Cid, bytes] | None:
        """Return the roots, or a CID and the bytes that came with it; None where more is needed.

        Raises MalformedCar, BlockTooLarge; then nothing more can be read.
        """
        while True:
            expects = self._expects
            if expects is _Expects.HEADER:
                event = self._header(is_inner=False)
            elif expects is _Expects.INNER_HEADER:
                event = self._header(is_inner=True)
            elif expects is _Expects.SECTION:
                return self._section()
            else:
                event = None
                self._pass_over()
            if event is not None or self._expects is expects:
                return event

    def end(self) -> None:
        """The file has ended. Raises MalformedCar where it ends too early."""
        whole = self._expects is _Expects.NOTHING or (
            self._expects is _Expects.SECTION and self._left is None and self._available == 0
        )
        if not whole:
            raise MalformedCar("the CAR ends early: it is not whole")

    @property
    def _available(self) -> int:
        return len(self._buffer) - self._read

    def _header(self, *, is_inner: bool) -> Roots | None:
        size = self._length_of_next(MAX_HEADER, "header")
        if size is None:
            return None
        try:
            node = dag_cbor.decode(self._take(size))
        except MalformedBlock as error:
            raise MalformedCar(f"not a CAR: {error}") from None
        if _version(node) == 2 and node == {"version": 2} and not is_inner:
            self._expects = _Expects.V2_HEADER
            return None
        roots = _roots(node)
        self._expects = _Expects.SECTION
        return Roots(roots)

    def _pass_over(self) -> None:
        """Read what stands around the inner CAR of a version 2."""
        if self._expects is _Expects.V2_HEADER and self._available >= _V2_HEADER.size:
            offset, size, _ = _V2_HEADER.unpack(self._take(_V2_HEADER.size))
            self._padding = offset - self._consumed
            if self._padding < 0 or size == 0:
                raise MalformedCar("not a CAR: its second header makes no sense")
            self._left = size
            self._expects = _Expects.PADDING
        elif self._expects is _Expects.PADDING:
            self._padding -= len(self._take(min(self._padding, self._available)))
            if self._padding == 0:
                self._consumed = 0
                self._expects = _Expects.INNER_HEADER

    def _section(self) -> tuple[Cid, bytes] | None:
        if self._left is not None and self._consumed == self._left:
            self._expects = _Expects.NOTHING
            self._buffer.clear()
            self._read = 0
            return None
        size = self._length_of_next(MAX_SECTION, "section")
        if size is None:
            return None
        length = _cid_length(self._peek(min(size, MAX_CID_SIZE)), size)
        if size - length > MAX_BLOCK_SIZE:
            raise BlockTooLarge(
                f"the CAR has a block of {size - length} bytes; {MAX_BLOCK_SIZE} are the limit"
            )
        try:
            return Cid.from_bytes(self._take(length)), self._take(size - length)
        except InvalidCid as error:
            raise MalformedCar(f"the CAR has a section without a CID: {error}") from None

    def _length_of_next(self, limit: int, name: str) -> int | None:
        """Take a length, once as many bytes are here behind it."""
        try:
            length, prefix = varint.decode(self._peek(varint.MAX_LENGTH))
        except varint.TruncatedVarint:
            return None
        except varint.InvalidVarint as error:
            raise MalformedCar(f"not a CAR: the length of a {name} is malformed: {error}") from None
        if length == 0:
            raise MalformedCar(f"the CAR has an empty {name}")
        if length > limit:
            raise MalformedCar(f"the CAR has a {name} of {length} bytes; {limit} are the limit")
        if self._left is not None and self._consumed + prefix + length > self._left:
            raise MalformedCar(f"the CAR has a {name} that is longer than the archive")
        if self._available < prefix + length:
            return None
        self._take(prefix)
        return length

    def _peek(self, length: int) -> bytes:
        with memoryview(self._buffer) as view:
            return bytes(view[self._read : self._read + length])

    def _take(self, length: int) -> bytes:
        data = self._peek(length)
        self._read += length
        self._consumed += length
        return data


def _roots(node: object) -> tuple[Cid, ...]:
    version = _version(node)
    if version is not None and version > 2:
        raise MalformedCar(f"a CAR of version {version} cannot be read here")
    match node:
        case {"roots": list() as roots, **rest} if version == 1 and rest.keys() == {"version"}:
            if all(isinstance(root, Cid) for root in roots):
                return tuple(roots)
    raise MalformedCar("not a CAR: it does not begin with a version and roots")


def _version(node: object) -> int | None:
    """Return the version that a header names, if it is an integer: to Python, true and 1.0 are 1 too."""
    version = node.get("version") if isinstance(node, dict) else None
    return version if type(version) is int else None


def _cid_length(data: bytes, size: int) -> int:
    """Return how many bytes the CID of a section takes that has `size` bytes and begins with `data`."""
    if data.startswith(_V0_HEAD):
        return min(_V0_CID, size)
    offset = 0
    try:
        for _ in range(3):  # version, codec, hash function
            _, offset = varint.decode(data, offset)
        length, offset = varint.decode(data, offset)
    except varint.InvalidVarint as error:
        raise MalformedCar(f"the CAR has a section without a CID: {error}") from None
    if offset + length > len(data):
        raise MalformedCar("the CAR has a section with a CID that is too long")
    return offset + length
