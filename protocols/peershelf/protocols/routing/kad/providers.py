"""Who has told us that they have what: provider records, in memory, bounded whatever strangers send.

Theory of operation. A record ends after 48 hours, and makes room at once. Where there are too many, whoever
has the most of them gives its oldest up, so that a peer that floods us pushes out its own records and not
those of others. The addresses are kept once for each peer, the last that it told, not with each record.
"""

from __future__ import annotations

from collections import OrderedDict
from dataclasses import dataclass, field

from peershelf.protocols.routing.kad.messages import Contact
from peershelf.protocols.routing.kad.shares import Shares
from peershelf.protocols.transport import PeerId

VALID = 48 * 3600.0
"""Seconds that a record is good for."""
_MOST_PER_KEY = 64
_MOST = 100_000


@dataclass(slots=True)
class _Provider:
    contact: Contact
    keys: OrderedDict[bytes, None] = field(default_factory=OrderedDict)
    """What it has, told first first."""


class ProviderRecords:
    """Records of keys near us. Times are seconds of a clock that goes forward."""

    def __init__(self, *, most: int = _MOST, most_per_key: int = _MOST_PER_KEY) -> None:
        self._most = most
        self._most_per_key = most_per_key
        self._ends: OrderedDict[tuple[bytes, PeerId], float] = OrderedDict()
        self._keys: dict[bytes, dict[PeerId, None]] = {}
        self._providers: dict[PeerId, _Provider] = {}
        self._shares = Shares()

    def __len__(self) -> int:
        return len(self._ends)

    def add(self, key: bytes, contact: Contact, now: float) -> None:
        """Note that a peer has what `key` names."""
        self._expire(now)
        if (key, contact.peer) in self._ends:
            self._drop(key, contact.peer)
        holders = self._keys.get(key, {})
        if len(holders) >= self._most_per_key:
            self._drop(key, next(iter(holders)))
        elif len(self) >= self._most:
            largest = self._shares.largest()
            self._drop(next(iter(self._providers[largest].keys)), largest)
        self._insert(key, contact, now)

    def get(self, key: bytes, now: float) -> list[Contact]:
        """Return who has what `key` names, who told it last first."""
        self._expire(now)
        return [self._providers[peer].contact for peer in reversed(self._keys.get(key, {}))]

    def _expire(self, now: float) -> None:
        while self._ends:
            (key, peer), end = next(iter(self._ends.items()))
            if end > now:
                return
            self._drop(key, peer)

    def _insert(self, key: bytes, contact: Contact, now: float) -> None:
        self._ends[key, contact.peer] = now + VALID
        self._keys.setdefault(key, {})[contact.peer] = None
        provider = self._providers.setdefault(contact.peer, _Provider(contact))
        provider.contact = contact
        provider.keys[key] = None
        self._shares.add(contact.peer)

    def _drop(self, key: bytes, peer: PeerId) -> None:
        del self._ends[key, peer]
        del self._keys[key][peer]
        if not self._keys[key]:
            del self._keys[key]
        del self._providers[peer].keys[key]
        if not self._providers[peer].keys:
            del self._providers[peer]
        self._shares.remove(peer)
