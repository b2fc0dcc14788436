"""What an attack is, whom it is against, and how it keeps to its rate."""

from __future__ import annotations

import importlib
import sys
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import AbstractAsyncContextManager, asynccontextmanager, contextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import trio

from peershelf.blockstore.block import Block
from peershelf.blockstore.cid import Cid

_TOOLS = Path(__file__).resolve().parents[2] / "tests" / "attack" / "tools"
_CATCH_UP = 0.1
"""Seconds' worth of events that an attacker may be late and then do at once."""


def tool(module: str) -> Any:
    """A module of the attack tests' tools, which are no package."""
    if str(_TOOLS) not in sys.path:
        sys.path.insert(0, str(_TOOLS))
    return importlib.import_module(module)


class Pace:
    """Lets through so many events a second at most, and counts them."""

    def __init__(self, rate: float) -> None:
        self._rate = rate
        self._next: float | None = None
        self.begun = trio.Event()
        """Set with the first event."""
        self.events = 0
        self.refused = 0
        """Handshakes of these that came to nothing."""

    async def due(self, events: int = 1) -> None:
        """Wait until so many more events may happen."""
        now = trio.current_time()
        start = now if self._next is None else max(self._next, now - _CATCH_UP)
        self._next = start + events / self._rate
        await trio.sleep_until(start)
        self.events += events
        self.begun.set()

    @contextmanager
    def may_be_refused(self) -> Iterator[None]:
        """Count what a handshake raises, of which py-libp2p has many kinds, and go on."""
        try:
            yield
        except Exception:
            self.refused += 1


@dataclass(frozen=True, slots=True)
class Target:
    """A running daemon, as its attacker sees it.

    Args:
        address: where it can be dialed, with its peer ID.
        leaves: some of the blocks that it has, of 1 MiB.
        first: the first of them.
    """

    address: str
    leaves: tuple[Cid, ...]
    first: Block

    @property
    def peer(self) -> str:
        return self.address.rpartition("/")[2]

    @property
    def port(self) -> int:
        return int(self.address.split("/")[4])

    def wire(self) -> AbstractAsyncContextManager[Any]:
        """A TCP connection from an address of the attacker's own."""
        made: AbstractAsyncContextManager[Any] = tool("secured").wire(self.port, source="127.0.0.9")
        return made

    def secured(self, *, deaf: bool = False) -> AbstractAsyncContextManager[Any]:
        """A peer that has proven who it is and speaks Yamux by hand."""
        made: AbstractAsyncContextManager[Any] = tool("secured").secured(self.port, self.peer, deaf=deaf)
        return made

    @asynccontextmanager
    async def stranger(
        self, react: Any = None, *, reads: bool = True, source: str | None = None
    ) -> AsyncIterator[Any]:
        """A whole peer that speaks bitswap by hand; `react` is called with what it is sent."""
        async with tool("stranger").stranger(self, react, reads=reads, source=source) as peer:
            yield peer


@dataclass(frozen=True, slots=True)
class Attack:
    """One thing that strangers do, for as long as they are let.

    Args:
        name: what the worker calls it.
        work: what it is, in words.
        rate: events a second at most.
        events: what is counted, in words.
        run: does it until it is cancelled, or is cut off: then it is begun anew.
        of_fetcher: whether the honest peer that fetches is attacked, and not the provider.
        fair: what part of its own speed the honest peer should keep; less where strangers take but theirs.
    """

    name: str
    work: str
    rate: float
    events: str
    run: Callable[[Target, Pace], Awaitable[None]]
    of_fetcher: bool = False
    fair: float = 0.8

    @property
    def pace(self) -> str:
        """How much of it there is, in words."""
        return f"{self.rate:,.0f} {self.events} a second"


async def side_by_side(number: int, one: Callable[[], Awaitable[None]]) -> None:
    """Run so many of the same at a time, so that one that waits does not hold up the rest."""
    async with trio.open_nursery() as nursery:
        for _ in range(number):
            nursery.start_soon(partial(_over_and_over, one))


async def _over_and_over(one: Callable[[], Awaitable[None]]) -> None:
    while True:
        await one()
