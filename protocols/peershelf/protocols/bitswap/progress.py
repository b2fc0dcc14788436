"""What comes from a peer, and whether that is a sign that what is on order from it will come.

Bytes count as they are read, before it is known what they are: so it is known early how fast a peer is, and
that one with a large block on its way is not silent. What turns out to be words, or a block for which nobody
waits, is taken back. A peer that goes on with such blocks is silent as far as we are concerned: its bytes
count from then on only once it is known that they were of use.

A block that was on order until a moment ago is neither: its sender could not know that we withdrew it.
"""

from __future__ import annotations

from peershelf.protocols.bitswap.recent import Recent
from peershelf.protocols.bitswap.speed import Speed

TRICKLE = 4_096
"""Bytes per second below which bytes are no sign of a block on its way."""
_TALK = 1_024
"""Bytes that are no sign of a block on its way: what frames messages without any."""
_USELESS = 16_384
"""Bytes of blocks for which nobody waits, since one that was of use, after which no more count at once."""
_CROSSING = 2.0
"""Seconds that a block may be under way after it was withdrawn, besides twice those that it takes itself."""
_RECALLED = 1_024
"""Withdrawn blocks that we remember."""


class Progress:
    """Times in seconds, sizes in bytes."""

    def __init__(self, now: float) -> None:
        self.speed = Speed()
        self.heard_at = now
        """When something last came that may be of use."""
        self.spoke_at = now
        """When anything at all came."""
        self.arriving = 0
        """How much of messages has come that are not complete."""
        self._heard_before = now
        """What `heard_at` was before that."""
        self._useless = 0
        self._recalled: Recent[bytes, float] = Recent(_RECALLED)

    @property
    def is_useless(self) -> bool:
        """Whether what came lately is nothing that anybody waits for."""
        return self._useless > _USELESS

    @property
    def has_begun(self) -> bool:
        """Whether so much is arriving that it must be a block."""
        return self.arriving >= _TALK

    def heard(self, size: int, now: float) -> None:
        """Bytes of a message came."""
        self.spoke_at = now
        if not self.is_useless:
            self._count(size, now)

    def talked(self, size: int) -> None:
        """So many of the bytes that came were a message without blocks."""
        if self.is_useless:
            return
        self.speed.take_back(size)
        self.arriving = max(0, self.arriving - size)
        if not self.has_begun:
            self.arriving, self.heard_at = 0, self._heard_before

    def took_in(self) -> None:
        """A message with blocks is complete; what they are will be known."""
        self.arriving = 0

    def useful(self, size: int, now: float) -> None:
        """A block was one that somebody waits for."""
        if self.is_useless:
            self._count(size, now)
            self.arriving = 0
        self._useless = 0

    def useless(self, multihash: bytes | None, size: int, now: float) -> None:
        """A block was none."""
        if multihash is not None and self._is_crossing(multihash, size, now):
            return
        if not self.is_useless:
            self.speed.take_back(size)
        self._useless += size

    def recalled(self, multihash: bytes, now: float) -> None:
        """A block that was on order is so no longer, and may be under way."""
        self._recalled[multihash] = now

    def _is_crossing(self, multihash: bytes, size: int, now: float) -> bool:
        if multihash not in self._recalled:
            return False
        itself = size / max(self.speed.rate(now), TRICKLE)
        return now - self._recalled.pop(multihash) <= _CROSSING + 2 * itself

    def _count(self, size: int, now: float) -> None:
        if not self.arriving:
            self._heard_before = self.heard_at
        self.heard_at = now
        self.arriving += size
        self.speed.heard(size, now)
