"""Adds many files to a repo, durable at the end. usage: add_many REPO LIST_OF_PATHS; prints their CIDs."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from pathlib import Path

from peershelf.blockstore.block import Block
from peershelf.blockstore.store.pack import PackStore
from peershelf.blockstore.unixfs.importer import Importer
from peershelf.blockstore.unixfs.profiles import PROFILES

_BATCH = 256
_PROFILE = PROFILES["unixfs-v1-2025"]


def main(repo: Path, paths: Sequence[str]) -> None:
    """Import each file into one store."""
    cids = []
    waiting: list[Block] = []
    with PackStore.open(repo) as store:
        for path in paths:
            with Importer(waiting.extend, _PROFILE) as importer:
                importer.write(Path(path).read_bytes())
                cids.append(str(importer.finish().cid))
            if len(waiting) >= _BATCH:
                store.put_many(waiting, durable=False)
                waiting.clear()
        store.put_many(waiting)
    print("\n".join(cids))


if __name__ == "__main__":
    main(Path(sys.argv[1]), Path(sys.argv[2]).read_text().split("\n")[:-1])
