"""A target for trees, and beside it what nothing may write to."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parent / "tools"))

from trees_on_disk import names


@pytest.fixture
def sentinel(tmp_path: Path) -> Iterator[Path]:
    """A directory that nothing may write to; everything else is written beside it."""
    outside = tmp_path / "outside"
    outside.mkdir()
    (outside / "precious").write_text("precious")
    yield outside
    assert names(outside) == {"precious"}
    assert (outside / "precious").read_text() == "precious"
    assert names(tmp_path) <= {"outside", "target"}


@pytest.fixture
def target(sentinel: Path) -> Path:
    return sentinel.parent / "target"
