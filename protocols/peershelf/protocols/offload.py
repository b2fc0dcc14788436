"""The seam to worker threads, which a test under virtual time replaces."""

from __future__ import annotations

from collections.abc import Callable
from typing import Protocol, TypeVar

import trio
from outcome import Outcome
from trio.lowlevel import Abort, RaiseCancelT

Result = TypeVar("Result")


class Offload(Protocol):
    """Runs a function that may take more than a millisecond, and returns or raises what it does."""

    async def __call__(self, function: Callable[[], Result], /) -> Result: ...


async def in_thread(function: Callable[[], Result], /) -> Result:
    """Run it in a worker thread, off the event loop; once begun, it is waited for even when cancelled.

    The same as `trio.to_thread.run_sync(function)` for three quarters of its CPU time: the function gets no
    context variables and cannot call back into the event loop, and begins without another turn of the loop,
    unless as many threads work as may.
    """
    await trio.lowlevel.checkpoint_if_cancelled()
    limiter, task = trio.to_thread.current_default_thread_limiter(), trio.lowlevel.current_task()
    try:
        limiter.acquire_on_behalf_of_nowait(task)
    except trio.WouldBlock:
        return await trio.to_thread.run_sync(function)
    token = trio.lowlevel.current_trio_token()

    def deliver(outcome: Outcome[object]) -> None:
        token.run_sync_soon(trio.lowlevel.reschedule, task, outcome)

    try:
        trio.lowlevel.start_thread_soon(function, deliver)
        result: Result = await trio.lowlevel.wait_task_rescheduled(_goes_on)
        return result
    finally:
        limiter.release_on_behalf_of(task)


def _goes_on(_raise_cancel: RaiseCancelT) -> Abort:
    """What is being done in a thread is not given up."""
    return Abort.FAILED
