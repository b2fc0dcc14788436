"""Collecting garbage: rows of blocks that nobody needs go, then segments that are mostly dead.

Theory of operation. A first pass over the index counts, without a lock, what is garbage in each segment, and
so finds the victims: segments of which enough is dead for what there is to copy. A second pass takes the
garbage's rows out of the index, in short steps. In each step, under the write lock, it asks once more whether
a block is live or held. Then the victims are emptied (`compaction`).

Garbage leaves no tombstones. Where a segment is no victim, its record stays in the log, and the block is back
if the index is ever rebuilt; it is garbage then as it is now. docs/store-format.md has the crash table.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Container, Iterator, Mapping, Sequence
from dataclasses import dataclass

from peershelf.blockstore.store.base import Collection, Swept
from peershelf.blockstore.store.failures import os_failure
from peershelf.blockstore.store.holds import Position
from peershelf.blockstore.store.live import Fingerprint, LiveKeys
from peershelf.blockstore.store.pack.compaction import Compaction
from peershelf.blockstore.store.pack.pack import Pack
from peershelf.blockstore.store.pack.records import HEADER_SIZE
from peershelf.blockstore.store.pack.remains import RemainsFinder
from peershelf.blockstore.store.pack.roomy import with_room
from peershelf.blockstore.store.pack.segments import Location, list_segments

_MOSTLY_DEAD = 5
_HARDLY_DEAD = 64
_CHEAP_SEGMENTS = 4
_SPARED_SHARE = 20
_REMOVED_AT_ONCE = 1024


@dataclass(frozen=True, slots=True)
class _Garbage:
    """A block that nobody needs, at its place."""

    key: bytes
    location: Location


class PackCollection(Collection):
    """One collection of an open store. What is in the log behind `start` is not looked at."""

    def __init__(self, pack: Pack, start: Position, segment_size: int) -> None:
        self._pack = pack
        self._start = start
        self._segment_size = segment_size

    def sweep(self, live: LiveKeys, *, before_step: Callable[[], None] = lambda: None) -> Iterator[Swept]:
        before_step()
        sizes, needed, has_garbage = self._survey(live)
        victims = choose_victims(sizes, needed, self._segment_size)
        if has_garbage:
            yield from self._remove(live, before_step)
        stained = {number for number, size in sizes.items() if size > needed.get(number, 0)}
        for compaction in self._compactions(victims, stained):
            for freed in compaction.run():
                yield Swept((), 0, freed)
                before_step()
        if has_garbage or victims:
            yield from self._shrink_index()
        self._pack.reserve.renew(sum(self._sizes().values()))

    def _survey(self, live: LiveKeys) -> tuple[Mapping[int, int], Mapping[int, int], bool]:
        """Return the segments' sizes, what is needed of them, both in bytes, and if there is garbage."""
        sizes, usual = self._old_sizes(), self._pack.index.usual_sizes()
        if self._is_all_live(live) and not choose_victims(sizes, usual, self._segment_size):
            return sizes, usual, False
        needed: defaultdict[int, int] = defaultdict(int)
        has_garbage = False
        for page in self._pages():
            held = self._pack.holds.in_force()
            for key, segment, offset, length in page:
                if key in live.keys or held.protects(key, (segment, offset - 1)):
                    needed[segment] += HEADER_SIZE + len(key) + length
                else:
                    has_garbage = True
        return sizes, needed, has_garbage

    def _is_all_live(self, live: LiveKeys) -> bool:
        """Whether the index holds the live keys and no others."""
        index = self._pack.index
        if index.totals({})[0] != live.fingerprint.count:
            return False
        found, after = Fingerprint(), b""
        while page := index.keys(after):
            found, after = found.plus(page), page[-1]
        return found == live.fingerprint

    def _pages(self) -> Iterator[list[tuple[bytes, int, int, int]]]:
        """The index in key order, page by page, so that no transaction stays open."""
        after = b""
        while page := self._pack.index.rows(after):
            yield page
            after = page[-1][0]

    def _remove(self, live: LiveKeys, before_step: Callable[[], None]) -> Iterator[Swept]:
        waiting: list[_Garbage] = []
        for page in self._pages():
            held = self._pack.holds.in_force()
            for key, segment, offset, length in page:
                if key not in live.keys and not held.protects(key, (segment, offset - 1)):
                    waiting.append(_Garbage(key, Location(segment, offset, length)))
            while len(waiting) >= _REMOVED_AT_ONCE:
                before_step()
                yield self._remove_rows(waiting[:_REMOVED_AT_ONCE], live)
                del waiting[:_REMOVED_AT_ONCE]
        if waiting:
            before_step()
            yield self._remove_rows(waiting, live)

    def _remove_rows(self, garbage: Sequence[_Garbage], live: LiveKeys) -> Swept:
        with self._pack.writing():
            held = self._pack.holds.in_force()
            located = self._pack.locate_many(one.key for one in garbage)
            removed = [
                one
                for one in garbage
                if one.key not in live.keys
                and not held.protects(one.key, one.location.position)
                and located[one.key] == one.location
            ]
            keys = tuple(one.key for one in removed)
            if keys:
                with_room(self._pack.reserve, lambda: self._pack.index.remove(keys))
        return Swept(keys, sum(one.location.length for one in removed), 0)

    def _compactions(self, victims: Sequence[int], stained: Container[int]) -> Iterator[Compaction]:
        """What to do for each victim. Where it is the active segment, the log first goes on in a new one."""
        segments = {segment.number: segment for segment in self._pack.files.known()}
        finder = RemainsFinder(self._pack, stained, self._start)
        for number in victims:
            compaction = Compaction(self._pack, segments[number], finder)
            if number != self._pack.log.position[0]:
                yield compaction
            elif compaction.is_worth_it():
                self._end_active(number)
                yield compaction

    def _end_active(self, number: int) -> None:
        with self._pack.writing():
            if self._pack.log.position[0] == number:
                with_room(self._pack.reserve, self._pack.log.roll)

    def _shrink_index(self) -> Iterator[Swept]:
        before = self._index_size()
        while self._shrink_once():
            yield Swept((), 0, 0)
        with self._pack.writing():
            with_room(self._pack.reserve, self._pack.index.checkpoint)
        if (freed := before - self._index_size()) > 0:
            yield Swept((), 0, freed)

    def _shrink_once(self) -> bool:
        with self._pack.writing():
            return with_room(self._pack.reserve, self._pack.index.shrink)

    def _index_size(self) -> int:
        try:
            return (self._pack.directory / "index.db").stat().st_size
        except OSError as error:
            raise os_failure(error, "reading the index's size") from None

    def _old_sizes(self) -> dict[int, int]:
        """The segments that were there at the start, without what came to them since."""
        number, end = self._start
        known = {segment.number for segment in self._pack.files.known()}
        sizes = {one: size for one, size in self._sizes().items() if one <= number and one in known}
        if number in sizes:
            sizes[number] = min(sizes[number], end)
            if not end:
                del sizes[number]
        return sizes

    def _sizes(self) -> dict[int, int]:
        folder = self._pack.directory / "segments"
        try:
            return {segment.number: size for segment, size in list_segments(folder)}
        except OSError as error:
            raise os_failure(error, f"listing {folder}") from None


def choose_victims(sizes: Mapping[int, int], live: Mapping[int, int], segment_size: int) -> list[int]:
    """Return the segments to empty, those with the least to copy first.

    `sizes` are those of the files, `live` what of them is needed, both in bytes. A segment that is dead to
    a fifth is always emptied; one that is dead to a sixty-fourth if that makes not much to copy in all; and
    any, the most dead first, while more than a segment and 5 % of what is live is dead in all of them.
    """
    dead = {number: size - live.get(number, 0) for number, size in sizes.items()}
    spared = max(segment_size, sum(live.values()) // _SPARED_SHARE)
    much = max(_CHEAP_SEGMENTS * segment_size, spared)
    victims: list[int] = []
    left, copied = sum(dead.values()), 0
    for number in sorted(dead, key=lambda number: -dead[number] / max(sizes[number], 1)):
        is_mostly_dead = dead[number] * _MOSTLY_DEAD >= sizes[number]
        is_cheap = dead[number] * _HARDLY_DEAD >= sizes[number] and copied + live.get(number, 0) <= much
        # An empty file is what an interrupted collection left.
        has_dead = dead[number] > 0 or sizes[number] == 0
        if has_dead and (is_mostly_dead or is_cheap or left > spared):
            victims.append(number)
            left -= dead[number]
            copied += live.get(number, 0)
    return sorted(victims, key=lambda number: live.get(number, 0))
