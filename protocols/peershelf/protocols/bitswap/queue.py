"""Which peers wait for blocks, and who of them is next: by address first, then by peer.

Peers cost nothing, and one address may hold many: if each of them had turns like everybody else, who comes as
sixteen would have sixteen times as much of our line. So the address whose peers have had the fewest bytes is
next, and its peers have turns one after another. What an address had while nobody else wanted anything is not
held against it, and one that comes, or took none for a while, may catch up on a few turns.
"""

from __future__ import annotations

from collections.abc import Hashable, Iterator

from peershelf.protocols.transport import PeerId

_BEHIND = 4 * 1024 * 1024
"""Bytes that an address may catch up on."""
_LEAST = 32_768
"""Bytes that a turn counts as at least: reading and sending it costs something by itself."""
_MANY = 256
"""Addresses after which those that count like new ones are looked for and forgotten."""


class TurnQueue:
    """Peers that have blocks ready, each in it once."""

    def __init__(self) -> None:
        self._places: dict[PeerId, Hashable] = {}
        self._waiting: dict[Hashable, dict[PeerId, None]] = {}
        self._had: dict[Hashable, int] = {}
        self._floor = 0
        """What an address of which nothing is known counts as having had."""

    def __len__(self) -> int:
        return len(self._places)

    def __iter__(self) -> Iterator[PeerId]:
        """All who wait, who is next first."""
        for place in sorted(self._waiting, key=self._count):
            yield from list(self._waiting[place])

    def add(self, peer: PeerId, place: Hashable) -> None:
        """Let a peer wait behind the others at its address, unless it waits already."""
        if peer not in self._places:
            self._places[peer] = place
            self._waiting.setdefault(place, {})[peer] = None

    def remove(self, peer: PeerId) -> None:
        """Let a peer wait no longer, if it does."""
        if peer in self._places:
            place = self._places.pop(peer)
            del self._waiting[place][peer]
            if not self._waiting[place]:
                del self._waiting[place]

    def served(self, place: Hashable, size: int) -> None:
        """A peer of an address gets so many bytes."""
        had = self._count(place)
        self._floor = max(self._floor, had - _BEHIND)
        if len(self._had) >= _MANY:
            self._had = {one: had for one, had in self._had.items() if had > self._floor}
        self._had[place] = had + max(size, _LEAST)

    def _count(self, place: Hashable) -> int:
        return max(self._had.get(place, 0), self._floor)
