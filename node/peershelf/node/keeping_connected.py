"""Connections that this node wants on its own: made however long it takes, and made again when they end."""

from __future__ import annotations

import random
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Protocol

import structlog
import trio

from peershelf.node.pauses import Pauses
from peershelf.protocols.errors import DialedTooSoon, NetworkError, TransportError
from peershelf.protocols.transport import PeerId, PeerListener

BOOTSTRAP, PEERING = "bootstrap", "peering"

STEADY = 60.0
"""Seconds that a connection has to last for the pauses to start over: some peers close each one at once."""

log = structlog.get_logger(__name__)


class Host(Protocol):
    """What is asked of the libp2p host."""

    async def reach(self, peer: PeerId, addresses: Sequence[str]) -> None: ...

    def protect(self, peer: PeerId, tag: str) -> None: ...

    def unprotect(self, peer: PeerId, tag: str) -> bool: ...

    def listen_to_peers(self, listener: PeerListener) -> None: ...


@dataclass(frozen=True, slots=True)
class _Wanted:
    peer: PeerId
    addresses: Sequence[str]
    why: str
    missed: Callable[[], bool]
    """Whether a connection to the peer is needed, once there has been one."""
    scope: trio.CancelScope = field(default_factory=trio.CancelScope)


class KeptConnections:
    """Connects to bootstrap peers and to those of the user's peering, each in a task of `nursery`.

    Peers of both kinds are never trimmed. What cannot be reached costs one line in the log, and attempts
    with growing pauses between them.
    """

    def __init__(
        self, nursery: trio.Nursery, host: Host, *, chance: Callable[[], float] = random.random
    ) -> None:
        self._nursery = nursery
        self._host = host
        self._chance = chance
        self._here: set[PeerId] = set()
        self._departure = trio.Event()
        self._peering: dict[PeerId, _Wanted] = {}
        self._bootstrap: dict[PeerId, Sequence[str]] = {}
        self.unreached: dict[PeerId, str] = {}
        """Whom the last attempt has not reached, and why."""
        host.listen_to_peers(self)

    def meet(self, peer: PeerId, addresses: Sequence[str]) -> None:
        """Connect to a bootstrap peer, and again whenever this node is left without any peer."""
        self._bootstrap[peer] = addresses
        self._start(_Wanted(peer, addresses, BOOTSTRAP, lambda: not self._here))

    def keep(self, peer: PeerId, addresses: Sequence[str]) -> None:
        """Stay connected to `peer`; where it is kept already, these addresses replace the old ones."""
        self._cancel(peer)
        self._peering[peer] = wanted = _Wanted(peer, addresses, PEERING, lambda: peer not in self._here)
        self._start(wanted)

    def release(self, peer: PeerId) -> None:
        """Keep `peer` no longer; a connection that there is now may stay. Unknown peers are no mistake."""
        self._cancel(peer)
        self.unreached.pop(peer, None)
        self._host.unprotect(peer, PEERING)

    def kept(self) -> dict[PeerId, list[str]]:
        """The peers of the peering with the addresses that were given for them."""
        return {peer: list(wanted.addresses) for peer, wanted in self._peering.items()}

    def addresses_of(self, peer: PeerId) -> Sequence[str]:
        """The addresses that were given for a peer; () for somebody else."""
        return (*self.kept().get(peer, ()), *self._bootstrap.get(peer, ()))

    def peer_connected(self, peer: PeerId) -> None:
        """The host has a connection to `peer`, whoever made it."""
        self._here.add(peer)
        self.unreached.pop(peer, None)

    def peer_disconnected(self, peer: PeerId) -> None:
        """The last connection to `peer` has ended."""
        self._here.discard(peer)
        self._departure.set()
        self._departure = trio.Event()

    def _start(self, wanted: _Wanted) -> None:
        self._host.protect(wanted.peer, wanted.why)
        self._nursery.start_soon(self._attend, wanted)

    def _cancel(self, peer: PeerId) -> None:
        wanted = self._peering.pop(peer, None)
        if wanted is not None:
            wanted.scope.cancel()

    async def _attend(self, wanted: _Wanted) -> None:
        pauses = Pauses(chance=self._chance)
        with wanted.scope:
            while await self._connect(wanted, pauses):
                since = trio.current_time()
                while not wanted.missed():
                    await self._departure.wait()
                if trio.current_time() - since >= STEADY:
                    pauses.start_over()
                await trio.sleep(pauses.next())

    async def _connect(self, wanted: _Wanted, pauses: Pauses) -> bool:
        """Try until the peer is reached; return False for one that never can be."""
        told = False
        while True:
            try:
                await self._host.reach(wanted.peer, wanted.addresses)
            except DialedTooSoon as early:
                await trio.sleep(early.seconds)
            except TransportError as error:
                self.unreached[wanted.peer] = str(error)
                tell = log.debug if told else log.info
                tell("peer not reached, trying on", peer=wanted.peer, why=wanted.why, reason=str(error))
                told = True
                await trio.sleep(pauses.next())
            except NetworkError as error:
                self.unreached[wanted.peer] = str(error)
                log.warning("peer left out", peer=wanted.peer, why=wanted.why, reason=str(error))
                return False
            else:
                if told:
                    log.info("peer reached", peer=wanted.peer, why=wanted.why)
                return True
