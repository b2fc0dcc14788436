"""Dialing one peer: all its addresses, one deadline, and a reason for each that failed."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial

import trio

from peershelf.protocols.errors import DialedTooSoon, DialFailed
from peershelf.protocols.libp2p.addresses import Multiaddr, Target, is_tcp, is_websocket
from peershelf.protocols.libp2p.backoff import Backoff
from peershelf.protocols.libp2p.limits import HostLimits
from peershelf.protocols.libp2p.outbound import Asker, Outbound, Secured
from peershelf.protocols.libp2p.race import Race
from peershelf.protocols.libp2p.ranking import ranked
from peershelf.protocols.libp2p.reasons import PERHAPS_ANOTHER_NETWORK
from peershelf.protocols.libp2p.resolve import resolve
from peershelf.protocols.transport import PeerId

HEAD_START = 0.25
"""Seconds after which the next address is tried beside those before it."""


class Dialer:
    """Dials peers, each of them once at a time: who asks meanwhile waits for the outcome.

    Args:
        check_room: raises DialFailed when there is no place for another connection.
    """

    def __init__(self, outbound: Outbound, limits: HostLimits, check_room: Callable[[], None]) -> None:
        self._outbound = outbound
        self._check_room = check_room
        self._limits = limits
        self._backoff = Backoff()
        self._locks: dict[PeerId, trio.Lock] = {}

    async def dial(self, targets: Sequence[Target], is_connected: Callable[[], bool], asker: Asker) -> None:
        """Connect to the peer of all `targets`, unless `is_connected` says that it is no longer needed.

        What has failed lately is left out, but for a user (see `Backoff`). Raises DialFailed, of which
        DialedTooSoon is one.
        """
        peer = targets[0].peer
        lock = self._locks.setdefault(peer, trio.Lock())
        async with lock:
            try:
                if not is_connected():
                    due = targets if asker is Asker.USER else self._due(targets)
                    reached = await self._try(due, asker, is_connected)
                    self._backoff.succeeded(reached)
            finally:
                if not lock.statistics().tasks_waiting:
                    self._locks.pop(peer, None)

    def _due(self, targets: Sequence[Target]) -> list[Target]:
        now = trio.current_time()
        remaining = {target: self._backoff.remaining(target, now) for target in targets}
        due = [target for target, seconds in remaining.items() if not seconds]
        if not due:
            raise DialedTooSoon(targets[0].peer, min(remaining.values()))
        return due

    async def _try(self, targets: Sequence[Target], asker: Asker, is_connected: Callable[[], bool]) -> Target:
        """Dial; return what led there. Whatever fails gets a pause, so that nobody tries in a tight loop."""
        dial = Dial(self._outbound, self._limits, targets, asker)
        try:
            self._check_room()
            reached = await dial.run()
            if not is_connected():
                raise DialFailed(f"{reached.peer} closed the connection at once")
        except DialFailed:
            self._pause(dial.failed() or targets)
            raise
        self._pause(dial.failed())
        return reached

    def _pause(self, targets: Sequence[Target]) -> None:
        for target in targets:
            self._backoff.failed(target, trio.current_time())


class Dial:
    """One attempt to connect to one peer, at some of its addresses.

    The swarm's own `dial_peer` is not used: it refuses for 60 s a peer that could not be reached once, tries
    at most two addresses, drops 127.x beside others, and takes 0.25 s at least.
    """

    def __init__(
        self, outbound: Outbound, limits: HostLimits, targets: Sequence[Target], asker: Asker
    ) -> None:
        self._outbound = outbound
        self._limits = limits
        self._targets = targets
        self._asker = asker
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
        if self._outbound.is_private:
            late += PERHAPS_ANOTHER_NETWORK
        self._tried = {address: reason or late for address, reason in self._tried.items()}
        summary = "; ".join(f"{address}: {reason}" for address, reason in self._tried.items())
        raise DialFailed(f"cannot connect to {self._peer} at {summary}")

    def failed(self) -> list[Target]:
        """Return those of the targets that failed at every address that was tried, once run() has ended."""
        reasons: dict[Target, list[str | None]] = {target: [] for target in self._targets}
        for address, reason in self._tried.items():
            reasons[self._behind.get(address, Target(self._peer, address))].append(reason)
        return [target for target, given in reasons.items() if given and all(given)]

    async def _resolve(self) -> list[Multiaddr]:
        """Return where to dial, best first."""
        most = self._limits.addresses_per_dial
        numeric = [target for target in self._targets if is_tcp(target.where) or is_websocket(target.where)]
        names = [target for target in self._targets if target not in numeric]
        found: dict[Target, list[Multiaddr]] = {}
        with trio.move_on_after(self._limits.dial_timeout / 2):
            async with trio.open_nursery() as nursery:
                for target in numeric + names[: self._limits.names_per_dial]:
                    nursery.start_soon(self._look_up, target, found)
        self._behind = {address: target for target in self._targets for address in found.get(target, ())}
        return ranked(address for address in self._behind if self._is_allowed(address))[:most]

    def _is_allowed(self, address: Multiaddr) -> bool:
        try:
            self._outbound.check_filters(address)
        except DialFailed as error:
            self._tried[address] = str(error)
            return False
        return True

    async def _look_up(self, target: Target, found: dict[Target, list[Multiaddr]]) -> None:
        self._tried[target.where] = None
        try:
            found[target] = await resolve(target, self._outbound.lookups[self._asker])
            del self._tried[target.where]
        except DialFailed as error:
            self._tried[target.where] = str(error)

    async def _secure(self, address: Multiaddr) -> Secured | None:
        self._tried[address] = None
        try:
            return await self._outbound.secure(address, self._peer, self._asker)
        except Exception as error:  # py-libp2p raises many things, depending on what broke where
            self._tried[address] = self._outbound.reason_of(error)
            return None

    async def _complete(self, secured: Secured) -> bool:
        try:
            await self._outbound.complete(secured)
        except Exception as error:
            self._tried[secured.address] = self._outbound.reason_of(error)
            return False
        return True
