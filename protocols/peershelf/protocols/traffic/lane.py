"""One peer's way through the limits of one direction.

A lane has one turn at a time on the line that all share, for one portion, whatever the number of its
streams; turns are booked in the order in which they are asked for. So peers get equal shares, and somebody
with a huge message holds up nobody.
"""

from __future__ import annotations

from collections.abc import Sequence

import trio

from peershelf.protocols.traffic.bucket import Bucket

SMALL = 1_024
"""Bytes up to which something goes before its turn, so that talk does not wait behind blocks."""


class Lane:
    """Holds back what one peer is sent, or what is read from it.

    Args:
        buckets: the limits to keep to, one at least, the peer's own before that of all peers: a place on
            the shared line is booked only by who can use it.
    """

    def __init__(self, buckets: Sequence[Bucket]) -> None:
        self._buckets = tuple(buckets)
        self._portion = min(bucket.portion for bucket in buckets)
        self._turn = trio.Lock()

    async def admit(self, size: int) -> int:
        """Wait for a turn; return how many of `size` bytes may go now. Cancelled, nothing is taken."""
        if size <= SMALL and self._hurry(size):
            return size
        async with self._turn:
            portion = min(size, self._portion)
            booked: list[Bucket] = []
            try:
                for bucket in self._buckets:
                    booked.append(bucket)
                    await _until(bucket.book(portion, trio.current_time()))
            except BaseException:
                for bucket in booked:
                    bucket.give_back(portion)
                raise
            return portion

    def give_back(self, size: int) -> None:
        """Of what was admitted, `size` bytes did not go."""
        for bucket in self._buckets:
            bucket.give_back(size)

    def _hurry(self, size: int) -> bool:
        now = trio.current_time()
        if not all(bucket.may_hurry(now) for bucket in self._buckets):
            return False
        for bucket in self._buckets:
            bucket.hurry(size, now)
        return True


async def _until(start: float) -> None:
    if start > trio.current_time():
        await trio.sleep_until(start)
