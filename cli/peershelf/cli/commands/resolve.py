"""`resolve`: what a path leads to."""

from __future__ import annotations

from peershelf.cli.grammar import Argument, Command

TYPE_CHECKING = False
if TYPE_CHECKING:
    from peershelf.cli.context import Context
    from peershelf.cli.grammar import Call


def run(context: Context, call: Call) -> int:
    """Print the path of the same content that has its own CID."""
    record = context.backend(finds=True).unary("resolve", call.arguments)
    context.show(record, [str(record["Path"])])
    return 0


COMMAND = Command(
    "resolve",
    "Find the CID that a path leads to",
    run,
    arguments=(Argument("CID[/path]"),),
    examples=(("resolve CID/docs/readme.txt", "the CID of one file in a directory"),),
)
