"""What one peer wants of us, kept within bounds."""

from __future__ import annotations

from collections.abc import Container, Iterator, Sequence
from dataclasses import dataclass

from peershelf.blockstore.cid import Cid
from peershelf.protocols.bitswap.messages import WantEntry


@dataclass(slots=True)
class Want:
    """One CID that a peer wants, and how far we are with it."""

    cid: Cid
    priority: int
    have_only: bool
    send_dont_have: bool
    size: int | None = None
    """The block's length in bytes, once it is known to be here."""


class Wantlist:
    """A peer's wants by CID, `limit` of them at most. What comes over the limit is not kept."""

    def __init__(self, limit: int) -> None:
        self._limit = limit
        self._wants: dict[Cid, Want] = {}

    def __len__(self) -> int:
        return len(self._wants)

    def __iter__(self) -> Iterator[Cid]:
        return iter(self._wants)

    def get(self, cid: Cid) -> Want | None:
        """Return what is kept for a CID, None if nothing is."""
        return self._wants.get(cid)

    def add(self, entry: WantEntry) -> Want | None:
        """Keep a want, or raise what is kept of it. Returns the want, or None if there is no room.

        A want-have never lowers a want-block: the two may cross on their way.
        """
        want = self._wants.get(entry.cid)
        if want is None:
            return self._keep(entry)
        want.priority = entry.priority
        want.have_only = want.have_only and entry.have_only
        want.send_dont_have = entry.send_dont_have
        return want

    def remove(self, cid: Cid) -> Want | None:
        """Forget a want; None if there was none."""
        return self._wants.pop(cid, None)

    def missing_from(self, named: Container[Cid]) -> Sequence[Cid]:
        """The CIDs kept that are not among these."""
        return [cid for cid in self._wants if cid not in named]

    def restore(self, want: Want) -> bool:
        """Put back a want that was removed to be answered, and could not be. False if there is no room."""
        if len(self._wants) >= self._limit:
            return False
        self._wants[want.cid] = want
        return True

    def _keep(self, entry: WantEntry) -> Want | None:
        if len(self._wants) >= self._limit:
            return None
        want = Want(entry.cid, entry.priority, entry.have_only, entry.send_dont_have)
        self._wants[entry.cid] = want
        return want
