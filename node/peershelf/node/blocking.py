"""The seam between what adds, and where its blocking work is done.

A node does it in threads, beside its event loop. A command without a node does it right here, and its
coroutines never wait: finished() runs one to its end as if it were a plain function. So there is one way to
add files and trees, and it does not import trio.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Any, Protocol, TypeVar

T = TypeVar("T")


class Blocking(Protocol):
    """Does blocking work."""

    async def run(self, work: Callable[..., T], *args: Any) -> T:
        """Do what nothing may end in its middle, except for itself by `check`."""

    async def wait(self, work: Callable[..., T], *args: Any) -> T:
        """Do what may take for ever, such as reading a pipe, and may be left in its middle."""

    async def clear_up(self, work: Callable[[], object]) -> None:
        """Do what has to be done even though the operation is given up."""

    def check(self) -> None:
        """For such work itself: raise what ends it, if the operation is given up."""

    def call(self, function: Callable[..., Awaitable[None]], *args: Any) -> None:
        """For such work itself: run a function of those who wait for it."""


def finished(work: Awaitable[T]) -> T:
    """Run what never waits, such as a coroutine, to its end. Returns and raises what it does."""
    try:
        next(work.__await__())
    except StopIteration as end:
        result: T = end.value
        return result
    raise RuntimeError("what was to do all its work right here waits for an event loop")
