"""Hashing in worker threads with results in order, bounded in bytes.

One producer puts groups of chunks in, a pool of threads hashes them, one consumer gets the blocks out in the
order of the chunks. A group counts against the limit from put() until the consumer comes back for the
next one, so memory stays bounded whichever side is slow; and whichever side stops, the other is told.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterator
from threading import Condition
from typing import TYPE_CHECKING, Generic, TypeVar

from peershelf.blockstore.errors import BlockstoreError

if TYPE_CHECKING:
    from concurrent.futures import Future

Result = TypeVar("Result")


class Abandoned(BlockstoreError):
    """The pipeline was closed before its end; what was produced is incomplete."""


class HashPipeline(Generic[Result]):
    """An ordered, bounded hand-over between two threads, with the work done in between by others."""

    def __init__(self, work: Callable[[list[bytes]], Result], *, workers: int, limit: int) -> None:
        """`work` runs in `workers` threads; at most `limit` bytes are between the two sides."""
        from concurrent.futures import ThreadPoolExecutor  # 5 ms, which a small file has no use for

        self._work = work
        self._limit = limit
        self._pool = ThreadPoolExecutor(workers, thread_name_prefix="import-hash")
        self._changed = Condition()
        self._queue: deque[tuple[int, Future[Result]]] = deque()
        self._in_flight = 0
        self._ended = False
        self._failure: BaseException | None = None

    def put(self, group: list[bytes]) -> None:
        """Queue a group, waiting for room. Raises what the consumer failed with, or Abandoned."""
        size = sum(map(len, group))
        with self._changed:
            self._changed.wait_for(lambda: self._failure or self._has_room(size))
            self.check()
            self._in_flight += size
            self._queue.append((size, self._pool.submit(self._work, group)))
            self._changed.notify_all()

    def end(self) -> None:
        """Say that no more groups come; the consumer's iteration ends after the last one."""
        with self._changed:
            self._ended = True
            self._changed.notify_all()

    def check(self) -> None:
        """Raise the failure if there was one."""
        if self._failure:
            raise self._failure

    def fail(self, error: BaseException) -> None:
        """Stop both sides: put() and the iteration raise `error` from now on. The first failure stays."""
        with self._changed:
            self._failure = self._failure or error
            self._changed.notify_all()
        self._pool.shutdown(wait=False, cancel_futures=True)

    def results(self) -> Iterator[Result]:
        """Yield results in order. Raises what the work raised, or what fail() was told."""
        while (item := self._next()) is not None:
            size, future = item
            yield future.result()
            with self._changed:
                self._in_flight -= size
                self._changed.notify_all()

    def close(self) -> None:
        """Abandon what is queued and wait for the worker threads to end."""
        self.fail(Abandoned("the import was abandoned"))
        self._pool.shutdown()

    def _has_room(self, size: int) -> bool:
        return self._in_flight == 0 or self._in_flight + size <= self._limit

    def _next(self) -> tuple[int, Future[Result]] | None:
        with self._changed:
            self._changed.wait_for(lambda: self._failure or self._queue or self._ended)
            self.check()
            return self._queue.popleft() if self._queue else None
