"""Keeping a DHT's routing table alive: who arrives is greeted, and from time to time we look around."""

from __future__ import annotations

from collections import Counter
from collections.abc import Awaitable, Callable
from math import inf

import structlog
import trio

from peershelf.protocols.errors import NetworkError
from peershelf.protocols.routing.base import Network
from peershelf.protocols.routing.kad.asking import Asker
from peershelf.protocols.routing.kad.keys import peer_bytes
from peershelf.protocols.routing.kad.messages import Contact, Kind
from peershelf.protocols.routing.kad.table import RoutingTable
from peershelf.protocols.transport import PeerId

log = structlog.get_logger(__name__)

FIRST_REFRESH, REFRESH = 30.0, 600.0
"""Seconds between two looks around, which find new peers and notice who left; twice as many each time."""
FEW = 8
"""Peers in the table up to which the arrival of another one is worth a look around."""
_UNTIL_IDENTIFIED = 1.0
_MOST_GREETED = 8
_MOST_OF_A_GROUP = 4
"""Peers of one network that are greeted or wait for it: who does not answer takes twenty seconds."""
_GREETINGS_WAITING = 256


_Arrival = tuple[PeerId, str | None]
"""A peer, and its group."""


class Company:
    """Listens to the network for peers that connect.

    Args:
        look_around: searches for peers that belong into the table.
        content: whether a few peers are enough, so that looking again soon is not worth its dials.
        group: returns whom a peer shares a bounded number of greetings with; None for no bound.
    """

    def __init__(
        self,
        network: Network,
        table: RoutingTable,
        asker: Asker,
        look_around: Callable[[], Awaitable[None]],
        content: Callable[[], bool],
        group: Callable[[PeerId], str | None],
    ) -> None:
        self._network = network
        self._table = table
        self._asker = asker
        self._look_around = look_around
        self._content = content
        self._group = group
        self._groups: Counter[str | None] = Counter()
        self._arrived, self._arrivals = trio.open_memory_channel[_Arrival](_GREETINGS_WAITING)
        self._newcomer = trio.Event()

    async def run(self) -> None:
        """Greet and look around until cancelled."""
        async with trio.open_nursery() as nursery:
            for _ in range(_MOST_GREETED):
                nursery.start_soon(self._greet_arrivals)
            nursery.start_soon(self._keep_looking_around)
            self._network.listen_to_peers(self)

    def look_soon(self) -> None:
        """Look around now, if there is anybody to ask."""
        if len(self._table):
            self._newcomer.set()

    def peer_connected(self, peer: PeerId) -> None:
        """For the network: a peer is there, who may take part."""
        group = self._group(peer)
        if group is not None and self._groups[group] >= _MOST_OF_A_GROUP:
            log.debug("dht_greeting_left_out", peer=peer)
            return
        try:
            self._arrived.send_nowait((peer, group))
            self._groups[group] += 1
        except trio.WouldBlock:
            log.debug("dht_greeting_left_out", peer=peer)

    def peer_disconnected(self, peer: PeerId) -> None:
        """For the network: nothing to do, since who left may be dialed again."""

    async def _greet_arrivals(self) -> None:
        """Find out which of the peers that connect take part: those that answer."""
        async for peer, group in self._arrivals.clone():
            try:
                await self._meet(peer)
            finally:
                self._groups -= Counter([group])

    async def _meet(self, peer: PeerId) -> None:
        # Of who is there because a search asks it, that will tell.
        if peer in self._table or peer in self._asker.being_asked:
            return
        try:
            await self._greet(peer)
        except (NetworkError, trio.TooSlowError):
            return
        if len(self._table) <= FEW:
            self._newcomer.set()

    async def _greet(self, peer: PeerId) -> None:
        own = peer_bytes(self._network.local_peer)
        await self._asker.nearer(Contact(peer), Kind.FIND_NODE, own)
        if peer not in self._table:
            # Where it listens may not have been told yet: that comes on another stream.
            await trio.sleep(_UNTIL_IDENTIFIED)
            await self._asker.nearer(Contact(peer), Kind.FIND_NODE, own)

    async def _keep_looking_around(self) -> None:
        pause = inf
        greeted = trio.current_time()
        while True:
            with trio.move_on_after(pause) as patience:
                await self._newcomer.wait()
            self._newcomer = trio.Event()
            await self._look_around()
            grown = min(2 * pause, REFRESH) if patience.cancelled_caught else FIRST_REFRESH
            pause = REFRESH if self._content() and len(self._table) > FEW else grown
            if trio.current_time() >= greeted + REFRESH:
                greeted = trio.current_time()
                self._greet_anew()

    def _greet_anew(self) -> None:
        """Clients that are connected may have turned servers meanwhile."""
        for peer in self._network.peers():
            if peer not in self._table:
                self.peer_connected(peer)
