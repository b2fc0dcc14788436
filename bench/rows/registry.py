"""Every row, in the order in which they run. A new row module is added here."""

from __future__ import annotations

from bench.rows import (
    add,
    archives,
    attacks,
    block,
    cat,
    commands,
    daemon,
    garbage,
    growth,
    idle,
    small,
    stream,
    swarm,
    transfer,
)

ROWS = (
    *add.ROWS,
    *cat.ROWS,
    *archives.ROWS,
    *transfer.ROWS,
    *small.ROWS,
    *block.ROWS,
    *swarm.ROWS,
    *attacks.ROWS,
    *commands.ROWS,
    *daemon.ROWS,
    *idle.ROWS,
    *stream.ROWS,
    *growth.ROWS,
    *garbage.ROWS,
)
