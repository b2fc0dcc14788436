"""Streams without tasks: whoever asks for an item has it made."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from contextlib import aclosing

import pytest

from peershelf.node.blocking import finished
from peershelf.node.stream_here import StreamHere

Send = Callable[[int], Awaitable[None]]


async def three(send: Send) -> None:
    for number in range(3):
        await send(number)


async def listed(stream: StreamHere[int]) -> list[int]:
    return [item async for item in stream]


def test_items_come_in_order() -> None:
    assert finished(listed(StreamHere(three))) == [0, 1, 2]


def test_nothing_is_made_before_it_is_asked_for() -> None:
    made: list[int] = []

    async def produce(send: Send) -> None:
        for number in range(3):
            made.append(number)
            await send(number)

    async def first(stream: StreamHere[int]) -> int:
        async with aclosing(stream):
            return await anext(stream)

    assert finished(first(StreamHere(produce))) == 0
    assert made == [0]


def test_a_stream_may_be_made_of_another() -> None:
    async def produce(send: Send) -> None:
        async for item in StreamHere(three):
            await send(item * 10)
            await send(item)

    assert finished(listed(StreamHere(produce))) == [0, 0, 10, 1, 20, 2]


def test_an_error_comes_behind_the_items_before_it() -> None:
    async def produce(send: Send) -> None:
        await send(1)
        raise LookupError

    async def collect(items: list[int]) -> None:
        async for item in StreamHere(produce):
            items.append(item)

    items: list[int] = []
    with pytest.raises(LookupError):
        finished(collect(items))
    assert items == [1]


def test_closing_ends_the_producer_where_it_is() -> None:
    ended: list[bool] = []

    async def produce(send: Send) -> None:
        try:
            await three(send)
        finally:
            ended.append(True)

    async def use(stream: StreamHere[int]) -> None:
        async with aclosing(stream):
            await anext(stream)
            assert not ended

    finished(use(StreamHere(produce)))
    assert ended == [True]


def test_all_may_be_taken_also_from_functions() -> None:
    async def produce(send: Send) -> None:
        await three(send)
        finished(send(3))

    items: list[int] = []
    StreamHere(produce).send_all(items.append)
    assert items == [0, 1, 2, 3]
