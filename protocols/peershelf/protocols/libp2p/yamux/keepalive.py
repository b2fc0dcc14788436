"""Pings: how long a round trip takes, and whether the peer is still there."""

from __future__ import annotations

from peershelf.protocols.libp2p.yamux.limits import YamuxLimits

_SMOOTHING = 0.5
_PING_IDS = 1 << 32


class Keepalive:
    """Says when to ping, and when a peer counts as gone. Times in seconds."""

    def __init__(self, limits: YamuxLimits, now: float) -> None:
        self._limits = limits
        self._next_ping = now
        self._heard = now
        self._sent: float | None = None
        self._ping_id = 0
        self.round_trip: float | None = None
        """Smoothed; None before the first answer."""

    @property
    def deadline(self) -> float:
        """When to ask again: for `gone` while a ping is on its way, for `ping` otherwise."""
        if self._sent is None:
            return self._next_ping
        return max(self._sent, self._heard) + self._limits.ping_timeout

    def heard(self, now: float) -> None:
        """Something has come from the peer: it lives, though its answer may be stuck behind its data."""
        self._heard = now

    def gone(self, now: float) -> bool:
        """Tell whether the peer neither answered a ping in time nor sent anything else."""
        return self._sent is not None and now >= self.deadline

    def ping(self, now: float) -> int | None:
        """Return the ID of a ping to send now, None if none is due."""
        if self._sent is not None or now < self._next_ping:
            return None
        self._ping_id = (self._ping_id + 1) % _PING_IDS
        self._sent = now
        self._next_ping = now + self._limits.ping_interval
        return self._ping_id

    def answered(self, ping_id: int, now: float) -> None:
        """A pong has come. One that was not asked for means nothing."""
        if self._sent is None or ping_id != self._ping_id:
            return
        measured = now - self._sent
        self._sent = None
        known = self.round_trip
        self.round_trip = measured if known is None else known + _SMOOTHING * (measured - known)
