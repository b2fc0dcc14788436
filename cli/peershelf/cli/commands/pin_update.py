"""`pin update`: move a pin from one DAG to another."""

from __future__ import annotations

from peershelf.cli.commands.pin_add import SHOW_PROGRESS, show_progress
from peershelf.cli.grammar import Argument, Command, Option

TYPE_CHECKING = False
if TYPE_CHECKING:
    from peershelf.cli.backend import Record
    from peershelf.cli.context import Context
    from peershelf.cli.grammar import Call


def run(context: Context, call: Call) -> int:
    """Pin the new one, unpin the old one, and say so."""
    backend = context.backend()

    def done(record: Record) -> None:
        old, new = record["Pins"]
        context.show(record, [f"updated {old} to {new}"])

    show_progress(
        context,
        call,
        call.only("unpin"),
        lambda sent, on: backend.records("pin/update", on, call.arguments, sent),
        done,
    )
    return 0


COMMAND = Command(
    "pin update",
    "Move a recursive pin, with its name, to another CID",
    run,
    arguments=(Argument("FROM"), Argument("TO")),
    details="Only what is new is fetched. Both happen or neither: there is no moment without a pin.",
    options=(
        Option("--unpin", "give the old pin up (default true)"),
        SHOW_PROGRESS,
    ),
    examples=(("pin update OLD-CID NEW-CID", "follow a tree to its next version"),),
)
