"""`routing put`: leave the value of a key with others."""

from __future__ import annotations

from peershelf.cli.grammar import Argument, Command
from peershelf.cli.sources import collect

TYPE_CHECKING = False
if TYPE_CHECKING:
    from peershelf.cli.backend import Record
    from peershelf.cli.context import Context
    from peershelf.cli.grammar import Call


def run(context: Context, call: Call) -> int:
    """Print the peer ID of the name whose record was left."""

    def show(record: Record) -> None:
        context.show(record, [str(record["ID"])])

    key, file = call.arguments
    context.running_daemon().records("routing/put", show, [key], sources=collect([file]))
    return 0


COMMAND = Command(
    "routing put",
    "Leave the value of a key, such as a name's record, with others",
    run,
    arguments=(Argument("KEY"), Argument("FILE")),
    details="KEY is /ipns/NAME, and FILE has a record that is signed by the key of that name. Peers\n"
    "keep it for 48 hours, and only as long as it says that it is valid.",
    examples=(
        ("routing put /ipns/NAME record", "keep a name going whose record was saved"),
        ("routing put /ipns/NAME - < record", "the same from standard input"),
    ),
)
