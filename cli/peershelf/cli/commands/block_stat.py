"""`block stat`: a block's size."""

from __future__ import annotations

from peershelf.cli.grammar import Argument, Command

TYPE_CHECKING = False
if TYPE_CHECKING:
    from peershelf.cli.context import Context
    from peershelf.cli.grammar import Call


def run(context: Context, call: Call) -> int:
    """Print the block's CID and size."""
    record = context.backend().unary("block/stat", call.arguments)
    context.show(record, (f"{key}: {record[key]}" for key in ("Key", "Size")))
    return 0


COMMAND = Command(
    "block stat",
    "Show a block's size",
    run,
    arguments=(Argument("CID"),),
    examples=(("block stat CID", "show the size in bytes"),),
)
