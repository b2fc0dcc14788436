"""Blocks in append-only segments with an SQLite index; docs/store-format.md is the format's definition."""

from __future__ import annotations

from peershelf.blockstore.store.pack.recovery import Damage, RecoveryReport
from peershelf.blockstore.store.pack.store import PackStore

__all__ = ["Damage", "PackStore", "RecoveryReport"]
