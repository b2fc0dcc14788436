"""Functions in worker threads."""

from __future__ import annotations

import threading

import pytest
import trio

from peershelf.protocols.offload import in_thread


async def test_it_returns_what_the_function_does_in_another_thread():
    assert await in_thread(threading.get_ident) != threading.get_ident()


async def test_it_raises_what_the_function_raises():
    with pytest.raises(ZeroDivisionError):
        await in_thread(lambda: 1 // 0)
    assert trio.to_thread.current_default_thread_limiter().borrowed_tokens == 0


async def test_nothing_begins_once_cancelled():
    begun = []
    with trio.CancelScope() as scope:
        scope.cancel()
        await in_thread(lambda: begun.append(True))
    assert scope.cancelled_caught
    assert not begun


async def test_what_has_begun_is_waited_for():
    begun, may_end, ended = threading.Event(), threading.Event(), []

    def work() -> None:
        begun.set()
        may_end.wait(10)
        ended.append(True)

    async with trio.open_nursery() as nursery:
        nursery.start_soon(in_thread, work)
        await trio.to_thread.run_sync(begun.wait, 10)
        nursery.cancel_scope.cancel()
        may_end.set()
    assert ended


async def test_others_go_on_meanwhile_and_no_more_threads_work_than_may():
    limiter = trio.to_thread.current_default_thread_limiter()
    limiter.total_tokens = 2
    at_once, most, lock = [0], [0], threading.Lock()
    both = threading.Barrier(2)

    def work() -> None:
        with lock:
            at_once[0] += 1
            most[0] = max(most[0], at_once[0])
        both.wait(10)
        with lock:
            at_once[0] -= 1

    async with trio.open_nursery() as nursery:
        for _ in range(6):
            nursery.start_soon(in_thread, work)
    assert most[0] == 2
    assert limiter.borrowed_tokens == 0
