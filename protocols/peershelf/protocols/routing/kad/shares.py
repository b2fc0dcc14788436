"""Who has the most of something that is scarce: whoever does gives way first."""

from __future__ import annotations

from collections import OrderedDict

from peershelf.protocols.transport import PeerId


class Shares:
    """How many each peer has. No call takes longer for there being many peers."""

    def __init__(self) -> None:
        self._counts: dict[PeerId, int] = {}
        self._having: dict[int, OrderedDict[PeerId, None]] = {}
        self._most = 0

    def add(self, peer: PeerId) -> None:
        """A peer has one more."""
        self._change(peer, 1)

    def remove(self, peer: PeerId) -> None:
        """A peer has one less."""
        self._change(peer, -1)

    def of(self, peer: PeerId) -> int:
        """Return how many a peer has."""
        return self._counts.get(peer, 0)

    def largest(self) -> PeerId:
        """Return who has the most; of several, who has had so many for longest."""
        return next(iter(self._having[self._most]))

    def _change(self, peer: PeerId, by: int) -> None:
        old = self._counts.pop(peer, 0)
        new = old + by
        if old:
            del self._having[old][peer]
            if not self._having[old]:
                del self._having[old]
        if new:
            self._counts[peer] = new
            self._having.setdefault(new, OrderedDict())[peer] = None
        # By one at a time, so whoever had the most alone and has one less still has the most.
        if new > self._most or self._most not in self._having:
            self._most = new
