"""`routing explain`: why a CID is found, or not."""

from __future__ import annotations

from peershelf.cli.grammar import Argument, Command
from peershelf.cli.text import one_line

TYPE_CHECKING = False
if TYPE_CHECKING:
    from peershelf.cli.backend import Record
    from peershelf.cli.context import Context
    from peershelf.cli.grammar import Call


def run(context: Context, call: Call) -> int:
    """Print each step with what came of it."""

    def show(record: Record) -> None:
        stage, subject, outcome = (one_line(str(record[key])) for key in ("Stage", "Subject", "Outcome"))
        context.show(record, [f"{stage:9} {subject}: {outcome}"], flush=True)

    context.running_daemon().records("routing/explain", show, call.arguments)
    return 0


COMMAND = Command(
    "routing explain",
    "Say step by step how a CID is found, or why it is not",
    run,
    arguments=(Argument("CID"),),
    details="Asks connected peers, then each way of finding, dials the providers that are named and asks\n"
    "them. It may fetch that one block.",
    examples=(("routing explain CID", "why does `cat CID` find nothing?"),),
)
