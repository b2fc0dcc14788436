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
from itertools import islice

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
    key: Key
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

    def addresses_of(self, peer: PeerId) -> tuple[bytes, ...]:
        """Return where a peer was that is in the table; nothing of others."""
        entry = self._bucket(peer).get(peer)
        return entry.contact.addresses if entry is not None else ()

    def __iter__(self) -> Iterator[Contact]:
        for bucket in self._buckets:
            yield from [entry.contact for entry in bucket.values()]

    def heard(self, contact: Contact, now: float, *, group: str | None = None) -> bool:
        """A peer has answered. Returns whether it is in the table now."""
        if contact.peer == self._own:
            return False
        bucket = self._bucket(contact.peer)
        entry = bucket.get(contact.peer)
        if entry is not None and entry.group != group:
            # It has moved, and may not take its place along to where there is none.
            self._drop(bucket, contact.peer)
            entry = None
        if entry is not None:
            entry.heard = now
            if contact.addresses:
                entry.contact = contact
            return True
        if group is not None and not self._has_room_for(group, bucket):
            return False
        if len(bucket) >= self._size and not self._make_room(bucket, now):
            return False
        bucket[contact.peer] = _Entry(contact, key_of_peer(contact.peer), group, now)
        if group is not None:
            self._groups[group] += 1
        return True

    def failed(self, peer: PeerId) -> None:
        """A peer could not be reached, or did not answer: it is forgotten."""
        bucket = self._bucket(peer)
        if peer in bucket:
            self._drop(bucket, peer)

    def closest(self, key: Key, count: int = K, *, leave_out: PeerId | None = None) -> list[Contact]:
        """Return those nearest to a place, nearest first, but for one."""
        near = (contact for contact in self._by_distance(key) if contact.peer != leave_out)
        return list(islice(near, count))

    def _by_distance(self, key: Key) -> Iterator[Contact]:
        """From the nearest on, without a look at buckets that are farther than what is taken.

        A peer of bucket i differs from us in bit i first. Where we differ from the place in that bit, too, it
        is nearer to it than we are, the more so the higher the bit; where we do not, it is farther.
        """
        ours = self._own_key ^ key
        used = [number for number, bucket in enumerate(self._buckets) if bucket]
        nearer = [number for number in used if ours >> (BITS - 1 - number) & 1]
        farther = [number for number in used if not ours >> (BITS - 1 - number) & 1]
        for number in (*nearer, *reversed(farther)):
            for entry in sorted(self._buckets[number].values(), key=lambda entry: entry.key ^ key):
                yield entry.contact

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
