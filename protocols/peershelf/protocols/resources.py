"""What a node has bounded, how much of it there may be, and how much there is."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from enum import Enum


class Unit(Enum):
    """What a resource is counted in."""

    COUNT = "count"
    BYTES = "bytes"


@dataclass(frozen=True, slots=True)
class Resource:
    """A snapshot of one resource."""

    scope: str
    """What it belongs to, such as "connections"."""
    name: str
    used: int
    limit: int | None
    """What is never exceeded; None where nothing but other limits bounds it."""
    unit: Unit = Unit.COUNT
    whose: str = ""
    """Of limits that hold for each peer or address: who is nearest to it. "" while there is nobody."""

    @property
    def percent(self) -> float | None:
        """How much of the limit is used; None without a limit."""
        return 100 * self.used / self.limit if self.limit else None


def greatest(counts: Iterable[tuple[str, int]]) -> tuple[str, int]:
    """Return whose count is the highest, and that; "" and 0 where nobody has any."""
    return max((one for one in counts if one[1]), key=lambda one: one[1], default=("", 0))
