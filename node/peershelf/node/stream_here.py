"""Streams of a command that runs no node: no task makes the items, but whoever asks for the next."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Generator
from typing import Any, TypeVar

from peershelf.node.blocking import finished
from peershelf.node.iterators import Producer

T = TypeVar("T")


class StreamHere(AsyncIterator[T]):
    """The items that `produce` sends. It is a coroutine that does all its work right here.

    Asked for one item after the other, the coroutine rests in its `send` meanwhile. So a user may end early,
    and both may be in the middle of something. With send_all() it runs through, and so may functions that
    it calls send items, through Blocking.call().
    """

    def __init__(self, produce: Producer[T]) -> None:
        self._produce = produce
        self._work = self._run()

    async def _run(self) -> None:
        await self._produce(_hand_over)

    async def __anext__(self) -> T:
        try:
            item: T = self._work.send(None)
        except StopIteration:
            raise StopAsyncIteration from None
        return item

    async def aclose(self) -> None:
        """End the producer."""
        self._work.close()

    def send_all(self, take: Callable[[T], object]) -> None:
        """Give every item to `take`, instead of being iterated over. Raises what making them does."""
        self._work.close()

        async def send(item: T) -> None:
            take(item)

        finished(self._produce(send))


async def _hand_over(item: object) -> None:
    await _Item(item)


class _Item:
    """What a producer waits for: that its item is taken."""

    def __init__(self, item: object) -> None:
        self._item = item

    def __await__(self) -> Generator[Any, None, None]:
        yield self._item
