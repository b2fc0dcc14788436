"""Async iterators that their users may end early. Without trio, whose import costs a command more than it."""

from __future__ import annotations

from collections.abc import AsyncGenerator, AsyncIterator, Awaitable, Callable
from contextlib import aclosing, asynccontextmanager
from typing import Protocol, TypeVar

T = TypeVar("T")
T_co = TypeVar("T_co", covariant=True)

Producer = Callable[[Callable[[T], Awaitable[None]]], Awaitable[None]]
"""Is given a function to send items with, and returns when there are no more."""


class Closeable(Protocol[T_co]):
    """An async iterator that its user may end early; every async generator is one."""

    def __aiter__(self) -> AsyncIterator[T_co]: ...

    def __anext__(self) -> Awaitable[T_co]: ...

    def aclose(self) -> Awaitable[None]: ...


@asynccontextmanager
async def closed_at_the_end(items: AsyncIterator[object]) -> AsyncIterator[None]:
    """A generator that is left half-way is closed here and now, not when the collector finds it."""
    try:
        yield
    finally:
        if isinstance(items, AsyncGenerator):
            await items.aclose()


async def until_closed(items: Closeable[T]) -> AsyncGenerator[T, None]:
    """The same items; whoever stops early ends their coming too."""
    async with aclosing(items):
        async for item in items:
            yield item
