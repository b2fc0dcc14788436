"""Measuring what a task does between its waits."""

from __future__ import annotations

from collections.abc import Callable, Coroutine, Generator
from functools import partial
from typing import Any, Generic, TypeVar

_T = TypeVar("_T")

Meter = Callable[[Callable[[], object]], object]
"""Calls a part of some work and returns what it does."""


def charging(charge: Callable[[float], object], cpu: Callable[[], float]) -> Meter:
    """Return a meter that gives `charge` the seconds of CPU that each part took, by the thread's `cpu`."""

    def meter(part: Callable[[], object]) -> object:
        began = cpu()
        try:
            return part()
        finally:
            charge(cpu() - began)

    return meter


def timed(work: Callable[[], _T], cpu: Callable[[], float]) -> Callable[[], tuple[_T, float]]:
    """Return what does some work in any thread, and returns the seconds of CPU with its result."""

    def do() -> tuple[_T, float]:
        began = cpu()
        return work(), cpu() - began

    return do


class Metered(Generic[_T]):
    """Awaits some work, and has `meter` call each part of it that lies between two waits."""

    def __init__(self, work: Coroutine[Any, Any, _T], meter: Meter) -> None:
        self._work = work
        self._meter = meter

    def __await__(self) -> Generator[object, Any, _T]:
        go_on: Callable[[], object] = partial(self._work.send, None)
        while True:
            try:
                waits_for = self._meter(go_on)
            except StopIteration as end:
                result: _T = end.value
                return result
            try:
                go_on = partial(self._work.send, (yield waits_for))
            except BaseException as error:
                go_on = partial(self._work.throw, error)
