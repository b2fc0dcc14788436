"""`bootstrap list`: the peers to meet first."""

from __future__ import annotations

from peershelf.cli.grammar import Command

TYPE_CHECKING = False
if TYPE_CHECKING:
    from peershelf.cli.context import Context
    from peershelf.cli.grammar import Call


def run(context: Context, call: Call) -> int:
    """Print each address on a line."""
    record = context.reader().unary("bootstrap/list")
    context.show(record, record["Peers"] or ())
    return 0


COMMAND = Command(
    "bootstrap list",
    "List the peers that a daemon meets first",
    run,
    examples=(("bootstrap list", "one address a line, in the order of the setting Bootstrap"),),
)
