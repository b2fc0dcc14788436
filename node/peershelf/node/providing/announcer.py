"""Has new roots announced: by this node if it is online, else by the next that is."""

from __future__ import annotations

import threading
from collections.abc import Callable
from pathlib import Path

from peershelf.blockstore.cid import Cid
from peershelf.blockstore.errors import BlockstoreError
from peershelf.node.config import Config
from peershelf.node.observe import later
from peershelf.node.providing.queue import ProvideQueue

log = later.Logger(__name__)


class Announcer:
    """The queue at `path`, opened when it is needed. Any thread may call."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._lock = threading.Lock()
        self._queue: ProvideQueue | None = None
        self.on_queued: Callable[[], None] = lambda: None
        """Is told that there is something to do, in the thread that queued it."""

    @property
    def queue(self) -> ProvideQueue:
        """Raises StoreError."""
        with self._lock:
            if self._queue is None:
                self._queue = ProvideQueue(self._path)
            return self._queue

    def announce(self, root: Cid) -> None:
        """Queue a root. What goes wrong is logged: the next sweep has it too."""
        try:
            self.queue.add([root.multihash])
        except BlockstoreError as error:
            log.warning("not_queued_for_announcing", cid=str(root), reason=str(error))
        else:
            self.on_queued()

    def withhold(self, root: Cid) -> None:
        """Do not announce a root that may have been queued."""
        if not self._path.exists():
            return
        try:
            self.queue.remove([root.multihash])
        except BlockstoreError as error:
            log.warning("may_still_be_announced", cid=str(root), reason=str(error))

    def close(self) -> None:
        """Close the queue if it was opened."""
        with self._lock:
            if self._queue is not None:
                self._queue.close()


def announcer_for(repo: Path, config: Config) -> Announcer | None:
    """The announcer of a repo; None where its settings leave nothing to announce, or no way to."""
    # Delegated routers take no announcements.
    unable = config.text("Routing.Type") in ("none", "delegated")
    if unable or config.flag("Private") or not config.flag("Provide.Enabled"):
        return None
    return Announcer(repo / "provide.db")
