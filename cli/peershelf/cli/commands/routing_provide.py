"""`routing provide`: announce CIDs now."""

from __future__ import annotations

from peershelf.cli.grammar import Argument, Command

TYPE_CHECKING = False
if TYPE_CHECKING:
    from peershelf.cli.backend import Record
    from peershelf.cli.context import Context
    from peershelf.cli.grammar import Call


def run(context: Context, call: Call) -> int:
    """Print how many peers have taken note of each."""

    def show(record: Record) -> None:
        context.show(record, [f"{record['Cid']} announced to {record['Records']} peers"], flush=True)

    context.running_daemon().records("routing/provide", show, call.arguments)
    return 0


COMMAND = Command(
    "routing provide",
    "Announce that this node has CIDs",
    run,
    arguments=(Argument("CID", many=True),),
    details="New roots are announced by themselves; this does it now and says whether anybody took note.",
    examples=(("routing provide CID", "announce one root again"),),
)
