"""Blocking work of a node: done in worker threads, and given up when the task is cancelled."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Any, TypeVar

import trio

T = TypeVar("T")


class InThreads:
    """Is a Blocking."""

    async def run(self, work: Callable[..., T], *args: Any) -> T:
        return await trio.to_thread.run_sync(work, *args)

    async def wait(self, work: Callable[..., T], *args: Any) -> T:
        return await trio.to_thread.run_sync(work, *args, abandon_on_cancel=True)

    async def clear_up(self, work: Callable[[], object]) -> None:
        with trio.CancelScope(shield=True):
            await trio.to_thread.run_sync(work)

    def check(self) -> None:
        trio.from_thread.check_cancelled()

    def call(self, function: Callable[..., Awaitable[None]], *args: Any) -> None:
        trio.from_thread.run(function, *args)
