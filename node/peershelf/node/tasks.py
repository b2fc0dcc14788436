"""Two small bridges between structured concurrency and callers who know nothing of it."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Iterator
from contextlib import contextmanager, suppress
from typing import TypeVar

import outcome
import trio

from peershelf.node.errors import NodeEnding
from peershelf.node.iterators import Producer

T = TypeVar("T")


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


class HandedOver(AsyncIterator[T]):
    """The items that `produce` sends, while it runs as a task of `nursery`.

    At most `buffered` items wait, and one more is in flight. An error of the producer is raised to whoever
    iterates; an iterator that is closed, or dropped half-way, ends the producer. If the nursery is cancelled
    first, NodeEnding is raised: half of the items must not pass for all of them. No async generator could do
    this: it must not hold a nursery or a cancel scope across a yield, and trio warns of one that is dropped.
    """

    def __init__(self, nursery: trio.Nursery, produce: Producer[T], *, buffered: int = 0) -> None:
        self._send, self._receive = trio.open_memory_channel[outcome.Outcome[T]](buffered)
        self._buffered = buffered
        self._scope = trio.CancelScope()
        self._whole = trio.Event()
        self._token = trio.lowlevel.current_trio_token()
        nursery.start_soon(_produce, produce, self._send, self._scope, self._whole)

    async def __anext__(self) -> T:
        try:
            item = await self._next()
        except (trio.EndOfChannel, trio.ClosedResourceError):
            if not self._whole.is_set() and not self._scope.cancel_called:
                raise NodeEnding from None
            raise StopAsyncIteration from None
        except trio.Cancelled:
            self._scope.cancel()
            raise
        return item.unwrap()

    async def _next(self) -> outcome.Outcome[T]:
        if self._buffered:
            # A checkpoint for each of many small items would cost more than the item.
            with suppress(trio.WouldBlock):
                return self._receive.receive_nowait()
        return await self._receive.receive()

    async def aclose(self) -> None:
        """End the producer."""
        self._scope.cancel()
        self._receive.close()

    def __del__(self) -> None:
        # This may run in any thread, and after the run has ended.
        with suppress(trio.RunFinishedError):
            self._token.run_sync_soon(self._scope.cancel)


async def _produce(
    produce: Producer[T],
    channel: trio.MemorySendChannel[outcome.Outcome[T]],
    scope: trio.CancelScope,
    whole: trio.Event,
) -> None:
    async def send(item: T) -> None:
        value = outcome.Value(item)
        try:
            channel.send_nowait(value)
        except trio.WouldBlock:
            await channel.send(value)

    with scope, channel:
        try:
            await _until_nobody_receives(produce(send))
        except Exception as error:
            await channel.send(outcome.Error(error))
        whole.set()


async def _until_nobody_receives(work: Awaitable[None]) -> None:
    try:
        await work
    except* trio.BrokenResourceError:
        pass  # it may come in a group, together with the cancellation of the producer's own tasks
