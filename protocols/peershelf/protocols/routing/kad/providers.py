"""Who has told us that they have what: provider records, in memory, bounded whatever strangers send.

Theory of operation. A record ends after 48 hours, and makes room at once. Where there are too many, whoever
has the most of them gives its oldest up, so that a peer that floods us pushes out its own records and not
those of others. Peers cost nothing, so it goes by networks first, and then by peers: also among those who
have one key, of whom few are kept, or a handful of identities would hide everybody else.
The addresses are kept once for each peer, the last that it told, not with each record.
"""

from __future__ import annotations

from collections import Counter, OrderedDict, defaultdict
from collections.abc import Hashable
from dataclasses import dataclass, field
from itertools import chain, zip_longest

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
    network: Hashable
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
        self._networks: Shares[Hashable] = Shares()
        self._peers: defaultdict[Hashable, Shares[PeerId]] = defaultdict(Shares)
        """Those of each network."""

    def __len__(self) -> int:
        return len(self._ends)

    def add(self, key: bytes, contact: Contact, now: float, network: Hashable = None) -> None:
        """Note that a peer has what `key` names; without a network it is in one of its own."""
        self._expire(now)
        if (key, contact.peer) in self._ends:
            self._drop(key, contact.peer)
        holders = self._keys.get(key, {})
        if len(holders) >= self._most_per_key:
            self._drop(key, self._dispensable(holders))
        elif len(self) >= self._most:
            largest = self._peers[self._networks.largest()].largest()
            self._drop(next(iter(self._providers[largest].keys)), largest)
        self._insert(key, contact, now, contact.peer if network is None else network)

    def _dispensable(self, holders: dict[PeerId, None]) -> PeerId:
        """Of those who have one key, who was first of the network that has the most of them."""
        networks = {peer: self._providers[peer].network for peer in holders}
        counts = Counter(networks.values())
        return max(holders, key=lambda peer: counts[networks[peer]])

    def get(self, key: bytes, now: float) -> list[Contact]:
        """Return who has what `key` names: one of each network in turn, of these who told it last first."""
        self._expire(now)
        networks: defaultdict[Hashable, list[Contact]] = defaultdict(list)
        for peer in reversed(self._keys.get(key, {})):
            provider = self._providers[peer]
            networks[provider.network].append(provider.contact)
        return [one for one in chain.from_iterable(zip_longest(*networks.values())) if one is not None]

    def _expire(self, now: float) -> None:
        while self._ends:
            (key, peer), end = next(iter(self._ends.items()))
            if end > now:
                return
            self._drop(key, peer)

    def _insert(self, key: bytes, contact: Contact, now: float, network: Hashable) -> None:
        self._ends[key, contact.peer] = now + VALID
        self._keys.setdefault(key, {})[contact.peer] = None
        provider = self._providers.setdefault(contact.peer, _Provider(contact, network))
        provider.contact = contact
        provider.keys[key] = None
        self._networks.add(provider.network)
        self._peers[provider.network].add(contact.peer)

    def _drop(self, key: bytes, peer: PeerId) -> None:
        del self._ends[key, peer]
        del self._keys[key][peer]
        if not self._keys[key]:
            del self._keys[key]
        provider = self._providers[peer]
        del provider.keys[key]
        if not provider.keys:
            del self._providers[peer]
        self._networks.remove(provider.network)
        self._peers[provider.network].remove(peer)
        if not self._networks.of(provider.network):
            del self._peers[provider.network]
