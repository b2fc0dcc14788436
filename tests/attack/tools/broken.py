"""What no honest program says, by name: negotiations, frames of Yamux, messages of bitswap."""

from __future__ import annotations

from handmade import DATA, GO_AWAY, PING, SYN, UPDATE, yamux

from peershelf.protocols.wire import encode_frame, frame_header

MIB = 1 << 20
_WINDOW = 256 * 1024

NEGOTIATIONS = {
    "invalid UTF-8": b"\x05\xff\xfe\xfd\xfc\n",
    "empty": b"\x00",
    "no newline": b"\x01x",
    "overlong varint": b"\xff" * 20,
    "exabytes announced": b"\xff\xff\xff\xff\xff\xff\xff\xff\x7f",
    "too much": b"\x80\x80\x80\x80\x08" + b"x" * 100_000,
    "endless proposals": b"\x07/nope/\n" * 8_000,
    "endless lists": b"\x03ls\n" * 16_000,
    "nothing but line ends": b"\x01\n" * 32_000,
    "nothing": b"",
}
"""Each costs its stream."""

VIOLATIONS = {
    "oversized": yamux(DATA, SYN, 1, 2**31) + bytes(100_000),
    "negative": yamux(DATA, SYN, 1, 2**32 - 1) + bytes(100_000),
    "more than any window for no stream": yamux(DATA, 0, 9, 2**31),
    "overrun in one frame": yamux(DATA, SYN, 1, payload=bytes(_WINDOW + 1)),
    "credit beyond 32 bits": yamux(UPDATE, SYN, 1) + 2 * yamux(UPDATE, 0, 1, 2**32 - 1),
    "unknown version": yamux(DATA, SYN, 1, version=7),
    "unknown type": yamux(200, 0, 0),
    "unknown flags": yamux(UPDATE, 0xFFF0, 1),
    "our own number": yamux(UPDATE, SYN, 2),
    "one number twice": yamux(UPDATE, SYN, 1) * 2,
    "data on stream 0": yamux(DATA, 0, 0, payload=b"x"),
    "a ping on a stream": yamux(PING, SYN, 1),
    "a go-away on a stream": yamux(GO_AWAY, 0, 1),
}
"""Each ends its connection."""


def _cid_of_300_bytes() -> bytes:
    cid = b"\x01\x55\x12\xa7\x02" + bytes(295)
    entry = b"\x0a\xac\x02" + cid
    wantlist = b"\x0a" + frame_header(len(entry)) + entry
    return encode_frame(b"\x0a" + frame_header(len(wantlist)) + wantlist)


MESSAGES = {
    "4 MiB and 1": frame_header(4 * MIB + 1) + bytes(100_000),
    "an 11-byte varint": b"\xff" * 10 + b"\x01",
    "a length that is not minimal": b"\x80\x00",
    "garbage": encode_frame(b"\xff" * 5_000),
    "a bad prefix": encode_frame(b"\x1a\x06\x0a\x04\x07\x55\x12\x20"),
    "a CID of 300 bytes": _cid_of_300_bytes(),
    "too many fields": encode_frame(b"\x28\x01" * 200_000),
}
"""Each costs its stream."""
