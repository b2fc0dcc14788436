"""Putting blocks while the next are being read and hashed."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from peershelf.blockstore.block import Block
from peershelf.blockstore.unixfs.batch import Sink

if TYPE_CHECKING:
    from concurrent.futures import Future, ThreadPoolExecutor


class PuttingBehind:
    """Hands batches to a sink in their order, from a thread of its own. For one thread to use at a time.

    One batch is put and one waits. What waits at the end is put by the user's thread, so that a single batch
    starts no other. Close it in the end, which waits for what is being put. Methods block.
    """

    def __init__(self, sink: Sink) -> None:
        self._sink = sink
        self._waiting: Sequence[Block] = ()
        self._thread: ThreadPoolExecutor | None = None
        self._going_on: Future[None] | None = None

    def put(self, blocks: Sequence[Block]) -> None:
        """Put these behind the others. Raises what an earlier batch met."""
        if not blocks:
            return
        if self._waiting:
            self._settle()
            self._going_on = self._started().submit(self._sink, self._waiting)
        self._waiting = blocks

    def finish(self) -> None:
        """Put what waits; then all is put. Raises what the sink does."""
        self._settle()
        if self._waiting:
            self._sink(self._waiting)
            self._waiting = ()

    def close(self) -> None:
        """Give up what waits, and end the thread."""
        self._waiting = ()
        if self._thread is not None:
            self._thread.shutdown()

    def _settle(self) -> None:
        if self._going_on is not None:
            self._going_on.result()

    def _started(self) -> ThreadPoolExecutor:
        if self._thread is None:
            from concurrent.futures import ThreadPoolExecutor  # 5 ms, which a small archive has no use for

            self._thread = ThreadPoolExecutor(1, thread_name_prefix="putter")
        return self._thread
