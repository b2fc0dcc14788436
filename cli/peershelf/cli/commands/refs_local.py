"""`refs local`: what is stored here."""

from __future__ import annotations

from peershelf.cli.commands.refs import printer
from peershelf.cli.grammar import Command

TYPE_CHECKING = False
if TYPE_CHECKING:
    from peershelf.cli.context import Context
    from peershelf.cli.grammar import Call


def run(context: Context, call: Call) -> int:
    """Print the CID of every block, one a line."""
    context.backend().records("refs/local", printer(context))
    return 0


COMMAND = Command(
    "refs local",
    "List every block in the store",
    run,
    details="Blocks are kept by their hash, so each is shown as a CIDv1 of raw bytes,\n"
    "whatever it was added as.",
    examples=(("refs local | wc -l", "count the blocks"),),
)
