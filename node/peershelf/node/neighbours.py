"""Connecting to the peers that are on the local network.

Whoever is there may announce peers that do not exist, at anybody's addresses. So that it comes to little,
there are few dials at a time, and few peers that are tried in a minute.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

import structlog
import trio

from peershelf.protocols.errors import NetworkError
from peershelf.protocols.routing.base import PeerInfo
from peershelf.protocols.routing.mdns import run_mdns
from peershelf.protocols.transport import PeerId

DIALS = 4
"""Peers that are connected to at a time."""

PEERS_PER_MINUTE = 32
"""Each of them is tried once."""

KEPT = 16
"""Neighbours whose connections are not given up for being unused: what is near is asked first."""

_TAG = "neighbour"
_MINUTE = 60.0

log = structlog.get_logger(__name__)


class Host(Protocol):
    """What is needed of a host."""

    @property
    def local_peer(self) -> PeerId: ...

    def addresses(self) -> list[str]: ...

    def peers(self) -> list[PeerId]: ...

    async def reach(self, peer: PeerId, addresses: Sequence[str]) -> None: ...

    def protect(self, peer: PeerId, tag: str) -> None: ...

    def unprotect(self, peer: PeerId, tag: str) -> bool: ...


async def find_neighbours(host: Host, *, announce: bool = True) -> None:
    """Look for peers on the local network, and connect to them, until cancelled.

    Without `announce` none of them is told of this node before it connects.
    """
    neighbours = Neighbours(host)
    async with trio.open_nursery() as nursery:
        nursery.start_soon(neighbours.connect)
        addresses = host.addresses if announce else list
        await run_mdns(host.local_peer, addresses, neighbours.found)


class Neighbours:
    """Decides who is connected to, and does it."""

    def __init__(self, host: Host) -> None:
        self._host = host
        self._tried: dict[PeerId, float] = {}
        """Who was taken on in the last minute, and when, the earliest first."""
        self._kept: set[PeerId] = set()
        self._put, self._take = trio.open_memory_channel[PeerInfo](PEERS_PER_MINUTE)

    def found(self, info: PeerInfo) -> None:
        """Take on a peer to connect to, unless it is connected, was tried just now, or there are too many."""
        now = trio.current_time()
        for peer, since in list(self._tried.items()):
            if since > now - _MINUTE:
                break
            del self._tried[peer]
        if info.peer in self._tried or len(self._tried) >= PEERS_PER_MINUTE:
            return
        if info.peer in self._host.peers():
            return
        try:
            self._put.send_nowait(info)
        except trio.WouldBlock:
            return  # the dials of earlier ones take their time
        self._tried[info.peer] = now

    async def connect(self) -> None:
        """Connect to those that were taken on, until cancelled."""
        async with trio.open_nursery() as nursery:
            for _ in range(DIALS):
                nursery.start_soon(self._connect_in_turn)

    async def _connect_in_turn(self) -> None:
        async for info in self._take:
            try:
                await self._host.reach(info.peer, info.addresses)
            except NetworkError as error:
                log.debug("neighbour not reached", peer=info.peer, reason=str(error))
            else:
                log.debug("neighbour found", peer=info.peer)
                self._keep(info.peer)

    def _keep(self, peer: PeerId) -> None:
        here = set(self._host.peers())
        for gone in self._kept - here:
            self._host.unprotect(gone, _TAG)
        self._kept &= here
        if len(self._kept) < KEPT:
            self._kept.add(peer)
            self._host.protect(peer, _TAG)
