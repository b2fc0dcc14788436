"""Which connections go when there are too many, and which never do."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Protocol, TypeVar

import trio

from peershelf.protocols.libp2p.limits import HostLimits
from peershelf.protocols.transport import PeerId

TRIM_INTERVAL = 5.0
"""Seconds after which is looked again: those that had just come may have grown old enough to go."""


class Protection:
    """Peers whose connections are never trimmed, each for one reason or several."""

    def __init__(self) -> None:
        self._tags: dict[PeerId, set[str]] = {}

    def __contains__(self, peer: object) -> bool:
        return peer in self._tags

    def add(self, peer: PeerId, tag: str) -> None:
        """Protect `peer` for the reason `tag`; twice for one reason is once."""
        self._tags.setdefault(peer, set()).add(tag)

    def remove(self, peer: PeerId, tag: str) -> bool:
        """Take the reason `tag` away; return whether another one is left."""
        tags = self._tags.get(peer, set())
        tags.discard(tag)
        if not tags:
            self._tags.pop(peer, None)
        return bool(tags)


class Trimmable(Protocol):
    """What is asked about a connection. Times in seconds, of one clock."""

    @property
    def peer(self) -> PeerId: ...

    @property
    def since(self) -> float:
        """When it came up."""

    @property
    def is_outbound(self) -> bool:
        """Whether we dialed."""

    @property
    def is_idle(self) -> bool:
        """Whether no stream of it is open."""

    @property
    def wanted(self) -> bool:
        """Whether a user asked for it."""

    @property
    def last_used(self) -> float:
        """When data of a stream moved last."""


C = TypeVar("C", bound=Trimmable)


def surplus(connections: Sequence[C], protection: Protection, limits: HostLimits, now: float) -> list[C]:
    """Return the connections to close: none up to `high_water`, else as many as lead to `low_water`.

    Never those of protected peers, nor those younger than `grace`. Those that no user asked for go first,
    of these the idle ones, of these the ones least recently used. A connection that is carrying data goes
    only where there would be more than `high_water` otherwise.
    """
    if len(connections) <= limits.high_water:
        return []
    free = [one for one in connections if one.peer not in protection and now - one.since >= limits.grace]
    free.sort(key=lambda one: (one.wanted, not one.is_idle, one.last_used, one.since))
    at_work = [one for one in free if not one.is_idle and now - one.last_used < limits.grace]
    at_rest = [one for one in free if one not in at_work]
    gone = at_rest[: len(connections) - limits.low_water]
    still_over = len(connections) - len(gone) - limits.high_water
    return gone + at_work[: max(0, still_over)]


def rested(connections: Sequence[C], protection: Protection, limits: HostLimits, now: float) -> list[C]:
    """Return the connections to close because this node made them on its own and has no more use for them.

    They are those without a stream for `rest`, such as a search leaves behind, but for the `resting` that
    were used last. A connection costs both sides memory, and pings.
    """
    resting = [
        one
        for one in connections
        if one.is_outbound and one.is_idle and not one.wanted and one.peer not in protection
    ]
    resting.sort(key=lambda one: max(one.last_used, one.since), reverse=True)
    return [one for one in resting[limits.resting :] if now - max(one.last_used, one.since) >= limits.rest]


class Trimmer:
    """Trims as soon as there are more than `high_water` connections, and looks again every few seconds.

    Args:
        trim: closes what is surplus now, or has rested long enough.
    """

    def __init__(self, trim: Callable[[], None]) -> None:
        self._trim = trim
        self._crossed = trio.Event()

    def high_water_crossed(self) -> None:
        """There are too many connections."""
        self._crossed.set()

    async def run(self) -> None:
        """Run until cancelled."""
        while True:
            with trio.move_on_after(TRIM_INTERVAL):
                await self._crossed.wait()
            self._crossed = trio.Event()
            self._trim()
