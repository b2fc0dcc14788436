"""Temporary roots: DAGs that are being read, which a collection treats as if they were pinned."""

from __future__ import annotations

import threading
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager

from peershelf.blockstore.cid import Cid


class TemporaryRoots:
    """The roots in use now. Entering and leaving one takes no time, so a task may do it anywhere."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._roots: Counter[Cid] = Counter()
        self.generation = 0
        """Grows with every root that is entered: what has not changed was seen."""

    @contextmanager
    def protect(self, *cids: Cid) -> Iterator[None]:
        """Keep what these lead to from being collected, as far as it is here, to the end of the block."""
        with self._lock:
            self._roots.update(cids)
            self.generation += 1
        try:
            yield
        finally:
            with self._lock:
                # Counters drop what is not above zero when they are subtracted in place.
                self._roots -= Counter(cids)

    def current(self) -> list[Cid]:
        """Return the roots that are in use, from any thread."""
        with self._lock:
            return list(self._roots)
