"""Pins: what the user wants kept, whatever garbage collection does; and what he wants nobody told of."""

from __future__ import annotations

import sqlite3
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

from peershelf.blockstore.cid import Cid
from peershelf.blockstore.closing import Closing
from peershelf.blockstore.errors import InvalidCid, PinsLost, StoreError
from peershelf.blockstore.facts import Facts

_PAGE = 1000
_GET = "SELECT cid, recursive, name, added FROM pins WHERE cid = ?"
_LIST = "SELECT cid, recursive, name, added FROM pins WHERE cid > ? ORDER BY cid LIMIT ?"


@dataclass(frozen=True, slots=True)
class Pin:
    """A CID that is kept: with the whole DAG below it if `recursive`, alone otherwise."""

    cid: Cid
    recursive: bool
    name: str | None = None
    """A label for people."""
    added: int | None = field(default=None, compare=False)
    """When it was pinned, in seconds since 1970; None where nobody knows."""


class Pins(Closing):
    """The pins in facts.db. Changes are durable when a method returns; any thread may call.

    Everything raises StoreError if the database fails, StoreFull if there is no space, and StoreClosed after
    close(). `has_blocks` says whether there are blocks already, and so should be a file at `path`.
    """

    def __init__(self, path: Path, has_blocks: Callable[[], bool] = lambda: False) -> None:
        self._facts = Facts(path, has_blocks)

    @property
    def found_lost(self) -> bool:
        """Whether opening noticed that the pins of before are gone."""
        return self._facts.found_lost

    def check_complete(self) -> None:
        """Raise PinsLost if pins of before are gone, and nobody has accepted that."""
        if self._facts.are_lost():
            raise PinsLost(
                "facts.db, which held the pins, was gone from the repo, and with it what is to stay: "
                "bring it back from a backup, or pin again what you need and run "
                "`node repo gc --forget-lost-pins`"
            )

    def accept_loss(self) -> None:
        """From now on only what is pinned here was ever pinned."""
        self._facts.accept_loss()

    def add(
        self, cid: Cid, *, recursive: bool = True, name: str | None = None, announced: bool | None = None
    ) -> None:
        """Pin a CID. A second pin widens the scope, never narrows it, and keeps the name if it has none.

        With `announced`, set whether others may be told of it, as set_announced() does, in the same moment.
        """
        with self._facts.transaction() as connection:
            connection.execute(
                "INSERT INTO pins (cid, recursive, name, added) VALUES (?, ?, ?, ?) "
                "ON CONFLICT DO UPDATE SET recursive = max(recursive, excluded.recursive), "
                "name = coalesce(excluded.name, name)",
                (cid.to_bytes(), recursive, name, int(time.time())),
            )
            if announced is not None:
                _set_announced(connection, cid, announced)

    def set_announced(self, cid: Cid, announced: bool) -> None:
        """Say whether others may be told of a block, and of what only it leads to. Needs no pin."""
        with self._facts.transaction() as connection:
            _set_announced(connection, cid, announced)

    def is_announced(self, cid: Cid) -> bool:
        """Whether others may be told of a block."""
        with self._facts.reading() as connection:
            found = connection.execute("SELECT 1 FROM unannounced WHERE key = ?", (cid.multihash,)).fetchall()
        return not found

    def unannounced(self) -> list[Cid]:
        """All that others must not be told of."""
        with self._facts.reading() as connection:
            rows = connection.execute("SELECT codec, key FROM unannounced").fetchall()
        return [Cid.v1(codec, key) for codec, key in rows]

    def remove(self, *cids: Cid) -> int:
        """Unpin CIDs, all at once. Returns how many of them were pinned."""
        with self._facts.transaction() as connection:
            return sum(
                connection.execute("DELETE FROM pins WHERE cid = ?", (cid.to_bytes(),)).rowcount
                for cid in cids
            )

    def replace(self, old: Cid, new: Cid, *, unpin: bool = True) -> bool:
        """Pin `new` recursively, and with `unpin` give up the recursive pin `old`, both or neither.

        `new` gets the name of `old` if it has none. Returns False, and changes nothing, where `old` is not
        pinned recursively.
        """
        with self._facts.transaction() as connection:
            pinned = connection.execute(
                "INSERT INTO pins (cid, recursive, name, added) "
                "SELECT ?, 1, name, ? FROM pins WHERE cid = ? AND recursive "
                "ON CONFLICT DO UPDATE SET recursive = 1, name = coalesce(name, excluded.name)",
                (new.to_bytes(), int(time.time()), old.to_bytes()),
            ).rowcount
            if pinned and unpin and old != new:
                connection.execute("DELETE FROM pins WHERE cid = ?", (old.to_bytes(),))
        return bool(pinned)

    def get(self, cid: Cid) -> Pin | None:
        """Return the pin of this very CID, if there is one."""
        with self._facts.reading() as connection:
            row = connection.execute(_GET, (cid.to_bytes(),)).fetchone()
        return _pin(row) if row else None

    def list(self) -> Iterator[Pin]:
        """Yield all pins in the order of their binary CIDs. Changes in the meantime may or may not show."""
        after = b""
        while True:
            with self._facts.reading() as connection:
                rows = connection.execute(_LIST, (after, _PAGE)).fetchall()
            if not rows:
                return
            yield from map(_pin, rows)
            after = rows[-1][0]

    def close(self) -> None:
        """Close the database. Closing twice is harmless."""
        self._facts.close()


def _set_announced(connection: sqlite3.Connection, cid: Cid, announced: bool) -> None:
    connection.execute("DELETE FROM unannounced WHERE key = ?", (cid.multihash,))
    if not announced:
        connection.execute("INSERT INTO unannounced (key, codec) VALUES (?, ?)", (cid.multihash, cid.codec))


def _pin(row: tuple[bytes, int, str | None, int | None]) -> Pin:
    cid, recursive, name, added = row
    try:
        return Pin(Cid.from_bytes(cid), bool(recursive), name, added)
    except InvalidCid:
        raise StoreError("facts.db holds a pin that is no CID: restore it from a backup") from None
