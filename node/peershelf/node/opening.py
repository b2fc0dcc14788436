"""A repo's blocks in use: the repo's lock is held, and what opening the store had to repair is logged."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from peershelf.blockstore.store.lock import DirectoryLock
from peershelf.blockstore.store.pack import PackStore, RecoveryReport
from peershelf.node.observe import later

log = later.Logger(__name__)


def repo_lock(repo: Path) -> DirectoryLock:
    """Take the repo for this process. Raises StoreLocked, which names the holder."""
    return DirectoryLock(repo / "lock")


@contextmanager
def opened_store(repo: Path) -> Iterator[PackStore]:
    """Have the repo and its store for this process. Blocking. Raises StoreLocked, StoreFull, StoreError."""
    with repo_lock(repo):
        # Whoever wrote an address there is gone, and somebody else may have the port by now.
        (repo / "api").unlink(missing_ok=True)
        with PackStore.open(repo) as store:
            _tell_of_repairs(store.recovery)
            yield store


def _tell_of_repairs(report: RecoveryReport) -> None:
    if report.index_rebuilt or report.dropped or report.truncated:
        log.info("store repaired", rebuilt=report.index_rebuilt, dropped=report.dropped, cut=report.truncated)
    for damage in report.damage:
        log.warning("damage in the store", segment=damage.segment, offset=damage.offset, length=damage.length)
