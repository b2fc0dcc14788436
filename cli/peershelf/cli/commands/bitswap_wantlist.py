"""`bitswap wantlist`: which blocks are being asked for."""

from __future__ import annotations

from peershelf.cli.grammar import Command, Option

TYPE_CHECKING = False
if TYPE_CHECKING:
    from peershelf.cli.context import Context
    from peershelf.cli.grammar import Call


def run(context: Context, call: Call) -> int:
    """Print the CIDs, one a line."""
    record = context.running_daemon().unary("bitswap/wantlist", (), call.only("peer"))
    context.show(record, (str(wanted["/"]) for wanted in record["Keys"] or ()))
    return 0


COMMAND = Command(
    "bitswap wantlist",
    "List the blocks that are being asked for",
    run,
    options=(Option("-p, --peer", "what this peer asks of us", metavar="PEER"),),
    examples=(
        ("bitswap wantlist", "what this node waits for"),
        ("bitswap wantlist -p PEER", "what that peer waits for"),
    ),
)
