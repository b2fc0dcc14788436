"""Threads that read and hash blocks, while the one that wants them writes what came before."""

from __future__ import annotations

import os
import threading
from collections.abc import Callable, Sequence
from contextlib import suppress
from queue import Empty, SimpleQueue

from peershelf.blockstore.cid import Cid
from peershelf.node.store_reading import Batch, shares

THREADS = min(os.cpu_count() or 1, 4)
"""How many read, apart from the one that writes; four hash as fast as that can write."""

_SHARES = 4
"""Parts for each thread of what is wanted at once, so that all have something to do to the end."""

Read = Callable[[Sequence[Cid]], Batch]


class ReaderThreads:
    """Wants go in, batches come out in the order in which they are read. For one thread to use.

    What is in flight is bounded by what the user wants before it receives. A lone block is read by the user's
    own thread, so that small files start no others. Close it in the end.
    """

    def __init__(self, read: Read) -> None:
        self._read = read
        self._wanted: SimpleQueue[Sequence[Cid] | None] = SimpleQueue()
        self._found: SimpleQueue[Batch | Exception] = SimpleQueue()
        self._threads: list[threading.Thread] = []
        self._closed = False

    def want(self, cids: Sequence[Cid]) -> None:
        """Have blocks read; each comes once, or what there is to say of it."""
        for share in shares(cids, THREADS * _SHARES):
            self._wanted.put(share)
        if len(cids) > 1 and not self._threads:
            self._start()

    def receive(self) -> Batch:
        """Return what has come of one or more of the wants. Raises what reading them raised."""
        if not self._threads and (share := self._wanted.get()):
            self._read_share(share)
        found = self._found.get()
        if isinstance(found, Exception):
            raise found
        return found

    def close(self) -> None:
        """End the threads, once each has read the batch that it is at."""
        self._closed = True
        with suppress(Empty):
            while True:
                self._wanted.get_nowait()
        for _ in self._threads:
            self._wanted.put(None)
        for thread in self._threads:
            thread.join()

    def _start(self) -> None:
        for _ in range(THREADS):
            # Not waited for where a disk hangs and the user has enough of it.
            thread = threading.Thread(target=self._read_all, name="reader", daemon=True)
            self._threads.append(thread)
            thread.start()

    def _read_all(self) -> None:
        while share := self._wanted.get():
            self._read_share(share)

    def _read_share(self, share: Sequence[Cid]) -> None:
        try:
            while share and not self._closed:
                batch = self._read(share)
                self._found.put(batch)
                share = batch.left
        except Exception as error:
            self._found.put(error)
