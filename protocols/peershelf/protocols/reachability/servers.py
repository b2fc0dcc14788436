"""Which servers may be asked, how soon again, and who was given how much. No I/O."""

from __future__ import annotations

from dataclasses import dataclass

from peershelf.protocols.reachability.case import Outcome
from peershelf.protocols.reachability.messages import MOST_DATA
from peershelf.protocols.transport import PeerId

BETWEEN = 6.0
"""Seconds between two questions to one server: go-libp2p takes twelve a minute."""
FIRST_PAUSE = 60.0
"""Seconds for which one that was of no use is left alone, doubling up to LONGEST_PAUSE."""
LONGEST_PAUSE = 6 * 3_600.0
DATA_PAUSE = 3_600.0
"""Seconds until a server is given data again."""
_MOST = 256

_USELESS = (Outcome.REJECTED, Outcome.UNPROVEN, Outcome.SILENT, Outcome.NONSENSE, Outcome.LOST)


@dataclass(slots=True)
class _Server:
    next: float = 0.0
    pause: float = FIRST_PAUSE
    paused_until: float = 0.0
    data_until: float = 0.0


class Servers:
    """Who was asked lately; of the longest ago it forgets."""

    def __init__(self) -> None:
        self._known: dict[PeerId, _Server] = {}

    def usable(self, peer: PeerId, now: float) -> bool:
        """Whether a server is worth a question."""
        known = self._known.get(peer)
        return known is None or known.paused_until <= now

    def turn(self, peer: PeerId, now: float) -> float:
        """A server is to be asked; returns when, so that it is not too often."""
        known = self._known.pop(peer, None) or _Server()
        self._known[peer] = known
        while len(self._known) > _MOST:
            del self._known[next(iter(self._known))]
        when = max(now, known.next)
        known.next = when + BETWEEN
        return when

    def answered(self, peer: PeerId, outcome: Outcome, now: float) -> None:
        """A server has answered, or not."""
        known = self._known.setdefault(peer, _Server())
        if outcome in _USELESS:
            known.paused_until = now + known.pause
            known.pause = min(2 * known.pause, LONGEST_PAUSE)
        else:
            known.pause = FIRST_PAUSE

    def gives_data(self, peer: PeerId, size: int, now: float) -> bool:
        """Whether a server gets the data that it wants; if so, it is the last for an hour."""
        known = self._known.setdefault(peer, _Server())
        if not 0 < size <= MOST_DATA or known.data_until > now:
            return False
        known.data_until = now + DATA_PAUSE
        return True
