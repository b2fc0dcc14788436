"""Blocks by number, so that a test can say which one it means."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from peershelf.blockstore.block import Block

MakeBlocks = Callable[..., list[Block]]


@pytest.fixture
def make_blocks() -> MakeBlocks:
    def make(count: int, size: int = 100, label: str = "") -> list[Block]:
        return [Block.create(f"{label}{number:08d}".encode().ljust(size, b".")) for number in range(count)]

    return make
