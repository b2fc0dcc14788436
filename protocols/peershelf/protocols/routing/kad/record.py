"""A value on its way between peers, with its key: libp2p's `Record`, in protobuf.

https://github.com/libp2p/go-libp2p-record
"""

from __future__ import annotations

from datetime import UTC, datetime
from itertools import islice

from peershelf.blockstore import protobuf
from peershelf.protocols.errors import MalformedMessage

_KEY, _VALUE, _RECEIVED = 1, 2, 5
_MOST_FIELDS = 16


def encode_record(key: bytes, value: bytes, received: float | None = None) -> bytes:
    """Return the bytes of a record; `received` is when it was, in seconds since 1970."""
    record = protobuf.bytes_field(_KEY, key) + protobuf.bytes_field(_VALUE, value)
    if received is not None:
        time = datetime.fromtimestamp(received, UTC).isoformat().replace("+00:00", "Z")
        record += protobuf.bytes_field(_RECEIVED, time.encode())
    return record


def decode_record(data: bytes, key: bytes) -> bytes:
    """Return the value of a record. Raises MalformedMessage if it is none, or is of another key."""
    found: dict[int, bytes] = {}
    for number, _, value in islice(protobuf.fields(data, MalformedMessage), _MOST_FIELDS):
        if isinstance(value, memoryview):
            found[number] = bytes(value)
    if found.get(_KEY) != key:
        raise MalformedMessage("a record of another key")
    return found.get(_VALUE, b"")
