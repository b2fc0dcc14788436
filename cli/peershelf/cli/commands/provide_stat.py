"""`provide stat`: how far announcing is."""

from __future__ import annotations

from peershelf.cli import output
from peershelf.cli.grammar import Command
from peershelf.cli.text import local_time

TYPE_CHECKING = False
if TYPE_CHECKING:
    from peershelf.cli.context import Context
    from peershelf.cli.grammar import Call


def run(context: Context, call: Call) -> int:
    """Print queue, rate, last and next run."""
    record = context.running_daemon().unary("provide/stat")
    if context.json:
        output.json_line(record)
        return 0
    output.line(f"waiting in the queue:  {int(record['Queued'])}")
    output.line(f"announced:             {int(record['Provided'])} since the daemon started")
    output.line(f"rate:                  {float(record['KeysPerSecond']):.1f} a second")
    output.line(f"last sweep:            {_time(record['LastSweep'])}")
    output.line(f"next sweep:            {_time(record['NextSweep'])}")
    return 0


def _time(seconds: object) -> str:
    return local_time(seconds) if isinstance(seconds, int | float) else "none yet"


COMMAND = Command(
    "provide stat",
    "Show how far this node is with announcing what it has",
    run,
    examples=(("provide stat", "queue, rate, and when everything is announced again"),),
)
