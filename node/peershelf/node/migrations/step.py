"""What a step between two layouts consists of."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Step:
    """One step up and the same way down. Both are statements for a copy of facts.db."""

    summary: str
    """What it changes, for people."""
    up: str
    down: str
