"""Content identifiers (CIDs): which codec reads a block, and the multihash that its bytes must have.

Parsing is hot, so the forms that people really use are decoded by `bases`; rare multibases and codec names
go to the multiformats library, which is imported only then because its import alone costs 93 ms.
https://github.com/multiformats/cid
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Self

from peershelf.blockstore import bases, multihash, varint
from peershelf.blockstore.errors import InvalidCid, UnsupportedCodec, quoted

RAW = 0x55
DAG_PB = 0x70
DAG_CBOR = 0x71
LIBP2P_KEY = 0x72
DAG_JSON = 0x0129

MAX_CID_SIZE = 168
"""Longest binary CID accepted, in bytes."""

# Base 2, the longest text form, takes eight characters a byte after its prefix.
_MAX_TEXT = 1 + 8 * MAX_CID_SIZE
_CODECS = {"raw": RAW, "dag-pb": DAG_PB, "dag-cbor": DAG_CBOR, "libp2p-key": LIBP2P_KEY, "dag-json": DAG_JSON}
_CODEC_NAMES = {code: name for name, code in _CODECS.items()}
_BASES: Mapping[str, Callable[[str], bytes]] = {
    "b": bases.decode_base32,
    "k": bases.decode_base36,
    "z": bases.decode_base58,
}
_SHA2_256_HEAD = b"\x12\x20"


@dataclass(frozen=True, slots=True, order=True, repr=False)
class Cid:
    """A CID of version 0 or 1. Two are equal when version, codec and multihash are.

    Make one with parse, from_bytes, v0 or v1: the constructor takes its parts unchecked.
    """

    version: int
    codec: int
    multihash: bytes

    @classmethod
    def v0(cls, mh: bytes) -> Self:
        """Make a CIDv0, which is always dag-pb under a whole SHA2-256 digest. Raises InvalidCid."""
        if len(mh) != 34 or not mh.startswith(_SHA2_256_HEAD):
            raise InvalidCid("a CIDv0 holds a SHA2-256 digest; use CIDv1")
        return cls(0, DAG_PB, mh)

    @classmethod
    def v1(cls, codec: int, mh: bytes) -> Self:
        """Make a CIDv1. Raises InvalidCid if the multihash is malformed or the CID too long."""
        return cls.from_bytes(b"\x01" + varint.encode(codec) + mh)

    @classmethod
    def parse(cls, text: str) -> Self:
        """Read a CID in its text form, in any multibase. Raises InvalidCid."""
        if len(text) == 46 and text.startswith("Qm"):
            return cls.v0(_decode_text(bases.decode_base58, text, text))
        if len(text) > _MAX_TEXT:
            raise InvalidCid("not a CID: the text is too long")
        decode = _BASES.get(text[:1])
        data = _decode_text(decode, text[1:], text) if decode else _decode_rare(text)
        if data[:1] != b"\x01":
            raise InvalidCid(f"not a CID of a known version: {quoted(text)}")
        return cls.from_bytes(data)

    @classmethod
    def from_bytes(cls, data: bytes) -> Self:
        """Read a CID that fills `data` exactly. Raises InvalidCid."""
        # The common shape, a one-byte codec and SHA2-256, is recognised without reading varints.
        if len(data) == 36 and data[0] == 1 and data[1] < 0x80 and data[2:4] == _SHA2_256_HEAD:
            return cls(1, data[1], data[2:])
        if data.startswith(_SHA2_256_HEAD):
            return cls.v0(data)
        if len(data) > MAX_CID_SIZE:
            raise InvalidCid(f"not a CID: longer than {MAX_CID_SIZE} bytes")
        return cls(1, *_split_v1(data))

    def to_bytes(self) -> bytes:
        """Return the binary form."""
        if self.version == 0:
            return self.multihash
        return b"\x01" + varint.encode(self.codec) + self.multihash

    @property
    def hash_code(self) -> int:
        """The multicodec of the hash function."""
        return self.multihash[0] if self.multihash[0] < 0x80 else multihash.split(self.multihash)[0]

    @property
    def digest(self) -> bytes:
        """The bare digest."""
        return multihash.split(self.multihash)[1]

    def __str__(self) -> str:
        if self.version == 0:
            return bases.encode_base58(self.multihash)
        return "b" + bases.encode_base32(self.to_bytes())

    def __repr__(self) -> str:
        return f"Cid.parse({str(self)!r})"


def codec_code(name: str) -> int:
    """Return the multicodec of a content codec's name. Raises UnsupportedCodec."""
    code = _CODECS.get(name)
    if code is not None:
        return code
    from multiformats import multicodec

    try:
        return multicodec.get(name).code
    except (KeyError, ValueError):
        known = ", ".join(_CODECS)
        raise UnsupportedCodec(f"unknown codec {quoted(name)}; common ones are {known}") from None


def codec_name(code: int) -> str:
    """Return the name of a content codec, or its number in hexadecimal if it has none."""
    name = _CODEC_NAMES.get(code)
    if name is not None:
        return name
    from multiformats import multicodec

    try:
        return str(multicodec.get(code=code).name)
    except (KeyError, ValueError):
        return f"0x{code:x}"


def _split_v1(data: bytes) -> tuple[int, bytes]:
    """Return codec and multihash of a binary CIDv1."""
    try:
        version, offset = varint.decode(data)
        codec, offset = varint.decode(data, offset)
    except varint.InvalidVarint as error:
        raise InvalidCid(f"not a CID: {error}") from None
    if version != 1:
        raise InvalidCid("not a CID of a known version")
    mh = data[offset:]
    multihash.split(mh)
    return codec, mh


def _decode_text(decode: Callable[[str], bytes], digits: str, text: str) -> bytes:
    try:
        return decode(digits)
    except ValueError:
        raise InvalidCid(f"not a CID: {quoted(text)}") from None


def _decode_rare(text: str) -> bytes:
    from multiformats import multibase

    try:
        encoding = multibase.from_str(text)
        data = encoding.decode(text)
        canonical = encoding.encode(data) == text
    except (KeyError, ValueError):
        raise InvalidCid(f"not a CID: {quoted(text)}") from None
    # The library reads either case; a prefix stands for one.
    if not canonical:
        raise InvalidCid(f"not a CID in the case that its prefix stands for: {quoted(text)}")
    return data
