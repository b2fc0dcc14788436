"""Live keys: the blocks that a collection must leave, and a way to see at once that there are no others.

A look into a set of a million keys takes most of a microsecond, since little of it is in a cache.
Where nothing is garbage, the index holds exactly the live keys; so their number and the sum of their hashes
are kept, and one pass over the index compares both. The hashes are Python's own, keyed anew in each process:
other keys come to the same sum by a chance of 2^-60, and nobody can choose them so. Then garbage would stay
to the next collection.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Fingerprint:
    """What sets of keys are compared by."""

    count: int = 0
    hashes: int = 0
    """The sum of them."""

    def plus(self, keys: Collection[bytes]) -> Fingerprint:
        """That of a set with these keys, too, none of which is in it."""
        return Fingerprint(self.count + len(keys), self.hashes + sum(map(hash, keys)))


class LiveKeys:
    """A set of multihashes that only grows."""

    def __init__(self, keys: Iterable[bytes] = ()) -> None:
        self.keys = set(keys)
        """For looking only."""
        self._fingerprint: Fingerprint | None = None
        self._fingerprint = self.fingerprint

    def add(self, key: bytes) -> None:
        """Enter one key."""
        if key not in self.keys:
            self.update((key,))

    def update(self, keys: Collection[bytes]) -> None:
        """Enter keys, of which some may be there already."""
        before = len(self.keys)
        self.keys.update(keys)
        are_new = len(self.keys) - before == len(keys)
        if self._fingerprint is not None:
            self._fingerprint = self._fingerprint.plus(keys) if are_new else None

    @property
    def fingerprint(self) -> Fingerprint:
        """That of all keys. Known, unless some were entered twice; then it takes a pass over them."""
        if self._fingerprint is None:
            self._fingerprint = Fingerprint().plus(self.keys)
        return self._fingerprint
