"""How many questions are answered: of one address, of all, and of those that cost data. No I/O."""

from __future__ import annotations

from collections import Counter, deque
from collections.abc import Hashable

from peershelf.protocols.transport import PeerId

WINDOW = 60.0
MOST = 60
"""Questions in a minute."""
MOST_OF_AN_ADDRESS = 12
"""The same for those who are at one address: identities cost nothing."""
MOST_WITH_DATA = 12
"""Questions in a minute about addresses that are not the asker's own as we see it."""
MOST_AT_A_TIME = 16


class Allowance:
    """What was answered in the last minute, and what is being answered."""

    def __init__(self) -> None:
        self._taken: deque[tuple[float, Hashable]] = deque()
        self._with_data: deque[float] = deque()
        self._counts: Counter[Hashable] = Counter()
        self._open: set[PeerId] = set()

    def begin(self, peer: PeerId, address: Hashable, now: float) -> bool:
        """Whether a question of a peer at an address is taken; then end() follows."""
        self._forget(now)
        if len(self._taken) >= MOST or self._counts[address] >= MOST_OF_AN_ADDRESS:
            return False
        # One of a peer: a second dial would find it connected already.
        if peer in self._open or len(self._open) >= MOST_AT_A_TIME:
            return False
        self._taken.append((now, address))
        self._counts[address] += 1
        self._open.add(peer)
        return True

    def end(self, peer: PeerId) -> None:
        """A question that was taken is answered."""
        self._open.discard(peer)

    def with_data(self, now: float) -> bool:
        """Whether an address that is not the asker's own is dialed, once it has sent its data."""
        self._forget(now)
        if len(self._with_data) >= MOST_WITH_DATA:
            return False
        self._with_data.append(now)
        return True

    def _forget(self, now: float) -> None:
        while self._taken and self._taken[0][0] <= now - WINDOW:
            self._counts -= Counter([self._taken.popleft()[1]])
        while self._with_data and self._with_data[0] <= now - WINDOW:
            self._with_data.popleft()
