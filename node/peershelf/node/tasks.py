"""Two small bridges between structured concurrency and callers who know nothing of it."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Awaitable, Callable, Iterator
from contextlib import contextmanager
from typing import TypeVar

import outcome
import trio

T = TypeVar("T")

Producer = Callable[[Callable[[T], Awaitable[None]]], Awaitable[None]]
"""Is given a function to send items with, and returns when there are no more."""


@contextmanager
def single_error() -> Iterator[None]:
    """Let the one error inside an exception group out bare.

    A nursery wraps whatever ends it in a group; for a caller of `add` or `cat` that group says nothing.
    """
    try:
        yield
    except BaseExceptionGroup as group:
        leaf: BaseException = group
        while isinstance(leaf, BaseExceptionGroup) and len(leaf.exceptions) == 1:
            leaf = leaf.exceptions[0]
        if leaf is group:
            raise
        raise leaf from leaf.__cause__


async def handed_over(nursery: trio.Nursery, produce: Producer[T]) -> AsyncGenerator[T, None]:
    """Iterate over what `produce` sends, while it runs as a task of `nursery`.

    An async generator must not hold a nursery or a cancel scope across a yield; this one holds neither, so
    its user may stop half-way. One item is in flight at most; an error of the producer is raised here.
    """
    send, receive = trio.open_memory_channel[outcome.Outcome[T]](0)
    scope = trio.CancelScope()

    async def run() -> None:
        with scope, send:
            try:
                await produce(lambda item: send.send(outcome.Value(item)))
            except trio.BrokenResourceError:
                return  # the user stopped half-way
            except Exception as error:
                await send.send(outcome.Error(error))

    nursery.start_soon(run)
    try:
        while True:
            try:
                item = await receive.receive()
            except trio.EndOfChannel:
                return
            yield item.unwrap()
    finally:
        scope.cancel()
        receive.close()
