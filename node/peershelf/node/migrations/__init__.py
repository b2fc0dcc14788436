"""Bringing a repo from one layout to another, and back. One module for each step, entered in STEPS."""

from __future__ import annotations

from peershelf.node.migrations import m0001_to_0002, m0002_to_0003
from peershelf.node.migrations.step import Step

STEPS: tuple[Step, ...] = (m0001_to_0002.STEP, m0002_to_0003.STEP)
"""In their order: the first one leads from layout 1 to 2."""
