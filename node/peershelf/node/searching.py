"""Finding providers of what is waited for, and connecting to them: then the exchange asks them."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Protocol

import structlog
import trio

from peershelf.blockstore.cid import Cid
from peershelf.node.finding_peers import ask_where
from peershelf.protocols.errors import NetworkError
from peershelf.protocols.routing.base import PeerInfo, Router
from peershelf.protocols.transport import PeerId

log = structlog.get_logger(__name__)

PATIENCE = 1.0
"""Seconds without a block after which those who are connected are not waited for alone."""
_FIRST_PAUSE, _LONGEST_PAUSE = 5.0, 60.0
"""Seconds between two searches for the same."""
_PAUSE_ALONE = 0.5
_MOST_DIALED = 8
_MOST_FOUND = 64


class Dialer(Protocol):
    """Who connects."""

    def peers(self) -> list[PeerId]:
        """Those that are connected."""

    async def reach(self, peer: PeerId, addresses: Sequence[str]) -> None:
        """Connect to a peer. Raises NetworkError."""


@dataclass(slots=True)
class Searched:
    """What came of one search for providers."""

    unreached: list[str] = field(default_factory=list)
    """Why providers could not be reached."""
    outcomes: Counter[str] = field(default_factory=Counter)
    """What came of asking: how many of each kind."""
    dials: dict[PeerInfo, str] = field(default_factory=dict)
    """What came of each provider."""
    unmet: Mapping[PeerId, str] = field(default_factory=dict)
    """Bootstrap peers that could not be reached, and why: who would know of others."""

    @property
    def asked(self) -> int:
        """Peers and routers."""
        return self.outcomes.total()

    @property
    def providers(self) -> int:
        """Peers that were named."""
        return len({info.peer for info in self.dials})

    def steps(self) -> tuple[str, ...]:
        """All of it, a line for each way of asking and each provider."""
        asked = [f"{outcome} ({count})" for outcome, count in sorted(self.outcomes.items())]
        dialed = [
            f"provider {info.peer} at {', '.join(info.addresses) or 'no address'}: {outcome}"
            for info, outcome in self.dials.items()
        ]
        unmet = [f"bootstrap peer {peer}: not reached: {reason}" for peer, reason in self.unmet.items()]
        return (*(asked or ["nobody could be asked who has it"]), *unmet, *dialed)

    def __str__(self) -> str:
        """For a user who waited in vain."""
        if not self.asked:
            unmet = (
                f", for no bootstrap peer could be reached ({len(self.unmet)} tried)" if self.unmet else ""
            )
            return f"nobody could be asked who has it{unmet}"
        said = f"of {self.asked} that were asked who has it, "
        if not self.providers:
            return said + "none knew anybody"
        failures = f"; not reached: {self.unreached[0]}" if self.unreached else ""
        return (
            said
            + f"some named {self.providers} providers, {len(self.unreached)} of them not reached{failures}"
        )


class Waiting(Protocol):
    """Somebody who waits for blocks."""

    def searched(self, result: Searched) -> None:
        """One search has ended, or is under way."""

    def first(self) -> Cid | None:
        """What is waited for."""

    async def change(self) -> None:
        """Return when something has come, or something else is waited for."""


class ProviderSearch:
    """Searches for providers and dials them, several at once."""

    def __init__(
        self, network: Dialer, router: Router, *, unmet: Callable[[], Mapping[PeerId, str]] = dict
    ) -> None:
        """`unmet` tells which peers this node means to be connected to, and is not, and why."""
        self._network = network
        self._router = router
        self._unmet = unmet

    async def keep_searching(self, waiting: Waiting) -> None:
        """Search for what has been waited for in vain for a while, again and again, until cancelled."""
        pause = _FIRST_PAUSE
        while True:
            if self._network.peers() and await _something_came(waiting, PATIENCE):
                pause = _FIRST_PAUSE
                continue
            cid = waiting.first()
            if cid is None:
                await waiting.change()
                continue
            result = Searched()
            waiting.searched(result)
            if not await self.connect_to_providers(cid, result):
                # Nobody to ask yet: bootstrap peers and neighbours may be there soon.
                await _something_came(waiting, _PAUSE_ALONE)
                continue
            came = await _something_came(waiting, pause)
            pause = _FIRST_PAUSE if came else min(2 * pause, _LONGEST_PAUSE)

    async def connect_to_providers(self, cid: Cid, result: Searched) -> int:
        """Search once, keeping `result` up to date; returns how many were asked when all were dialed."""
        dials = trio.CapacityLimiter(_MOST_DIALED)

        async def dial(info: PeerInfo) -> None:
            async with dials:
                if info.peer in self._network.peers():
                    result.dials[info] = "is connected"
                    return
                addresses = info.addresses or (await ask_where(info.peer, self._router))[1]
                try:
                    await self._network.reach(info.peer, addresses)
                except NetworkError as error:
                    log.debug("provider_not_reached", peer=info.peer, reason=str(error))
                    result.unreached.append(str(error))
                    result.dials[info] = f"not reached: {error}"
                else:
                    result.dials[info] = "connected"
                    log.debug("provider_reached", peer=info.peer, cid=str(cid))

        def observe(outcome: str) -> None:
            result.outcomes[outcome] += 1

        async with trio.open_nursery() as nursery:

            def found(info: PeerInfo) -> None:
                if info not in result.dials and len(result.dials) < _MOST_FOUND:
                    result.dials[info] = "being dialed"
                    nursery.start_soon(dial, info)

            await self._router.find_providers(cid, found, observe)
        result.unmet = {} if result.asked else dict(self._unmet())
        return result.asked


async def _something_came(waiting: Waiting, seconds: float) -> bool:
    with trio.move_on_after(seconds) as patience:
        await waiting.change()
    return not patience.cancelled_caught
