from collections.abc import Awaitable, Callable

import pytest
import trio

from peershelf.node.errors import NodeEnding
from peershelf.node.tasks import HandedOver, single_error


async def test_items_come_in_order_and_end() -> None:
    async def produce(send: Callable[[int], Awaitable[None]]) -> None:
        for number in range(3):
            await send(number)

    async with trio.open_nursery() as nursery:
        assert [item async for item in HandedOver(nursery, produce)] == [0, 1, 2]


async def test_an_error_of_the_producer_is_raised_to_the_consumer_and_nobody_else() -> None:
    async def produce(send: Callable[[int], Awaitable[None]]) -> None:
        await send(1)
        raise LookupError("gone")

    async with trio.open_nursery() as nursery:
        items = HandedOver(nursery, produce)
        assert await anext(items) == 1
        with pytest.raises(LookupError, match="gone"):
            await anext(items)


async def test_closing_half_way_ends_the_producer() -> None:
    ended = trio.Event()

    async def produce(send: Callable[[int], Awaitable[None]]) -> None:
        try:
            while True:
                await send(0)
        finally:
            ended.set()

    async with trio.open_nursery() as nursery:
        items = HandedOver(nursery, produce)
        await anext(items)
        await items.aclose()
        await ended.wait()


async def test_dropping_the_iterator_half_way_ends_the_producer() -> None:
    ended = trio.Event()

    async def produce(send: Callable[[int], Awaitable[None]]) -> None:
        try:
            while True:
                await send(0)
        finally:
            ended.set()

    async with trio.open_nursery() as nursery:
        async for _ in HandedOver(nursery, produce):
            break
        await ended.wait()


async def test_cancelling_the_consumer_ends_the_producer(autojump_clock: trio.testing.MockClock) -> None:
    ended = trio.Event()

    async def produce(send: Callable[[int], Awaitable[None]]) -> None:
        try:
            await trio.sleep_forever()
        finally:
            ended.set()

    async with trio.open_nursery() as nursery:
        with trio.move_on_after(1) as scope:
            async for _ in HandedOver(nursery, produce):
                pass
        assert scope.cancelled_caught
        await ended.wait()


async def test_the_producer_runs_one_item_ahead_at_most() -> None:
    made = 0

    async def produce(send: Callable[[int], Awaitable[None]]) -> None:
        nonlocal made
        while True:
            made += 1
            await send(made)

    async with trio.open_nursery() as nursery:
        items = HandedOver(nursery, produce)
        await anext(items)
        await trio.testing.wait_all_tasks_blocked()
        assert made == 2
        await items.aclose()


def test_the_one_error_in_nested_groups_comes_out_bare() -> None:
    with pytest.raises(LookupError, match="inner"), single_error():
        raise ExceptionGroup("outer", [ExceptionGroup("middle", [LookupError("inner")])])


def test_several_errors_stay_a_group() -> None:
    with pytest.raises(ExceptionGroup) as raised, single_error():
        raise ExceptionGroup("two", [LookupError(), ValueError()])
    assert len(raised.value.exceptions) == 2


async def test_closing_while_a_producer_with_tasks_of_its_own_sends_is_no_error() -> None:
    """The broken channel and the cancelled tasks came as one group, which ended the whole node."""
    closed = trio.Event()

    async def produce(send: Callable[[int], Awaitable[None]]) -> None:
        async with trio.open_nursery() as own:
            own.start_soon(trio.sleep_forever)
            await send(1)
            with trio.CancelScope(shield=True):
                await closed.wait()
            await send(2)

    async with trio.open_nursery() as nursery:
        items = HandedOver(nursery, produce)
        assert await anext(items) == 1
        await items.aclose()
        closed.set()


async def test_what_a_cancelled_nursery_breaks_off_does_not_pass_for_whole() -> None:
    """A daemon that was ended half-way through a `cat` let the command say that all was well."""

    async def produce(send: Callable[[int], Awaitable[None]]) -> None:
        await send(1)
        await trio.sleep_forever()

    async with trio.open_nursery() as nursery:
        items = HandedOver(nursery, produce)
        assert await anext(items) == 1
        nursery.cancel_scope.cancel()
    with trio.CancelScope(), pytest.raises(NodeEnding, match="broken off"):
        await anext(items)
