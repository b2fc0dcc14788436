"""`provide stat`: how far announcing is."""

from __future__ import annotations

from peershelf.cli.grammar import Command
from peershelf.cli.text import local_time

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator

    from peershelf.cli.backend import Record
    from peershelf.cli.context import Context
    from peershelf.cli.grammar import Call


def run(context: Context, call: Call) -> int:
    """Print queue, rate, last and next run."""
    record = context.running_daemon().unary("provide/stat")
    context.show(record, _lines(record))
    return 0


def _lines(record: Record) -> Iterator[str]:
    yield f"waiting in the queue:  {record['Queued']}"
    yield f"announced:             {record['Provided']} since the daemon started"
    yield f"rate:                  {record['KeysPerSecond']:.1f} a second"
    yield f"last sweep:            {_time(record['LastSweep'])}"
    yield f"next sweep:            {_time(record['NextSweep'])}"


def _time(seconds: object) -> str:
    return local_time(seconds) if isinstance(seconds, int | float) else "none yet"


COMMAND = Command(
    "provide stat",
    "Show how far this node is with announcing what it has",
    run,
    examples=(("provide stat", "queue, rate, and when everything is announced again"),),
)
