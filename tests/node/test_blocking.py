"""Coroutines that never wait, run as plain functions."""

from __future__ import annotations

import pytest
import trio

from peershelf.node.blocking import finished
from peershelf.node.in_threads import InThreads


async def doubled(value: int) -> int:
    return 2 * value


def test_what_it_returns_and_raises_comes_out() -> None:
    async def adds() -> int:
        return 1 + await doubled(2)

    async def fails() -> None:
        raise ValueError("why")

    assert finished(adds()) == 5
    with pytest.raises(ValueError, match="why"):
        finished(fails())


def test_to_wait_is_a_mistake() -> None:
    class Waits:
        def __await__(self):  # type: ignore[no-untyped-def]
            yield

    async def waits() -> None:
        await Waits()

    with pytest.raises(RuntimeError, match="waits for an event loop"):
        finished(waits())


async def test_in_threads_work_may_look_call_back_and_be_given_up() -> None:
    blocking = InThreads()
    told: list[int] = []

    async def tell(value: int) -> None:
        told.append(value)

    def work() -> int:
        blocking.check()
        blocking.call(tell, 5)
        trio.from_thread.run_sync(scope.cancel)
        blocking.check()
        return 1

    with trio.CancelScope() as scope:
        await blocking.run(work)
    assert scope.cancelled_caught
    with trio.CancelScope() as scope:
        scope.cancel()
        try:
            await trio.lowlevel.checkpoint()
        finally:
            await blocking.clear_up(lambda: told.append(6))
    assert told == [5, 6]
