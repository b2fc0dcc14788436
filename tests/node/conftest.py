"""A node alone, and the tools of its tests: modules in `tools/`."""

from __future__ import annotations

import sys
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from peershelf.node import Node

sys.path.insert(0, str(Path(__file__).parent / "tools"))


@pytest.fixture
async def node(tmp_path: Path) -> AsyncIterator[Node]:
    """A node offline, on a repo of its own."""
    async with Node(tmp_path / "repo", online=False) as opened:
        yield opened
