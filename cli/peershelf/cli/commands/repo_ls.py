"""`repo ls`: every block that is stored."""

from __future__ import annotations

from peershelf.cli.commands.refs import printer
from peershelf.cli.grammar import Command

TYPE_CHECKING = False
if TYPE_CHECKING:
    from peershelf.cli.context import Context
    from peershelf.cli.grammar import Call


def run(context: Context, call: Call) -> int:
    """Print a line for each block."""
    context.backend().records("repo/ls", printer(context))
    return 0


COMMAND = Command(
    "repo ls",
    "List every block in the store, as `refs local` does",
    run,
    examples=(("repo ls | wc -l", "how many blocks there are"),),
)
