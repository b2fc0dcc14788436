"""A repo on which a command runs an operation of the node's without the node, so without trio."""

from __future__ import annotations

import time
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AbstractAsyncContextManager, ExitStack, asynccontextmanager
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, TypeVar

from peershelf.node.blocking import Blocking
from peershelf.node.blocks_here import BlocksHere
from peershelf.node.config import Config
from peershelf.node.errors import LeftToNode
from peershelf.node.facade.blocks import BlockAccess
from peershelf.node.iterators import Closeable, Producer
from peershelf.node.opening_here import OpenedHere
from peershelf.node.stream_here import StreamHere

if TYPE_CHECKING:
    from peershelf.blockstore.pins import Pins
    from peershelf.node.additions import Additions
    from peershelf.node.collecting import Collector
    from peershelf.node.network import Online

_BETWEEN_TWO = 0.1
"""Seconds from one word about progress to the next."""

T = TypeVar("T")


class NodeHere(BlockAccess):
    """What a Node is to the operations that `operations.here` names; they run as plain functions, in the
    caller's thread. Raises LeftToNode where only a node can go on, unless it is `alone`.
    """

    path: Path
    config: Config
    blocks: BlocksHere
    is_online = False

    def __init__(
        self, path: Path, opened: OpenedHere, blocking: Blocking, stack: ExitStack, *, alone: bool = False
    ) -> None:
        """What it opens is closed when `stack` ends."""
        self.path = path
        self.config = opened.config
        self.store = opened.store
        self.blocking = blocking
        self.blocks = BlocksHere(opened.store, blocking, alone=alone)
        self._opened = opened
        self._stack = stack

    @cached_property
    def pins(self) -> Pins:
        from peershelf.node.opening_pins import opened_pins

        return self._stack.enter_context(opened_pins(self.path, self._opened.store))

    @cached_property
    def additions(self) -> Additions:
        from peershelf.node.additions_here import additions_here

        return additions_here(self.path, self._opened, self.pins, self._stack)

    @cached_property
    def collector(self) -> Collector:
        from peershelf.blockstore.gc.roots import TemporaryRoots
        from peershelf.node.collecting import Collector

        return Collector(self.store, self.pins, TemporaryRoots())

    def run_stream(self, produce: Producer[T], *, buffered: int = 0) -> Closeable[T]:
        return StreamHere(produce)

    def telling(
        self, send: Callable[[T], Awaitable[None]]
    ) -> AbstractAsyncContextManager[Callable[[T], None]]:
        return self._telling(send)

    @asynccontextmanager
    async def _telling(self, send: Callable[[T], Awaitable[None]]) -> AsyncIterator[Callable[[T], None]]:
        told = -_BETWEEN_TWO

        def tell(state: T) -> None:
            nonlocal told
            if (now := time.monotonic()) - told >= _BETWEEN_TWO:
                told = now
                self.blocking.call(send, state)

        yield tell

    @property
    def online(self) -> Online:
        raise LeftToNode

    async def connect(self, address: str) -> str:
        raise LeftToNode

    def now(self) -> float:
        return time.monotonic()
