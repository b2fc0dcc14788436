"""Which values there are: a key is `/NAMESPACE/NAME`, and its namespace says what a value must prove.

https://github.com/libp2p/specs/blob/master/kad-dht/README.md#entry-validation
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from types import MappingProxyType

from peershelf.protocols import public_keys
from peershelf.protocols.errors import InvalidRecord
from peershelf.protocols.routing.records import ipns
from peershelf.protocols.routing.records.value import Value

MAX_VALUE = 10 << 10
"""Bytes of a value; an IPNS record may have so many."""


def _check_key(name: bytes, data: bytes, now: float) -> Value:
    """Check a value of `/pk/NAME`: the key that the name is of. Raises InvalidRecord."""
    public_keys.verifier(data)
    if public_keys.name_of(data) != name:
        raise InvalidRecord("the public key is not the one that the name is of")
    return Value(data)


_CHECKS: Mapping[bytes, Callable[[bytes, bytes, float], Value]] = MappingProxyType(
    {b"ipns": ipns.check, b"pk": _check_key}
)


def check(key: bytes, data: bytes, now: float) -> Value:
    """Return a value that belongs to `key` and holds at `now`, in seconds since 1970. Raises InvalidRecord.

    Takes a few tenths of a millisecond at most, whatever the value.
    """
    before, _, rest = key.partition(b"/")
    namespace, slash, name = rest.partition(b"/")
    if before or not slash or namespace not in _CHECKS:
        raise InvalidRecord("there are values of keys /ipns/NAME and /pk/NAME alone")
    if len(data) > MAX_VALUE:
        raise InvalidRecord(f"a value of {len(data)} bytes is over the limit of {MAX_VALUE}")
    return _CHECKS[namespace](name, data, now)
