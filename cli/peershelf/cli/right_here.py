"""Blocking work of a command that runs no node: done in the command's own thread, one thing after the other.

Ctrl-C is raised wherever Python happens to be, and the store is not made to be left in the middle of a write.
A node does such work in threads, which never see a signal. Here it waits until something is asked for that
may be left at any time, or looks whether it is still wanted.

Python deals with a signal between two of its steps. One that comes just before a read that waits for ever
would be dealt with when something was read; so such a read is interrupted now and then, for that to be seen.
"""

from __future__ import annotations

import signal
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager
from typing import Any, Self, TypeVar

from peershelf.node.blocking import finished

T = TypeVar("T")

_LOOK = 0.2
"""Seconds after which what may wait for ever is interrupted, to see whether a signal came before it."""


class RightHere:
    """Is a Blocking. In `with`, Ctrl-C is heard where that does no harm, and at the end."""

    def __init__(self) -> None:
        self._interrupted = False
        self._is_heard = False

    def __enter__(self) -> Self:
        self._before = signal.getsignal(signal.SIGINT)
        self._listens = self._before is signal.default_int_handler
        if self._listens:
            signal.signal(signal.SIGINT, self._note)
            self._alarm = signal.signal(signal.SIGALRM, lambda number, frame: None)
        return self

    def __exit__(self, kind: type[BaseException] | None, *failure: object) -> None:
        if self._listens:
            signal.signal(signal.SIGINT, self._before)
            signal.signal(signal.SIGALRM, self._alarm)
        if kind is not KeyboardInterrupt:
            self.check()

    async def run(self, work: Callable[..., T], *args: Any) -> T:
        self.check()
        return work(*args)

    async def wait(self, work: Callable[..., T], *args: Any) -> T:
        with self.heard():
            return work(*args)

    async def clear_up(self, work: Callable[[], object]) -> None:
        work()

    def check(self) -> None:
        if self._interrupted:
            raise KeyboardInterrupt

    def call(self, function: Callable[..., Awaitable[None]], *args: Any) -> None:
        finished(function(*args))

    @contextmanager
    def heard(self) -> Iterator[None]:
        """Ctrl-C may be raised anywhere in here."""
        self._is_heard = True
        if self._listens:
            signal.setitimer(signal.ITIMER_REAL, _LOOK, _LOOK)
        try:
            self.check()
            yield
        finally:
            self._is_heard = False
            if self._listens:
                signal.setitimer(signal.ITIMER_REAL, 0)

    def _note(self, number: int, frame: object) -> None:
        self._interrupted = True
        if self._is_heard:
            self._is_heard = False
            raise KeyboardInterrupt
