"""The seam to worker threads, which a test under virtual time replaces."""

from __future__ import annotations

from collections.abc import Callable
from typing import Protocol, TypeVar

import trio

Result = TypeVar("Result")


class Offload(Protocol):
    """Runs a function that may take more than a millisecond, and returns or raises what it does."""

    async def __call__(self, function: Callable[[], Result], /) -> Result: ...


async def in_thread(function: Callable[[], Result], /) -> Result:
    """Run it in a worker thread, off the event loop."""
    return await trio.to_thread.run_sync(function)
