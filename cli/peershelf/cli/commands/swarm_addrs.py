"""`swarm addrs`: the addresses of peers."""

from __future__ import annotations

from peershelf.cli import output
from peershelf.cli.grammar import Command
from peershelf.cli.text import safe

TYPE_CHECKING = False
if TYPE_CHECKING:
    from peershelf.cli.context import Context
    from peershelf.cli.grammar import Call


def run(context: Context, call: Call) -> int:
    """Print each peer with its known addresses below it."""
    record = context.running_daemon().unary("swarm/addrs")
    if context.json:
        output.json_line(record)
        return 0
    for peer, addresses in sorted((record["Addrs"] or {}).items()):
        output.line(safe(f"{peer} ({len(addresses)})"))
        for address in addresses:
            output.line("\t" + safe(address))
    return 0


COMMAND = Command(
    "swarm addrs",
    "List the known addresses of peers",
    run,
    examples=(("swarm addrs", "list peers and their addresses"),),
)
