"""What inbound handshakes cost, by address, and how long an address has to wait for its next one.

A handshake takes a millisecond or more of the one thread, and its sender half of that or nothing. Who wants
a few does not wait; who floods us with them has a share of the time, and others are not held up.
"""

from __future__ import annotations

import trio

from peershelf.protocols.libp2p.limits import HostLimits
from peershelf.protocols.libp2p.transport.half_open import address_group

_MANY = 1_024
"""Addresses of which it is known what they owe; the oldest is forgiven for one more."""


class Handshakes:
    """The debts of all addresses. Must be used inside trio, whose clock it goes by."""

    def __init__(self, limits: HostLimits) -> None:
        self._limits = limits
        self._paid_at: dict[str, float] = {}

    def charge(self, host: str, seconds: float) -> None:
        """A handshake with `host`, an IP address, took so much CPU time."""
        group, now = address_group(host), trio.current_time()
        if len(self._paid_at) >= _MANY and group not in self._paid_at:
            self._make_room(now)
        due = max(now, self._paid_at.get(group, now))
        self._paid_at[group] = due + seconds / self._share(now)

    async def rest(self, host: str) -> None:
        """Wait until `host` has paid for enough of its handshakes."""
        ahead = self._limits.handshake_ahead / self._limits.handshake_share
        await trio.sleep_until(self._paid_at.get(address_group(host), 0.0) - ahead)

    def _share(self, now: float) -> float:
        """Return the part of the time that an address has: the more owe some, the less."""
        debtors = sum(paid_at > now for paid_at in self._paid_at.values())
        return min(self._limits.handshake_share, self._limits.handshakes_share / max(1, debtors))

    def _make_room(self, now: float) -> None:
        paid = [group for group, paid_at in self._paid_at.items() if paid_at <= now]
        for group in paid or [next(iter(self._paid_at))]:
            del self._paid_at[group]
