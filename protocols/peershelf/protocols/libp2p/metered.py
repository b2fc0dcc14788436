"""Counting the CPU time of something that is awaited, without that of others meanwhile."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Generator
from functools import partial
from typing import Any, Generic, TypeVar

T = TypeVar("T")


class Metered(Awaitable[T], Generic[T]):
    """Awaits `work`, and tells after each of its steps how long that took.

    Args:
        charge: is given the seconds of CPU that a step took.
        cpu: returns the seconds of CPU that the thread has used.
    """

    def __init__(
        self, work: Awaitable[T], charge: Callable[[float], object], cpu: Callable[[], float]
    ) -> None:
        self._work = work
        self._charge = charge
        self._cpu = cpu

    def __await__(self) -> Generator[Any, Any, T]:
        steps = self._work.__await__()
        resume = partial(next, steps)
        while True:
            began = self._cpu()
            try:
                wanted = resume()
            except StopIteration as end:
                result: T = end.value
                return result
            finally:
                self._charge(self._cpu() - began)
            try:
                outcome = yield wanted
            except BaseException as error:  # for the work to deal with
                resume = partial(steps.throw, error)
            else:
                resume = partial(steps.send, outcome)
