"""Layout 3: roots may be kept from being announced."""

from __future__ import annotations

from peershelf.node.migrations.step import Step

STEP = Step(
    summary="the repo remembers what was added with --no-provide",
    up="CREATE TABLE unannounced (key BLOB PRIMARY KEY, codec INTEGER NOT NULL) WITHOUT ROWID;",
    down="DROP TABLE unannounced;",
)
