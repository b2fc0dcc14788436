"""Async iterators that their users may end early. Without trio, whose import costs a command more than it."""

from __future__ import annotations

from collections.abc import AsyncGenerator, AsyncIterator, Awaitable
from contextlib import asynccontextmanager
from typing import Protocol, TypeVar

T_co = TypeVar("T_co", covariant=True)


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
