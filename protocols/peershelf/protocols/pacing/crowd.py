"""How the work that all peers' messages make together is bounded, and who goes next when that binds.

A peer has a share of the thread's time, but peers cost nothing: whoever wants more than one share comes as
many. So all of them together have one share too, in the long run. While they want more than that, it goes to
those that have cost least lately: first to the address that has, then to the peer among its neighbours there.
That gives equal parts to those who want more than their part, and who wants less waits for one step of
somebody else's at most. As long as there is enough for all, nobody waits.
"""

from __future__ import annotations

from collections.abc import Callable, Hashable
from dataclasses import dataclass, field
from math import exp2, inf, log

import trio

from peershelf.protocols.multiaddrs import address_group, ip_of, network_of
from peershelf.protocols.pacing.limits import TimeLimits
from peershelf.protocols.transport import PeerId

Neighbourhood = Callable[[PeerId], Hashable]
"""Returns what a peer has in common with others that may be the same person: its address."""

_MANY = 256
"""Counts after which those that have faded are looked for and forgotten."""
_FADED = 1e-6


def neighbourhood_of(peer: PeerId, address: bytes | None) -> Hashable:
    """Return what counts as the address of a peer, given as a multiaddr in bytes; without one, the peer."""
    ip = ip_of(address or b"")
    return peer if ip is None else address_group(str(ip))


def network_or_address(peer: PeerId, address: bytes | None) -> Hashable:
    """Return the network of a public peer, a /16 or a /32; else what neighbourhood_of() does."""
    return network_of(address or b"") or neighbourhood_of(peer, address)


class Lately:
    """What part of the time somebody has taken lately; what is long ago counts less and less."""

    def __init__(self, half_life: float) -> None:
        self._half_life = half_life
        self._seconds: dict[Hashable, tuple[float, float]] = {}

    def add(self, whose: Hashable, seconds: float, now: float) -> None:
        """Count some time."""
        if len(self._seconds) >= _MANY:
            self._seconds = {one: of for one, of in self._seconds.items() if self._left(one, now) > _FADED}
        self._seconds[whose] = (self._left(whose, now) + seconds, now)

    def share(self, whose: Hashable, now: float) -> float:
        """Return the part of the time, 0 to 1."""
        return self._left(whose, now) * log(2) / self._half_life

    def _left(self, whose: Hashable, now: float) -> float:
        seconds, then = self._seconds.get(whose, (0.0, now))
        return seconds * exp2((then - now) / self._half_life)


@dataclass(slots=True)
class _Waiter:
    """Somebody whose turn it is not yet."""

    peer: PeerId
    place: Hashable
    nudge: trio.Event = field(default_factory=trio.Event)
    seconds: float = 0.0
    """What the peer was charged since it waits. It does not wait for that: waiting itself takes some time,
    and one that is charged for it would never have waited long enough."""


class Crowd:
    """Lets the steps of all peers through, in order and at the rate that they may have together."""

    def __init__(self, limits: TimeLimits, neighbourhood: Neighbourhood) -> None:
        self._limits = limits
        self._neighbourhood = neighbourhood
        self._by_peer = Lately(limits.remembered)
        self._by_place = Lately(limits.remembered)
        self._in_all = Lately(limits.remembered)
        self._waiting: list[_Waiter] = []
        self._paid_at = -inf

    def charge(self, peer: PeerId, seconds: float) -> None:
        """A peer's messages have taken so much of the thread's time."""
        now = trio.current_time()
        self._paid_at = max(now, self._paid_at) + seconds / self._limits.share_all
        self._in_all.add(None, seconds, now)
        self.blame(peer, seconds)
        for waiter in self._waiting:
            if waiter.peer == peer:
                waiter.seconds += seconds

    def blame(self, peer: PeerId, seconds: float) -> None:
        """Count this against a peer when it is asked who has cost least."""
        now = trio.current_time()
        self._by_peer.add(peer, seconds, now)
        self._by_place.add(self._neighbourhood(peer), seconds, now)

    async def admit(self, peer: PeerId) -> None:
        """Wait until it is the peer's turn."""
        if self._may_go_at_once(peer, trio.current_time()):
            return
        waiter = _Waiter(peer, self._neighbourhood(peer))
        self._waiting.append(waiter)
        try:
            await self._wait(waiter)
        finally:
            self._waiting.remove(waiter)
            self._wake_next()

    async def _wait(self, waiter: _Waiter) -> None:
        """Only who is next minds the clock; the others are woken when they are."""
        while True:
            is_next = self._next() is waiter
            room_at = self._room_at() - waiter.seconds / self._limits.share_all
            if is_next and room_at <= trio.current_time():
                return
            waiter.nudge = trio.Event()
            if not is_next:
                self._wake_next()
            with trio.move_on_at(room_at if is_next else inf):
                await waiter.nudge.wait()

    def _may_go_at_once(self, peer: PeerId, now: float) -> bool:
        if not self._waiting and self._room_at() <= now:
            return True
        is_light = self._by_peer.share(peer, now) < self._limits.light
        return is_light and self._in_all.share(None, now) < 2 * self._limits.share_all

    def _room_at(self) -> float:
        return self._paid_at - self._limits.ahead_all / self._limits.share_all

    def _next(self) -> _Waiter:
        now = trio.current_time()
        return min(self._waiting, key=lambda one: self._cost_of(one, now))

    def _cost_of(self, waiter: _Waiter, now: float) -> tuple[float, float]:
        return self._by_place.share(waiter.place, now), self._by_peer.share(waiter.peer, now)

    def _wake_next(self) -> None:
        if self._waiting:
            self._next().nudge.set()
