"""Repos for commands that run without a node."""

from __future__ import annotations

import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

sys.path.insert(0, str(Path(__file__).parent / "tools"))
from filled import LARGE, Filled, uploads


@pytest.fixture(scope="module")
def tree(tmp_path_factory: pytest.TempPathFactory) -> Path:
    top = tmp_path_factory.mktemp("trees") / "tree"
    (top / "sub" / "empty").mkdir(parents=True)
    (top / "a").write_bytes(b"hello")
    (top / "sub" / "large").write_bytes(LARGE)
    (top / "sub" / "same").write_bytes(b"hello")
    (top / "z").symlink_to("sub/large")
    for name, content in uploads().items():
        (top.parent / name).write_bytes(content)
    return top


@pytest.fixture
def filled(new_shelf: Any, tree: Path) -> Callable[[], Filled]:
    return lambda: Filled(new_shelf(), tree)
