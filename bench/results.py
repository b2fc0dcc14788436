"""What was measured, what should have been reached, and whether it was. No I/O."""

from __future__ import annotations

import statistics
from dataclasses import dataclass, field
from enum import Enum


class Verdict(Enum):
    """How a figure stands against its target."""

    NONE = ""
    AIM = "aim"
    MET = "met"
    MISSED = "missed"
    FAIL = "FAIL"


@dataclass(frozen=True, slots=True)
class Target:
    """What a figure has to reach, and the better figure that is aimed for.

    The figure is the ratio to the other program, or with `absolute` our own median in the result's unit.
    """

    reach: float
    aim: float | None = None
    at_most: bool = False
    absolute: bool = False

    def verdict(self, figure: float) -> Verdict:
        """Judge one figure; a figure that equals the bound has reached it."""
        if self.aim is not None and self._reached(figure, self.aim):
            return Verdict.AIM
        return Verdict.MET if self._reached(figure, self.reach) else Verdict.MISSED

    def _reached(self, figure: float, bound: float) -> bool:
        return figure <= bound if self.at_most else figure >= bound

    def __str__(self) -> str:
        sign = "≤" if self.at_most else "≥"
        aim = "" if self.aim is None else f" ({self.aim:.3g})"
        return f"{sign} {self.reach:.3g}{aim}"


@dataclass(frozen=True, slots=True)
class Series:
    """The samples of one figure of one contender, or why there are none."""

    name: str
    samples: tuple[float, ...] = ()
    error: str | None = None

    @property
    def median(self) -> float | None:
        """The middle sample; None where nothing was measured or the contender failed."""
        return statistics.median(self.samples) if self.samples and self.error is None else None


@dataclass(frozen=True, slots=True)
class Result:
    """One line of the table: our figure, another's, and the target for their ratio.

    Args:
        row: the row that it belongs to, as `--rows` knows it.
        work: what was done, in words.
        unit: of both series, such as MB/s, ms or MiB.
        note: what a reader should know of this line.
    """

    row: str
    work: str
    unit: str
    ours: Series
    other: Series | None = None
    target: Target | None = None
    note: str = ""

    @property
    def ratio(self) -> float | None:
        """Our median over the other's; None where either is missing."""
        theirs = self.other.median if self.other else None
        mine = self.ours.median
        return mine / theirs if mine is not None and theirs else None

    @property
    def failure(self) -> str | None:
        """Why this line has no figure, on one line."""
        for series in (self.ours, self.other):
            if series is not None and series.median is None:
                return f"{series.name}: {series.error or 'nothing was measured'}"
        return None

    @property
    def verdict(self) -> Verdict:
        """FAIL where a figure is missing, else how the target was met."""
        if self.failure is not None:
            return Verdict.FAIL
        if self.target is None:
            return Verdict.NONE
        figure = self.ours.median if self.target.absolute else self.ratio
        return Verdict.FAIL if figure is None else self.target.verdict(figure)


def failed(row: str, work: str, reason: str) -> Result:
    """The line of a row that could not run."""
    return Result(row, work, "", Series("peershelf", error=reason))


@dataclass(slots=True)
class Measured:
    """What the contenders of a row brought home, round by round."""

    figures: dict[str, list[dict[str, float]]] = field(default_factory=dict)
    errors: dict[str, str] = field(default_factory=dict)

    def series(self, contender: str, figure: str, name: str | None = None) -> Series:
        """The samples of one figure of one contender."""
        samples = tuple(round[figure] for round in self.figures.get(contender, ()) if figure in round)
        return Series(name or contender, samples, self.errors.get(contender))
