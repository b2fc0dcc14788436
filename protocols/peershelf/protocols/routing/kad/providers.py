"""Who has told us that they have what: provider records, in memory, bounded whatever strangers send."""

from __future__ import annotations

from collections import OrderedDict

from peershelf.protocols.routing.kad.messages import Contact
from peershelf.protocols.transport import PeerId

VALID = 48 * 3600.0
"""Seconds that a record is good for."""
_MOST_PER_KEY = 64
_MOST = 100_000


class ProviderRecords:
    """Records of keys near us. Times are seconds of a clock that goes forward.

    Of one key the latest records are kept, and of all keys those that were told of last.
    """

    def __init__(self, *, most: int = _MOST, most_per_key: int = _MOST_PER_KEY) -> None:
        self._most = most
        self._most_per_key = most_per_key
        self._keys: OrderedDict[bytes, OrderedDict[PeerId, tuple[Contact, float]]] = OrderedDict()
        self._count = 0

    def __len__(self) -> int:
        return self._count

    def add(self, key: bytes, provider: Contact, now: float) -> None:
        """Note that a peer has what `key` names."""
        records = self._keys.setdefault(key, OrderedDict())
        self._keys.move_to_end(key)
        self._count -= records.pop(provider.peer, None) is not None
        records[provider.peer] = (provider, now + VALID)
        self._count += 1
        if len(records) > self._most_per_key:
            records.popitem(last=False)
            self._count -= 1
        while self._count > self._most:
            self._drop_one()

    def get(self, key: bytes, now: float) -> list[Contact]:
        """Return who has what `key` names, who told it last first."""
        records = self._keys.get(key)
        if records is None:
            return []
        for peer in [peer for peer, (_, end) in records.items() if end <= now]:
            del records[peer]
            self._count -= 1
        if not records:
            del self._keys[key]
        return [contact for contact, _ in reversed(records.values())]

    def _drop_one(self) -> None:
        key, records = next(iter(self._keys.items()))
        records.popitem(last=False)
        self._count -= 1
        if not records:
            del self._keys[key]
