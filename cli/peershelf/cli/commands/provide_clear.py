"""`provide clear`: forget what waits to be announced."""

from __future__ import annotations

from peershelf.cli.grammar import Command

TYPE_CHECKING = False
if TYPE_CHECKING:
    from peershelf.cli.context import Context
    from peershelf.cli.grammar import Call


def run(context: Context, call: Call) -> int:
    """Print how many keys were in the queue."""
    record = context.running_daemon().unary("provide/clear")
    context.show(record, [f"removed {record['Cleared']} keys from the queue"])
    return 0


COMMAND = Command(
    "provide clear",
    "Empty the queue of what is to be announced",
    run,
    details="The next sweep announces everything again; `provide stat` tells when that is.",
    examples=(("provide clear", "announce nothing until the next sweep"),),
)
