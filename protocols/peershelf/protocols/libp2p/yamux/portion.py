"""How much to hand over to the connection at a time.

A big portion costs less for each byte: fewer tasks wake, fewer calls are made. But whatever is handed over
goes ahead of all that comes later, however urgent, so on a slow line portions are small.
"""

from __future__ import annotations

from peershelf.protocols.libp2p.yamux.frames import MAX_FRAME, MAX_PAYLOAD

LEAST = 4
MOST = 17
"""Frames; the most carry a block of 1 MiB and what goes around it."""
_FAST = 0.005
"""Seconds: a portion that is taken within less may be bigger."""
_SLOW = 0.05


class Portion:
    """The size of the next portion, learnt from how long the ones before took."""

    def __init__(self) -> None:
        self._frames = LEAST

    @property
    def size(self) -> int:
        """Bytes with their headers: some whole Noise messages."""
        return self._frames * MAX_FRAME

    @property
    def payload(self) -> int:
        """Most that one stream may put in front of the others."""
        return self._frames * MAX_PAYLOAD

    def took(self, seconds: float) -> None:
        """Learn from a portion that was handed over."""
        if seconds < _FAST:
            self._frames = min(2 * self._frames, MOST)
        elif seconds > _SLOW:
            self._frames = max(self._frames // 2, LEAST)
