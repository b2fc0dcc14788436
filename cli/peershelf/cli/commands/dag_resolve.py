"""`dag resolve`: in which block a path ends."""

from __future__ import annotations

from peershelf.cli.grammar import Argument, Command

TYPE_CHECKING = False
if TYPE_CHECKING:
    from peershelf.cli.context import Context
    from peershelf.cli.grammar import Call


def run(context: Context, call: Call) -> int:
    """Print the block's CID, and behind it the path that is left inside of the block."""
    record = context.backend().unary("dag/resolve", call.arguments)
    context.show(record, [f"{record['Cid']['/']}{record['RemPath']}"])
    return 0


COMMAND = Command(
    "dag resolve",
    "Find the block in which a path ends",
    run,
    arguments=(Argument("CID[/path]"),),
    details="Prints the CID of the last block on the way and what of the path is left inside of it.",
    examples=(("dag resolve CID/people/0/photo", "the CID of the photo, if that is a link"),),
)
