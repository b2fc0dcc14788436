"""The backends that promise what the interface says: each joins the suite through one line here."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path

import pytest

from peershelf.blockstore.store.base import Blockstore
from peershelf.blockstore.store.memory import MemoryStore
from peershelf.blockstore.store.pack import PackStore

BACKENDS: dict[str, Callable[[Path], Blockstore]] = {
    "memory": lambda directory: MemoryStore(),
    "pack": PackStore.open,
    "pack with tiny segments": partial(PackStore.open, segment_size=1024),
}


@pytest.fixture(params=BACKENDS)
def store(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Blockstore]:
    with BACKENDS[request.param](tmp_path) as store:
        yield store
