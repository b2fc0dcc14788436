"""How much a peer may send before we have read: one window a stream, one budget a connection.

The window of a stream is its credit (what the peer may still send) and what has come and is not read.
Reading makes room in it, and once half of it is room, that half is returned as credit. Not more: else what
the peer still has comes to less than the next half and brings no credit by itself, so that on a long line it
has half a window in a round trip. If reading that half took less than two round trips, credit was what held
the peer up, and the window doubles. Where reading half of it takes seconds, less is returned: the peer must
not think that nobody reads any more. A stream that is opened later starts with what the connection turned
out to need: peers open streams for single messages.
"""

from __future__ import annotations

from collections.abc import Callable

from peershelf.protocols.libp2p.yamux.frames import INITIAL_WINDOW
from peershelf.protocols.libp2p.yamux.limits import YamuxLimits
from peershelf.protocols.libp2p.yamux.unread import SharedBudget

_FAST = 2.0
"""Round trips: half a window read within less asks for a bigger one."""
_LEAST_ROUND_TRIP = 0.01
"""Seconds. On a quicker line two busy event loops are what credit waits for, and the ping saw them idle."""
_SLOW = 2.0
"""Seconds without a return of credit after which a sixteenth of the window is enough for one."""


class ReceiveBudget:
    """What all streams of one connection hold together, in bytes.

    Args:
        shared: that of all connections, where this one counts once it has joined.
    """

    def __init__(self, limits: YamuxLimits, shared: SharedBudget) -> None:
        self.limits = limits
        self._shared = shared
        self.credit = 0
        """What the peer may still send."""
        self.unread = 0
        """What has come and was not read."""
        self.usual = INITIAL_WINDOW
        """The window that streams of this connection have grown to."""

    def join(self, shed: Callable[[], None]) -> None:
        """Count with all connections from now on; `shed` makes this one drop some of what is unread."""
        self._shared.join(self, shed)

    def leave(self) -> None:
        """The connection has ended. To say so twice does no harm."""
        self._shared.leave(self)

    def arrived(self, size: int) -> bool:
        """Count `size` bytes, for which there is credit, as unread; False if that is too much."""
        self.credit -= size
        self.unread += size
        self._shared.changed(self, size)
        return self.unread <= self.limits.unread and self._shared.make_room(self)

    def read(self, size: int) -> None:
        """Count `size` bytes as read."""
        self.unread -= size
        self._shared.changed(self, -size)

    def allows_growth(self, size: int) -> bool:
        """Tell whether windows may grow by `size` in all."""
        return self.credit + self.unread + size <= self.limits.grown_windows


class ReceiveWindow:
    """The receiving side of one stream, as far as counting goes.

    Args:
        budget: what the streams of the connection share.
        now: seconds on a clock that only goes forward.
    """

    def __init__(self, budget: ReceiveBudget, now: float) -> None:
        self._budget = budget
        self._granted_at = now
        self.size = INITIAL_WINDOW
        self.credit = INITIAL_WINDOW
        self.unread = 0
        budget.credit += INITIAL_WINDOW

    @property
    def allowed(self) -> int:
        """Bytes that are unread when the peer has used up its credit."""
        return self.credit + self.unread

    def arrived(self, size: int) -> bool:
        """Count `size` bytes, for which there is credit, as unread; False if the connection has too many."""
        self.credit -= size
        self.unread += size
        return self._budget.arrived(size)

    def read(self, size: int) -> None:
        """Count `size` bytes as read."""
        self.unread -= size
        self._budget.read(size)

    def greet(self) -> int:
        """Return the credit to give a new stream on top of what it starts with."""
        self._grow(self._budget.usual)
        return self._grant()

    def renew(self, now: float, round_trip: float | None) -> int:
        """Return the credit to give after some reading, 0 for none yet.

        Args:
            round_trip: seconds as measured, None if never.
        """
        room = self.size - self.credit - self.unread
        passed = now - self._granted_at
        is_half = 2 * room >= self.size
        if not is_half and (16 * room < self.size or passed < _SLOW):
            return 0
        kept = room % (self.size // 2) if is_half else 0
        if is_half and round_trip is not None and passed < _FAST * max(round_trip, _LEAST_ROUND_TRIP):
            self._grow(2 * self.size)
        self._granted_at = now
        return self._grant(kept)

    def _grow(self, size: int) -> None:
        size = min(size, self._budget.limits.window)
        room = size - self.credit - self.unread
        if size > self.size and self._budget.allows_growth(room):
            self.size = size
            self._budget.usual = max(self._budget.usual, size)

    def _grant(self, kept: int = 0) -> int:
        """Return as credit all room but `kept` bytes of it."""
        delta = self.size - self.credit - self.unread - kept
        self.credit += delta
        self._budget.credit += delta
        return delta

    def end(self) -> None:
        """Nothing more will be accepted; what is unread stays."""
        self._budget.credit -= self.credit
        self.credit = 0

    def drop(self) -> None:
        """Nothing more will be accepted nor read."""
        self.end()
        self.read(self.unread)
