"""Which of the values that peers answer with is the best, and who should hear of it. No I/O."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from peershelf.protocols.errors import MalformedMessage
from peershelf.protocols.routing.kad.messages import Contact
from peershelf.protocols.routing.kad.record import decode_record
from peershelf.protocols.routing.records.value import Value
from peershelf.protocols.transport import PeerId

QUORUM = 16
"""Peers with the same value, the best of all, after which a search may end: as many as Kubo asks for."""

Check = Callable[[bytes, bytes], Value]
"""Checks a value of a key. Raises InvalidRecord."""


class Choice:
    """Of the values of a key, keeps the best that is valid."""

    def __init__(self, key: bytes, check: Check) -> None:
        self._key = key
        self._check = check
        self._having: set[PeerId] = set()
        self.best: Value | None = None
        self.invalid = 0
        """How many answers had what is no value of the key."""

    def take(self, peer: PeerId, record: bytes | None) -> bool:
        """A peer has answered, maybe with a record. Returns whether that is better than all before."""
        if record is None:
            return False
        try:
            data = decode_record(record, self._key)
            if self.best is not None and data == self.best.data:
                self._having.add(peer)
                return False
            value = self._check(self._key, data)
        except MalformedMessage:
            self.invalid += 1
            return False
        return self.offer(peer, value)

    def offer(self, peer: PeerId, value: Value) -> bool:
        """A peer, or this node, has a value that was checked. Returns as take() does."""
        if self.best is not None and value.rank <= self.best.rank:
            if value.rank == self.best.rank:
                self._having.add(peer)
            return False
        self.best = value
        self._having = {peer}
        return True

    @property
    def enough(self) -> bool:
        """Whether so many have the best value that a better one is not to be expected."""
        return len(self._having) >= QUORUM

    def lacking(self, nearest: Sequence[Contact]) -> list[Contact]:
        """Return those of peers that have answered without the best value."""
        return [contact for contact in nearest if contact.peer not in self._having]
