"""`block stat`: a block's size."""

from __future__ import annotations

from peershelf.cli import output
from peershelf.cli.grammar import Argument, Command
from peershelf.cli.text import safe

TYPE_CHECKING = False
if TYPE_CHECKING:
    from peershelf.cli.context import Context
    from peershelf.cli.grammar import Call


def run(context: Context, call: Call) -> int:
    """Print the block's CID and size."""
    record = context.backend().unary("block/stat", call.arguments)
    if context.json:
        output.json_line(record)
    else:
        output.line(f"Key: {safe(str(record['Key']))}")
        output.line(f"Size: {int(record['Size'])}")
    return 0


COMMAND = Command(
    "block stat",
    "Show a block's size",
    run,
    arguments=(Argument("CID"),),
    examples=(("block stat CID", "show the size in bytes"),),
)
