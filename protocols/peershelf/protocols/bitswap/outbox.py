"""What one peer has been told of our wants, and what it has still to be told.

Changes are kept as the difference between what we want now and what the peer was last told, never as a list
of messages: a want that is withdrawn before it left is never sent, and a peer that does not read costs no
more memory than our wants do.
"""

from __future__ import annotations

from collections.abc import KeysView
from itertools import islice

from peershelf.blockstore.cid import Cid
from peershelf.protocols.bitswap.messages import WantEntry
from peershelf.protocols.bitswap.recent import Recent

_REMEMBERED = 4_096
"""Wants that we remember having told: a block that crosses our cancel is not held against its sender."""


class Outbox:
    """Our wants toward one peer, `limit` at most, some of that `reserved` for blocks that are on order.

    What finds no room follows when there is some. A want that the peer has denied keeps its place, so that we
    hear of the block when the peer gets it, but only until the place is needed.
    """

    def __init__(self, limit: int, reserved: int) -> None:
        self._limit = limit
        self._reserved = reserved
        self._wanted: dict[Cid, bool] = {}
        self._told: dict[Cid, bool] = {}
        self._dirty: dict[Cid, None] = {}
        self._denied: dict[Cid, None] = {}
        self._no_room: dict[Cid, None] = {}
        self._displaced: dict[Cid, None] = {}
        """What the peer has denied and had to make room: told again once there is room to spare."""
        self._history: Recent[bytes, None] = Recent(_REMEMBERED)
        self._start_over = False

    @property
    def has_changes(self) -> bool:
        """Whether take() has something to send."""
        return bool(self._dirty)

    def __contains__(self, cid: Cid) -> bool:
        return cid in self._wanted

    @property
    def has_room(self) -> bool:
        """Whether one more block may be asked for."""
        return len(self._wanted) < self._limit or bool(self._denied)

    def want_have(self, cid: Cid) -> None:
        """Ask whether the peer has a block, unless it was asked that or more."""
        if cid in self._wanted:
            return
        if self._make_room(self._limit - self._reserved):
            self._set(cid, have_only=True)
        else:
            self._no_room[cid] = None

    def want_block(self, cid: Cid) -> None:
        """Ask for the block, unless that was done."""
        self._denied.pop(cid, None)
        if self._wanted.get(cid, True) and (cid in self._wanted or self._make_room(self._limit)):
            self._set(cid, have_only=False)

    def denied(self, cid: Cid) -> None:
        """The peer said that it does not have the block."""
        if cid in self._wanted:
            self._denied[cid] = None
            self._fill_up()

    def cancel(self, cid: Cid) -> None:
        """Want a block no longer."""
        self._denied.pop(cid, None)
        self._forget_waiting(cid)
        if self._wanted.pop(cid, None) is not None:
            self._dirty[cid] = None
            self._fill_up()

    def answered(self, cid: Cid) -> None:
        """The peer has answered in full, and so keeps this want no longer itself."""
        self._forget_waiting(cid)
        for wants in (self._wanted, self._told, self._dirty, self._denied):
            wants.pop(cid, None)
        self._fill_up()

    def crossed(self, multihash: bytes) -> None:
        """A block came that is not wanted any more: its sender has forgotten the want that it was told of.

        Else a cancel that has not left and a new want would cancel each other out, and nothing would be sent.
        """
        for cid in [cid for cid in self._dirty if cid not in self._wanted and cid.multihash == multihash]:
            del self._dirty[cid]
            self._told.pop(cid, None)

    def answered_have(self, cid: Cid) -> None:
        """The peer said that it has the block, which is all that a want-have asks."""
        if self._wanted.get(cid) and self._told.get(cid):
            self.answered(cid)

    def repeat(self, cid: Cid) -> None:
        """Tell the peer of this want once more, if it was told."""
        if cid in self._wanted and cid in self._told:
            # Not what is wanted, so that it differs; but something, so that a cancel would still be sent.
            self._told[cid] = not self._wanted[cid]
            self._dirty[cid] = None

    def start_over(self) -> None:
        """The peer may have missed anything: tell it all wants anew, in place of the earlier ones."""
        self._told.clear()
        self._dirty = dict.fromkeys(self._wanted)
        self._start_over = True

    @property
    def told_lately(self) -> KeysView[bytes]:
        """Multihashes of the blocks that the peer was lately asked for, or about."""
        return self._history.keys()

    def take(self, most: int) -> tuple[tuple[WantEntry, ...], bool]:
        """Return up to `most` changes to send, and whether they replace the whole wantlist."""
        cids = list(islice(self._dirty, most))
        for cid in cids:
            del self._dirty[cid]
        entries = (self._difference(cid) for cid in cids)
        full, self._start_over = self._start_over, False
        return tuple(entry for entry in entries if entry is not None), full

    def _difference(self, cid: Cid) -> WantEntry | None:
        wanted, told = self._wanted.get(cid), self._told.get(cid)
        if wanted == told:
            return None
        if wanted is None:
            del self._told[cid]
            return WantEntry(cid, cancel=True)
        self._told[cid] = wanted
        self._history[cid.multihash] = None
        return WantEntry(cid, have_only=wanted, send_dont_have=True)

    def _set(self, cid: Cid, *, have_only: bool) -> None:
        self._forget_waiting(cid)
        self._wanted[cid] = have_only
        self._dirty[cid] = None

    def _make_room(self, limit: int) -> bool:
        if len(self._wanted) >= limit and self._denied:
            cid = next(iter(self._denied))
            for wants in (self._denied, self._wanted):
                del wants[cid]
            self._dirty[cid] = self._displaced[cid] = None
        return len(self._wanted) < limit

    def _fill_up(self) -> None:
        limit = self._limit - self._reserved
        if self._no_room and self._make_room(limit):
            self._set(next(iter(self._no_room)), have_only=True)
        elif self._displaced and len(self._wanted) < limit:
            self._set(next(iter(self._displaced)), have_only=True)

    def _forget_waiting(self, cid: Cid) -> None:
        self._no_room.pop(cid, None)
        self._displaced.pop(cid, None)
