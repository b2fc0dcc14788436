"""Doing on a full disk what makes room on it."""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeVar

from peershelf.blockstore.errors import StoreFull
from peershelf.blockstore.store.pack.reserve import Reserve

T = TypeVar("T")


def with_room(reserve: Reserve, action: Callable[[], T]) -> T:
    """Do something, and once more with the reserve given away where there was no space for it."""
    try:
        return action()
    except StoreFull:
        if not reserve.release():
            raise
    return action()
