"""Dialing one peer: all its addresses, one deadline, and a reason for each that failed."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial

import trio

from peershelf.protocols.errors import DialedTooSoon, DialFailed
from peershelf.protocols.libp2p.addresses import Multiaddr, Target, is_tcp, is_websocket
from peershelf.protocols.libp2p.backoff import Backoff
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
        self._backoff = Backoff()
        self._locks: dict[PeerId, trio.Lock] = {}

    async def dial(
        self, targets: Sequence[Target], is_connected: Callable[[], bool], *, patient: bool
    ) -> None:
        """Connect to the peer of all `targets`, unless `is_connected` says that it is no longer needed.

        Args:
            patient: leave out what has failed lately (see `Backoff`); right for all but a user's wish.

        Raises DialFailed, of which DialedTooSoon is one.
        """
        peer = targets[0].peer
        lock = self._locks.setdefault(peer, trio.Lock())
        async with lock:
            try:
                if not is_connected():
                    await self._try(self._due(targets) if patient else targets)
            finally:
                if not lock.statistics().tasks_waiting:
                    self._locks.pop(peer, None)
        if not is_connected():
            raise DialFailed(f"{peer} closed the connection at once")

    def _due(self, targets: Sequence[Target]) -> list[Target]:
        now = trio.current_time()
        remaining = {target: self._backoff.remaining(target, now) for target in targets}
        due = [target for target, seconds in remaining.items() if not seconds]
        if not due:
            raise DialedTooSoon(targets[0].peer, min(remaining.values()))
        return due

    async def _try(self, targets: Sequence[Target]) -> None:
        dial = Dial(self._outbound, self._limits, targets)
        try:
            reached = await dial.run()
        finally:
            for target in set(dial.failed()):
                self._backoff.failed(target, trio.current_time())
        self._backoff.succeeded(reached)


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
        self._behind: dict[Multiaddr, Target] = {}
        self._tried: dict[Multiaddr, str | None] = {}
        """Addresses and names, each with the reason why it failed, or None as long as it has not."""

    async def run(self) -> Target:
        """Connect, within `dial_timeout` seconds in all; return what led there. Raises DialFailed."""
        with trio.move_on_after(self._limits.dial_timeout):
            addresses = await self._resolve()
            race = Race(HEAD_START, Secured.discard)
            secured = await race.run(partial(self._secure, address) for address in addresses)
            if secured is not None and await self._complete(secured):
                return self._behind[secured.address]
        late = f"timed out after {self._limits.dial_timeout:.3g} s"
        self._tried = {address: reason or late for address, reason in self._tried.items()}
        summary = "; ".join(f"{address}: {reason}" for address, reason in self._tried.items())
        raise DialFailed(f"cannot connect to {self._peer} at {summary}")

    def failed(self) -> list[Target]:
        """Return those of the targets that certainly lead nowhere now, once run() has ended."""
        failed = [address for address, reason in self._tried.items() if reason]
        names = [target for target in self._targets if target.where in failed]
        return names + [self._behind[address] for address in failed if address in self._behind]

    async def _resolve(self) -> list[Multiaddr]:
        """Return where to dial, best first."""
        most = self._limits.addresses_per_dial
        numeric = [target for target in self._targets if is_tcp(target.where) or is_websocket(target.where)]
        names = [target for target in self._targets if target not in numeric]
        found: dict[Target, list[Multiaddr]] = {}
        with trio.move_on_after(self._limits.dial_timeout / 2):
            async with trio.open_nursery() as nursery:
                for target in numeric + names[:most]:
                    nursery.start_soon(self._look_up, target, found)
        self._behind = {address: target for target in self._targets for address in found.get(target, ())}
        return ranked(self._behind)[:most]

    async def _look_up(self, target: Target, found: dict[Target, list[Multiaddr]]) -> None:
        self._tried[target.where] = None
        try:
            found[target] = await resolve(target)
            del self._tried[target.where]
        except DialFailed as error:
            self._tried[target.where] = str(error)

    async def _secure(self, address: Multiaddr) -> Secured | None:
        self._tried[address] = None
        try:
            return await self._outbound.secure(address, self._peer)
        except Exception as error:  # py-libp2p raises many things, depending on what broke where
            self._tried[address] = reason_of(error, self._outbound.offered)
            return None

    async def _complete(self, secured: Secured) -> bool:
        try:
            await self._outbound.complete(secured)
        except Exception as error:
            self._tried[secured.address] = reason_of(error, self._outbound.offered)
            return False
        return True
