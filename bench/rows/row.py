"""What a row is."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass

from bench.bench import Bench
from bench.results import Result


@dataclass(frozen=True, slots=True)
class Row:
    """One kind of work that is measured, and everything that is read off it.

    Args:
        name: what `--rows` calls it.
        work: what it does, in words.
        run: does it; yields a result for each line of the table.
        space: GB of disk that a full run of it takes, inputs included.
    """

    name: str
    work: str
    run: Callable[[Bench], Iterator[Result]]
    space: float = 1.0
