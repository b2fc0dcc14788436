"""`routing get`: the value of a key."""

from __future__ import annotations

import base64

from peershelf.cli import output
from peershelf.cli.grammar import Argument, Command

TYPE_CHECKING = False
if TYPE_CHECKING:
    from peershelf.cli.backend import Record
    from peershelf.cli.context import Context
    from peershelf.cli.grammar import Call


def run(context: Context, call: Call) -> int:
    """Write the value to standard output."""

    def show(record: Record) -> None:
        if context.json:
            output.json_line(record)
        else:
            output.raw(base64.b64decode(record["Extra"]))

    context.running_daemon().records("routing/get", show, call.arguments)
    return 0


COMMAND = Command(
    "routing get",
    "Print the best value of a key, such as a name's record",
    run,
    arguments=(Argument("KEY"),),
    details="KEY is /ipns/NAME; the value is the name's IPNS record, in bytes. Of several that peers have\n"
    "it is the newest valid one, and peers near the name that lack it are given it.",
    examples=(
        ("routing get /ipns/NAME > record", "save a name's record"),
        ("routing get --json /ipns/NAME", "the record in base64"),
    ),
)
