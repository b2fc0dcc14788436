"""What somebody, or everybody, has used of the line."""

from __future__ import annotations

from dataclasses import dataclass

from peershelf.protocols.traffic.meter import Meter


@dataclass(frozen=True, slots=True)
class Usage:
    """A snapshot. Totals in bytes since the host was made, rates in bytes per second of late."""

    total_in: int = 0
    total_out: int = 0
    rate_in: float = 0.0
    rate_out: float = 0.0


class Tally:
    """Both directions of one thing that is counted."""

    __slots__ = ("__weakref__", "received", "sent")

    def __init__(self) -> None:
        self.received = Meter()
        self.sent = Meter()

    def usage(self, now: float) -> Usage:
        """Take a snapshot."""
        received, sent = self.received, self.sent
        return Usage(received.total, sent.total, received.rate(now), sent.rate(now))
