"""Values that others have left with us, in memory, bounded whatever strangers send.

Theory of operation. Only what proves that it belongs to its key is kept, and only in place of what is worse.
A value ends 48 hours after it came, or when it says so. Where there is too much, whoever has the most of it
gives its oldest up. Whose a value is cannot be told from it, since anybody may pass it on: it counts as that
one's who has the least, of all that have told us, so that nobody can take a value along when flooding us.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass

from peershelf.protocols.routing.kad.shares import Shares
from peershelf.protocols.routing.records.namespaces import check
from peershelf.protocols.routing.records.value import Value
from peershelf.protocols.transport import PeerId

VALID = 48 * 3600.0
"""Seconds that a value is kept if nobody leaves it again."""
_UNIT = 1 << 10
"""Bytes that values are counted by, each one begun in full."""
_MOST = 16 << 10
"""Units of all values."""


@dataclass(slots=True)
class Kept:
    """A value that is kept."""

    value: Value
    owner: PeerId
    until: float
    received: float
    """When it came, in seconds since 1970."""


class Values:
    """Values of keys near us. Times are seconds of a clock that goes forward, unless they say otherwise.

    Args:
        unix_time: seconds since 1970, by which values end.
    """

    def __init__(self, unix_time: Callable[[], float], *, most: int = _MOST) -> None:
        self._unix_time = unix_time
        self._most = most
        self._kept: OrderedDict[bytes, Kept] = OrderedDict()
        """By key, who came first first."""
        self._owned: dict[PeerId, OrderedDict[bytes, None]] = {}
        self._shares: Shares[PeerId] = Shares()
        self._units = 0

    def __len__(self) -> int:
        return len(self._kept)

    def check(self, key: bytes, data: bytes) -> Value:
        """Return a value that belongs to its key. Raises InvalidRecord."""
        return check(key, data, self._unix_time())

    def put(self, teller: PeerId, key: bytes, value: Value, now: float) -> Value:
        """Keep a checked value unless a better one is here. Returns the one that is here now."""
        self._expire(now)
        before = self.get(key, now)
        owner = teller
        if before is not None:
            if before.value.rank > value.rank:
                return before.value
            if before.value.data == value.data and self._has_less(before.owner, teller):
                owner = before.owner
        if key in self._kept:
            self._drop(key)
        while self._kept and self._units + _units(value) > self._most:
            self._drop(next(iter(self._owned[self._shares.largest()])))
        self._insert(key, Kept(value, owner, now + VALID, self._unix_time()))
        return value

    def get(self, key: bytes, now: float) -> Kept | None:
        """Return what is kept of a key, and still holds."""
        kept = self._kept.get(key)
        if kept is None or kept.until <= now or kept.value.ends < self._unix_time():
            return None
        return kept

    def _has_less(self, one: PeerId, than: PeerId) -> bool:
        return self._shares.of(one) <= self._shares.of(than)

    def _expire(self, now: float) -> None:
        while self._kept:
            key, oldest = next(iter(self._kept.items()))
            if oldest.until > now:
                return
            self._drop(key)

    def _insert(self, key: bytes, kept: Kept) -> None:
        self._kept[key] = kept
        self._owned.setdefault(kept.owner, OrderedDict())[key] = None
        for _ in range(_units(kept.value)):
            self._shares.add(kept.owner)
            self._units += 1

    def _drop(self, key: bytes) -> None:
        kept = self._kept.pop(key)
        del self._owned[kept.owner][key]
        if not self._owned[kept.owner]:
            del self._owned[kept.owner]
        for _ in range(_units(kept.value)):
            self._shares.remove(kept.owner)
            self._units -= 1


def _units(value: Value) -> int:
    return max(1, -(-len(value.data) // _UNIT))
