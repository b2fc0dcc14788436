"""The routing table: some peers at every distance from here, most of them near.

Theory of operation. A bucket holds up to k peers that share so many leading bits with us. Those that have
been there longest stay, since who was up for long will be up longer; a new one comes in where there is room
or in place of one that has not answered lately. Public peers of one network (a /16 or a /32 of IPv6) get few
places in each bucket and in all, so that one operator cannot fill it.
Maymounkov and Mazières, Kademlia (2002); go-libp2p-kbucket's diversity filter.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass

from peershelf.protocols.routing.kad.keys import BITS, Key, key_of_peer, shared_bits
from peershelf.protocols.routing.kad.messages import Contact
from peershelf.protocols.transport import PeerId

K = 20
"""Peers in a bucket, and those that a record is given to."""

_STALE = 3600.0
"""Seconds without a word after which a peer gives its place up to another."""
_PER_GROUP_IN_BUCKET = 3
_PER_GROUP = 12


@dataclass(slots=True)
class _Entry:
    contact: Contact
    group: str | None
    """The network that it is in; None for networks that need no bound."""
    heard: float


class RoutingTable:
    """Peers that answer, by their distance. Times are seconds of any clock that goes forward."""

    def __init__(self, own: PeerId, *, size: int = K) -> None:
        self._own = own
        self._own_key = key_of_peer(own)
        self._size = size
        self._buckets: list[dict[PeerId, _Entry]] = [{} for _ in range(BITS + 1)]
        self._groups: Counter[str] = Counter()

    def __len__(self) -> int:
        return sum(map(len, self._buckets))

    def __contains__(self, peer: PeerId) -> bool:
        return peer in self._bucket(peer)

    def __iter__(self) -> Iterator[Contact]:
        for bucket in self._buckets:
            yield from [entry.contact for entry in bucket.values()]

    def heard(self, contact: Contact, now: float, *, group: str | None = None) -> bool:
        """A peer has answered. Returns whether it is in the table now."""
        if contact.peer == self._own:
            return False
        bucket = self._bucket(contact.peer)
        entry = bucket.get(contact.peer)
        if entry is not None:
            entry.heard = now
            if contact.addresses:
                entry.contact = contact
            return True
        if group is not None and not self._has_room_for(group, bucket):
            return False
        if len(bucket) >= self._size and not self._make_room(bucket, now):
            return False
        bucket[contact.peer] = _Entry(contact, group, now)
        if group is not None:
            self._groups[group] += 1
        return True

    def failed(self, peer: PeerId) -> None:
        """A peer could not be reached, or did not answer: it is forgotten."""
        bucket = self._bucket(peer)
        if peer in bucket:
            self._drop(bucket, peer)

    def closest(self, key: Key, count: int = K) -> list[Contact]:
        """Return those nearest to a place, nearest first."""
        return sorted(self, key=lambda contact: key_of_peer(contact.peer) ^ key)[:count]

    def _bucket(self, peer: PeerId) -> dict[PeerId, _Entry]:
        return self._buckets[shared_bits(self._own_key, key_of_peer(peer))]

    def _has_room_for(self, group: str, bucket: dict[PeerId, _Entry]) -> bool:
        in_bucket = sum(entry.group == group for entry in bucket.values())
        return in_bucket < _PER_GROUP_IN_BUCKET and self._groups[group] < _PER_GROUP

    def _make_room(self, bucket: dict[PeerId, _Entry], now: float) -> bool:
        oldest = min(bucket, key=lambda peer: bucket[peer].heard)
        if now - bucket[oldest].heard < _STALE:
            return False
        self._drop(bucket, oldest)
        return True

    def _drop(self, bucket: dict[PeerId, _Entry], peer: PeerId) -> None:
        group = bucket.pop(peer).group
        if group is not None:
            self._groups[group] -= 1
