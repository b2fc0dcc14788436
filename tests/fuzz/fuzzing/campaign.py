"""Runs one target on many inputs and says what happened."""

from __future__ import annotations

import gc
import resource
import sys
import time
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import inputs
import trio

SLOW = 0.5
"""Seconds of processor time that no input may take: each is some kilobytes at most."""
MOST_MEMORY = 256 << 20
MOST_FAILURES = 10


@dataclass(frozen=True)
class Target:
    """A parser, good inputs for it, and what must be true of every input.

    `check` raises nothing for an input that is fine or refused as declared; whatever it raises is a failure.
    """

    samples: Sequence[bytes]
    check: Callable[[bytes], Awaitable[None] | None]
    slow: float = SLOW


@dataclass
class Outcome:
    """What a campaign found."""

    inputs: int = 0
    seconds: float = 0.0
    slowest: float = 0.0
    slowest_input: int = 0
    memory: int = 0
    failures: list[str] = field(default_factory=list)

    def __str__(self) -> str:
        rate = self.inputs / self.seconds if self.seconds else 0.0
        slowest = f"slowest {self.slowest * 1000:.1f} ms (input {self.slowest_input})"
        end = f"peak memory {self.memory >> 20} MiB; {len(self.failures)} failures"
        return f"{self.inputs} inputs, {rate:,.0f} a second; {slowest}; {end}"


async def run(target: Target, seed: int, numbers: range) -> Outcome:
    """Check the inputs with these numbers."""
    found = Outcome()
    # A collection of garbage takes longer than any input, and would be taken for the input's.
    gc.collect()
    gc.freeze()
    started = time.monotonic()
    for number in numbers:
        await _check(target, seed, number, found)
        if number % 100 == 0:
            await trio.lowlevel.checkpoint()  # lets trio forget the deadlines that are past
        if len(found.failures) >= MOST_FAILURES:
            break
    found.seconds = time.monotonic() - started
    found.memory = peak_memory()
    if found.memory > MOST_MEMORY:
        found.failures.append(f"memory: {found.memory >> 20} MiB")
    return found


async def _check(target: Target, seed: int, number: int, found: Outcome) -> None:
    data = inputs.make(target.samples, seed, number)
    before = time.thread_time()
    try:
        pending = target.check(data)
        if pending is not None:
            await pending
    except Exception as error:
        _fail(found, seed, number, data, f"{type(error).__name__}: {error}")
    took = time.thread_time() - before
    found.inputs += 1
    if took > found.slowest:
        found.slowest, found.slowest_input = took, number
    if took > target.slow:
        _fail(found, seed, number, data, f"it took {took:.2f} s")


def _fail(found: Outcome, seed: int, number: int, data: bytes, what: str) -> None:
    found.failures.append(f"seed {seed}, input {number}: {what[:300]}\n    {data.hex()}")


def peak_memory() -> int:
    """Most bytes that this process has had resident."""
    status = Path("/proc/self/status")
    if status.exists():  # on Linux getrusage() counts what the parent had, too
        (peak,) = (line.split()[1] for line in status.read_text().splitlines() if line.startswith("VmHWM"))
        return int(peak) * 1024
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * (1 if sys.platform == "darwin" else 1024)


def main(target: Target, seed: int, numbers: range) -> Outcome:
    """As run(), from outside of trio."""
    return trio.run(run, target, seed, numbers)
