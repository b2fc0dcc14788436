"""The index: where each block is. It can be lost at any time and is rebuilt from the segments.

One connection writes; threads that read borrow one each from a pool.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

from peershelf.blockstore.errors import StoreError
from peershelf.blockstore.store.failures import DATABASE_ERRORS, is_damage, os_failure, sqlite_failure
from peershelf.blockstore.store.pack import index_file, schema
from peershelf.blockstore.store.pack.known import KnownKeys
from peershelf.blockstore.store.pack.pace import SHORTEST, Pace
from peershelf.blockstore.store.pack.readers import Readers
from peershelf.blockstore.store.pack.seal import Seal
from peershelf.blockstore.store.pack.segments import Location, Segment

_PAGE_KEYS = 4096
_LOCATED_AT_ONCE = 128
_VACUUMED_PAGES = 256
_MUCH_UNUSED = 4


@dataclass(frozen=True, slots=True)
class IndexedSegment:
    """A segment as the index knows it: records before `indexed` are in the index."""

    segment: Segment
    indexed: int


class Index:
    """Maps multihashes to locations."""

    def __init__(self, path: Path, seal: Seal) -> None:
        self._path = path
        self._seal = seal
        self._damaged = False
        self._pace = Pace(path.parent)
        self._readers = Readers(path)
        self._known = KnownKeys(index_file.filter_of(path), seal.text, self.keys, lambda: self.totals({})[0])
        with self._failures():
            self._writer = index_file.connect(path)
            self._writer.execute("PRAGMA synchronous = NORMAL")
            # A row may have to be taken back with what its triggers did, so SQLite keeps the page as it was:
            # else in 64 KiB that it gets from the system and gives back again, row by row.
            self._writer.execute("PRAGMA temp_store = MEMORY")

    @classmethod
    def open(cls, path: Path) -> tuple[Index, bool]:
        """Open the index, and tell whether it is empty because there was none that can be used.

        Raises StoreFull, StoreError, for instance if the file may not be opened.
        """
        try:
            seal = Seal(path)
        except OSError as error:
            raise os_failure(error, f"opening {path}") from None
        made = index_file.prepare(path, seal)
        return cls(path, seal), made

    def locate(self, key: bytes) -> Location | None:
        """Return where a block is, from any thread."""
        with self._reader() as connection:
            row = connection.execute(schema.LOCATE, (key,)).fetchone()
        return None if row is None else Location(*row)

    def locate_many(self, keys: Iterable[bytes]) -> dict[bytes, Location | None]:
        """As locate(), for less than half of its time a key."""
        located: dict[bytes, Location | None] = dict.fromkeys(keys)
        asked = list(located)
        with self._reader() as connection:
            for start in range(0, len(asked), _LOCATED_AT_ONCE):
                some = _padded(asked[start : start + _LOCATED_AT_ONCE])
                # One statement: each costs a key's look-up again, and other threads may run between any two.
                statement = schema.LOCATE_MANY.format(",".join("?" * len(some)))
                for key, *place in connection.execute(statement, some):
                    located[key] = Location(*place)
        return located

    def candidates(self, keys: Iterable[bytes]) -> list[bytes]:
        """Return the keys that may have rows, for nearly nothing; the others have none. For the writer."""
        return self._known.candidates(keys)

    def keys(self, after: bytes, limit: int = _PAGE_KEYS) -> list[bytes]:
        """Return the next keys behind `after` in order, at most so many, [] at the end."""
        with self._reader() as connection:
            return [key for (key,) in connection.execute(schema.PAGE, (after, limit))]

    def rows(self, after: bytes) -> list[tuple[bytes, int, int, int]]:
        """Return the next rows behind the key `after` in the order of their keys, [] at the end.

        Each is a key, and a location's segment, offset and length.
        """
        with self._reader() as connection:
            return connection.execute(schema.ROWS, (after, _PAGE_KEYS)).fetchall()

    def usual_sizes(self) -> dict[int, int]:
        """Return for each segment the bytes of the records that rows point to, if all keys are SHA2-256."""
        with self._reader() as connection:
            return dict(connection.execute(schema.USUAL_SIZES))

    def count(self, segment: int) -> int:
        """Return how many rows point into a segment."""
        with self._reader() as connection:
            row = connection.execute(schema.COUNT, (segment,)).fetchone()
        return 0 if row is None else int(row[0])

    def totals(self, pending: Mapping[bytes, Location | None]) -> tuple[int, int]:
        """Return how many blocks there are, and their bytes, once `pending` has been committed."""
        with self._reader() as connection:
            connection.execute("BEGIN")
            try:
                blocks, payload = connection.execute(schema.TOTALS).fetchone()
                for key, location in pending.items():
                    row = connection.execute(schema.LOCATE, (key,)).fetchone()
                    blocks += (location is not None) - (row is not None)
                    payload += (location.length if location else 0) - (row[2] if row else 0)
            finally:
                connection.execute("COMMIT")
        return int(blocks), int(payload)

    def segments(self) -> list[IndexedSegment]:
        """Return the segments that are known, in the order of their numbers."""
        with self._reader() as connection:
            rows = connection.execute(schema.SEGMENTS).fetchall()
        return [IndexedSegment(Segment(number, mark), indexed) for number, mark, indexed in sorted(rows)]

    def commit(self, changes: Mapping[bytes, Location | None], segment: Segment, indexed: int) -> None:
        """Apply what the log says up to the offset `indexed` of a segment: new locations, None for deleted.

        One transaction. The bytes must be synced before. Raises StoreFull, StoreError; then nothing changed.
        """
        with self._failures():
            (pages,) = self._writer.execute("PRAGMA page_count").fetchone()
        payload = sum(location.length for location in changes.values() if location is not None)
        # Before they are there: what is known too much does no harm.
        self._known.enter(changes)
        # In key order, rows that lie on one page are written together.
        in_order = sorted(changes)
        with self._transaction(self._pace.pages(pages, payload)) as writer:
            writer.execute(schema.MARK_INDEXED, (segment.number, segment.mark, indexed))
            writer.executemany(
                schema.PUT, ((key, *place) for key in in_order if (place := changes[key]) is not None)
            )
            writer.executemany(schema.REMOVE, ((key,) for key in in_order if changes[key] is None))

    def remove(self, keys: Sequence[bytes]) -> None:
        """Drop rows whose records stay in the log. They come back if the index is ever rebuilt."""
        with self._transaction() as writer:
            writer.executemany(schema.REMOVE, [(key,) for key in sorted(keys)])

    def forget_empty(self, number: int) -> None:
        """Drop a segment that is gone and that no row points into."""
        with self._transaction() as writer:
            writer.execute(schema.FORGET_SEGMENT, (number,))

    def shrink(self) -> bool:
        """Give a piece of the index file's unused pages back, if they are many. Returns whether it did."""
        with self._failures():
            (pages,) = self._writer.execute("PRAGMA page_count").fetchone()
            (unused,) = self._writer.execute("PRAGMA freelist_count").fetchone()
            (can_shrink,) = self._writer.execute("PRAGMA auto_vacuum").fetchone()
        if not can_shrink or unused * _MUCH_UNUSED < pages or unused < _VACUUMED_PAGES:
            return False
        with self._failures():
            self._seal.remove()
            self._writer.execute(f"PRAGMA incremental_vacuum({_VACUUMED_PAGES})").fetchall()
        return True

    def checkpoint(self) -> None:
        """Bring SQLite's log into the index file and give the log's space back, if nobody reads just now."""
        with self._failures():
            self._writer.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchall()

    def forget_segment(self, number: int) -> int:
        """Drop a segment that is gone, and its rows. Returns how many those were."""
        with self._transaction() as writer:
            dropped = writer.execute(schema.FORGET_ROWS, (number, -1)).rowcount
            writer.execute(schema.FORGET_SEGMENT, (number,))
        return dropped

    def forget_past(self, segment: Segment, end: int) -> int:
        """Drop the rows that reach past a segment's end. Returns how many those were."""
        with self._transaction() as writer:
            dropped = writer.execute(schema.FORGET_ROWS, (segment.number, end)).rowcount
            writer.execute(schema.MARK_INDEXED, (segment.number, segment.mark, end))
        return dropped

    def clear(self) -> None:
        """Empty the index."""
        with self._transaction() as writer:
            writer.execute("DELETE FROM blocks")
            writer.execute("DELETE FROM segments")

    def distrust(self) -> None:
        """Have the index rebuilt at the next opening: close() will remove it."""
        self._damaged = True

    def close(self) -> None:
        """Close every connection, those in use when they come back."""
        self._readers.close()
        self._writer.close()
        if not self._damaged:
            self._seal.set()
            self._known.save(self._seal.text)
            return
        # What cannot be removed will be found damaged again.
        with suppress(OSError):
            index_file.remove(self._path, self._seal)

    @contextmanager
    def _reader(self) -> Iterator[sqlite3.Connection]:
        with self._failures():
            connection = self._readers.borrow()
            try:
                yield connection
            finally:
                self._readers.give_back(connection)

    @contextmanager
    def _transaction(self, wal_pages: int = SHORTEST) -> Iterator[sqlite3.Connection]:
        """Change the index; then SQLite's log is brought into its file if it has so many pages."""
        with self._failures():
            self._seal.remove()
            self._writer.execute(f"PRAGMA wal_autocheckpoint = {wal_pages}").fetchall()
            self._writer.execute("BEGIN IMMEDIATE")
            try:
                yield self._writer
                self._writer.execute("COMMIT")
            finally:
                if self._writer.in_transaction:
                    self._writer.execute("ROLLBACK")

    @contextmanager
    def _failures(self) -> Iterator[None]:
        try:
            yield
        except OSError as error:
            raise os_failure(error, f"changing {self._path.name}") from None
        except DATABASE_ERRORS as error:
            if not is_damage(error):
                raise sqlite_failure(error, self._path.name) from None
            self.distrust()
            raise StoreError(
                f"{self._path} is damaged: it will be rebuilt when the store is next opened"
            ) from None


def _padded(keys: list[bytes]) -> list[bytes]:
    """Repeat the last key up to a power of two: statements are kept prepared, and so they are few."""
    return keys + keys[-1:] * ((1 << (len(keys) - 1).bit_length()) - len(keys))
