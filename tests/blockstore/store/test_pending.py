"""What is appended and not in the index yet, and taking back what of it was never synced."""

from __future__ import annotations

from peershelf.blockstore.store.pack.pending import Pending
from peershelf.blockstore.store.pack.segments import Location

FIRST, SECOND, THIRD = (Location(1, offset, 10) for offset in (100, 200, 300))


def test_what_was_synced_is_kept_and_the_rest_taken_back() -> None:
    pending = Pending()
    pending.add({b"kept": FIRST, b"moved": FIRST, b"deleted": SECOND, b"was deleted": None})
    pending.note_sync()
    synced = dict(pending.places)
    pending.add({b"moved": SECOND, b"deleted": None, b"new": SECOND, b"was deleted": SECOND})
    pending.add({b"moved": THIRD, b"new": None, b"deleted": THIRD})
    seen = pending.places
    assert seen[b"moved"] == THIRD
    pending.drop_unsynced()
    assert pending.places == synced
    assert seen[b"moved"] == THIRD, "a reader keeps what it was looking at"
    pending.drop_unsynced()
    assert pending.places == synced


def test_once_it_is_in_the_index_nothing_is_pending() -> None:
    pending = Pending()
    pending.add({b"key": FIRST})
    seen = pending.places
    pending.clear()
    assert not pending
    assert seen == {b"key": FIRST}
    pending.drop_unsynced()
    assert not pending
