"""`block get`: one block's bytes."""

from __future__ import annotations

from peershelf.cli import output
from peershelf.cli.grammar import Argument, Command

TYPE_CHECKING = False
if TYPE_CHECKING:
    from peershelf.cli.context import Context
    from peershelf.cli.grammar import Call


def run(context: Context, call: Call) -> int:
    """Write the block to standard output."""
    context.backend(finds=True).stream("block/get", output.raw, call.arguments)
    return 0


COMMAND = Command(
    "block get",
    "Print a block's bytes",
    run,
    arguments=(Argument("CID"),),
    examples=(("block get CID > block.bin", "write a block to a file"),),
)
