"""Dialing one peer: all its addresses, one deadline, and a reason for each that failed."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial

import trio

from peershelf.protocols.errors import DialFailed
from peershelf.protocols.libp2p.addresses import Multiaddr, Target
from peershelf.protocols.libp2p.limits import HostLimits
from peershelf.protocols.libp2p.outbound import Outbound, Secured
from peershelf.protocols.libp2p.race import Race
from peershelf.protocols.libp2p.ranking import ranked
from peershelf.protocols.libp2p.reasons import reason_of
from peershelf.protocols.libp2p.resolve import resolve
from peershelf.protocols.transport import PeerId

HEAD_START = 0.25
"""Seconds after which the next address is tried beside those before it."""


class Dialer:
    """Dials peers, each of them once at a time: who asks meanwhile waits for the outcome."""

    def __init__(self, outbound: Outbound, limits: HostLimits) -> None:
        self._outbound = outbound
        self._limits = limits
        self._locks: dict[PeerId, trio.Lock] = {}

    async def dial(self, targets: Sequence[Target], is_connected: Callable[[], bool]) -> None:
        """Connect to the peer of all `targets`, unless `is_connected` says that it is no longer needed.

        Raises DialFailed.
        """
        peer = targets[0].peer
        lock = self._locks.setdefault(peer, trio.Lock())
        async with lock:
            try:
                if not is_connected():
                    await Dial(self._outbound, self._limits, targets).run()
            finally:
                if not lock.statistics().tasks_waiting:
                    self._locks.pop(peer, None)
        if not is_connected():
            raise DialFailed(f"{peer} closed the connection at once")


class Dial:
    """One attempt to connect to one peer, at some of its addresses.

    The swarm's own `dial_peer` is not used: it refuses for 60 s a peer that could not be reached once, tries
    at most two addresses, drops 127.x beside others, and takes 0.25 s at least.
    """

    def __init__(self, outbound: Outbound, limits: HostLimits, targets: Sequence[Target]) -> None:
        self._outbound = outbound
        self._limits = limits
        self._targets = targets
        self._peer = targets[0].peer
        self._reasons: dict[str, str] = {}

    async def run(self) -> None:
        """Connect, within `dial_timeout` seconds in all. Raises DialFailed."""
        with trio.move_on_after(self._limits.dial_timeout):
            addresses = await self._resolve()
            race = Race(HEAD_START, Secured.discard)
            secured = await race.run(partial(self._secure, address) for address in addresses)
            if secured is not None and await self._complete(secured):
                return
        raise DialFailed(f"cannot connect to {self._peer} at {self._summary()}")

    async def _resolve(self) -> list[Multiaddr]:
        """Return where to dial, best first."""
        found: list[Multiaddr] = []

        async def look_up(target: Target) -> None:
            self._reasons[str(target.where)] = self._too_slow
            try:
                found.extend(await resolve(target))
                del self._reasons[str(target.where)]
            except DialFailed as error:
                self._reasons[str(target.where)] = str(error)

        with trio.move_on_after(self._limits.dial_timeout / 2):
            async with trio.open_nursery() as nursery:
                for target in self._targets[: self._limits.addresses_per_dial]:
                    nursery.start_soon(look_up, target)
        return ranked(found)[: self._limits.addresses_per_dial]

    async def _secure(self, address: Multiaddr) -> Secured | None:
        self._reasons[str(address)] = self._too_slow
        try:
            return await self._outbound.secure(address, self._peer)
        except Exception as error:  # py-libp2p raises many things, depending on what broke where
            self._reasons[str(address)] = reason_of(error, self._outbound.offered)
            return None

    async def _complete(self, secured: Secured) -> bool:
        try:
            await self._outbound.complete(secured)
        except Exception as error:
            self._reasons = {str(secured.address): reason_of(error, self._outbound.offered)}
            return False
        return True

    @property
    def _too_slow(self) -> str:
        return f"timed out after {self._limits.dial_timeout:.3g} s"

    def _summary(self) -> str:
        return "; ".join(f"{address}: {reason}" for address, reason in self._reasons.items())
