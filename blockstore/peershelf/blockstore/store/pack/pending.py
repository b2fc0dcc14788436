"""What has been appended to the log but is not in the index yet: readers look here first."""

from __future__ import annotations

from collections.abc import Mapping

from peershelf.blockstore.store.pack.segments import Location

Places = Mapping[bytes, Location | None]
"""Where blocks are, by key; None where the key has been deleted."""

_Undo = list[tuple[bytes, bool, Location | None]]


class Pending:
    """The last word on each key, and how to take back what has not been synced."""

    def __init__(self) -> None:
        self._places: dict[bytes, Location | None] = {}
        self._undo: _Undo = []

    @property
    def places(self) -> Places:
        """What is pending now. Any thread may look: what it got keeps what it has, and may only gain keys."""
        return self._places

    def __len__(self) -> int:
        return len(self._places)

    def add(self, places: Places) -> None:
        """Enter what was just appended."""
        old = self._places
        self._undo += ((key, key in old, old.get(key)) for key in places)
        old.update(places)

    def note_sync(self) -> None:
        """All of it is durable now, and will not be taken back."""
        self._undo = []

    def drop_unsynced(self) -> None:
        """Go back to what was pending at the last sync."""
        places = self._places.copy()
        for key, was_there, location in reversed(self._undo):
            if was_there:
                places[key] = location
            else:
                del places[key]
        # New objects, here and in clear(): a reader may be looking at the old ones.
        self._places, self._undo = places, []

    def clear(self) -> None:
        """It is in the index."""
        self._places, self._undo = {}, []
