"""When an address that could not be reached may be tried again without anybody asking for it.

Knows no clock and no sockets: times come in, times go out.
"""

from __future__ import annotations

import random
from collections.abc import Callable
from dataclasses import dataclass

from peershelf.protocols.libp2p.addresses import Target


@dataclass(frozen=True, slots=True)
class _Pause:
    failures: int
    until: float


class Backoff:
    """Pauses after failed dials: twice as long each time, up to `longest`, and each cut short by chance.

    The chance takes up to half of a pause, so that many nodes that lost one peer together do not return
    together. An address that was left alone for `longest` seconds after its pause starts over.

    Args:
        first, longest: seconds.
        most: addresses to remember; the one that failed longest ago is forgotten first.
        chance: returns a number from 0 to 1.
    """

    def __init__(
        self,
        first: float = 5.0,
        longest: float = 300.0,
        most: int = 1_024,
        chance: Callable[[], float] = random.random,
    ) -> None:
        self._first = first
        self._longest = longest
        self._most = most
        self._chance = chance
        self._pauses: dict[Target, _Pause] = {}

    def __len__(self) -> int:
        return len(self._pauses)

    def failed(self, target: Target, now: float) -> None:
        """A dial of `target` has failed."""
        before = self._pauses.pop(target, None)
        if before is None or now > before.until + self._longest:
            before = _Pause(0, now)
        whole = min(self._first * 2.0 ** min(before.failures, 32), self._longest)
        pause = whole * (1 - self._chance() / 2)
        if len(self._pauses) >= self._most:
            del self._pauses[next(iter(self._pauses))]
        self._pauses[target] = _Pause(before.failures + 1, now + pause)

    def succeeded(self, target: Target) -> None:
        """`target` was reached: forget its failures."""
        self._pauses.pop(target, None)

    def remaining(self, target: Target, now: float) -> float:
        """Return the seconds for which `target` is not to be dialed; 0 when it may be."""
        pause = self._pauses.get(target)
        return 0.0 if pause is None else max(0.0, pause.until - now)
