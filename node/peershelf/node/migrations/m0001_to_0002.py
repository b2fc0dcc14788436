"""Layout 2: pins remember when they were made."""

from __future__ import annotations

from peershelf.node.migrations.step import Step

STEP = Step(
    summary="pins remember when they were made; unknown for those that are there",
    up="ALTER TABLE pins ADD COLUMN added INTEGER;",
    down="ALTER TABLE pins DROP COLUMN added;",
)
