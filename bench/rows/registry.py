"""Every row, in the order in which they run. A new row module is added here."""

from __future__ import annotations

from bench.rows import add, cat, transfer

ROWS = (*add.ROWS, *cat.ROWS, *transfer.ROWS)
