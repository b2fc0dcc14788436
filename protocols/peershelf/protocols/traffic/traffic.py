"""All that a host sends and receives: counted in all, by protocol and by peer, and held to its rates.

Counted is what streams carry once they have a protocol, about as Kubo counts: not the frames, the encryption
and TCP's headers around it, some 4 %.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Mapping
from weakref import WeakValueDictionary

import trio

from peershelf.protocols.traffic.bucket import Bucket
from peershelf.protocols.traffic.lane import Lane
from peershelf.protocols.traffic.rates import Rates
from peershelf.protocols.traffic.usage import Tally, Usage
from peershelf.protocols.transport import PeerId

_REMEMBERED = 512
"""Peers whose counts are kept after they have left, the latest ones."""


class _Peer:
    """One peer's counts and its ways through the limits. Its open streams keep it alive."""

    __slots__ = ("__weakref__", "down", "tally", "up")

    def __init__(self, up: Lane | None, down: Lane | None) -> None:
        self.tally = Tally()
        self.up = up
        self.down = down


class Flow:
    """What one stream carries."""

    __slots__ = ("_peer", "_tallies", "down", "up")

    def __init__(self, peer: _Peer, tallies: tuple[Tally, ...], *, limited: bool) -> None:
        self._peer = peer
        self._tallies = tallies
        self.up = peer.up if limited else None
        """Where to wait before sending; None where nothing limits that."""
        self.down = peer.down if limited else None
        """Where to wait before reading; None where nothing limits that."""

    def sent(self, size: int) -> None:
        """Count what the stream took."""
        now = trio.current_time()
        for tally in self._tallies:
            tally.sent.add(size, now)

    def received(self, size: int) -> None:
        """Count what was read from the stream."""
        now = trio.current_time()
        for tally in self._tallies:
            tally.received.add(size, now)


class Traffic:
    """The books of one host. Snapshots are taken inside trio."""

    def __init__(self, rates: Rates | None = None) -> None:
        self._rates = rates or Rates()
        self._up = _bucket(self._rates.upload)
        self._down = _bucket(self._rates.download)
        self._total = Tally()
        self._protocols: dict[str, Tally] = {}
        self._peers: WeakValueDictionary[PeerId, _Peer] = WeakValueDictionary()
        self._recent: OrderedDict[PeerId, _Peer] = OrderedDict()

    def flow(self, peer: PeerId, protocol: str, *, local: bool) -> Flow:
        """Return what a new stream reports to. `protocol` is one of ours: strangers cannot add any.

        Args:
            local: whether the peer is reached without the line out (see `is_local`).
        """
        known = self._peer(peer)
        tallies = (self._total, self._protocols.setdefault(protocol, Tally()), known.tally)
        return Flow(known, tallies, limited=self._rates.limit_local or not local)

    def total(self) -> Usage:
        """All streams together."""
        return self._total.usage(trio.current_time())

    def by_protocol(self) -> Mapping[str, Usage]:
        """Each protocol that was used."""
        now = trio.current_time()
        return {protocol: tally.usage(now) for protocol, tally in self._protocols.items()}

    def by_peer(self) -> Mapping[PeerId, Usage]:
        """Each peer that is here or was lately."""
        now = trio.current_time()
        return {peer: known.tally.usage(now) for peer, known in list(self._peers.items())}

    def _peer(self, peer: PeerId) -> _Peer:
        known = self._peers.get(peer)
        if known is None:
            up = _lane(_bucket(self._rates.peer_upload), self._up)
            down = _lane(_bucket(self._rates.peer_download), self._down)
            known = self._peers[peer] = _Peer(up, down)
        self._recent[peer] = known
        self._recent.move_to_end(peer)
        if len(self._recent) > _REMEMBERED:
            self._recent.popitem(last=False)
        return known


def _bucket(rate: int) -> Bucket | None:
    return Bucket(rate) if rate else None


def _lane(*limits: Bucket | None) -> Lane | None:
    buckets = [bucket for bucket in limits if bucket is not None]
    return Lane(buckets) if buckets else None
