"""`swarm peering ls`: the peers that stay connected."""

from __future__ import annotations

from peershelf.cli import output
from peershelf.cli.grammar import Command
from peershelf.cli.text import safe

TYPE_CHECKING = False
if TYPE_CHECKING:
    from peershelf.cli.context import Context
    from peershelf.cli.grammar import Call


def run(context: Context, call: Call) -> int:
    """Print each peer with its addresses below it."""
    record = context.running_daemon().unary("swarm/peering/ls")
    if context.json:
        output.json_line(record)
        return 0
    for peer in record["Peers"] or ():
        output.line(safe(peer["ID"]))
        for address in peer["Addrs"] or ():
            output.line("\t" + safe(address))
    return 0


COMMAND = Command(
    "swarm peering ls",
    "List the peers to which the daemon stays connected",
    run,
    details="Those that cannot be reached now are listed too: the daemon goes on trying.",
    examples=(("swarm peering ls", "peers, and the addresses at which they are dialed"),),
)
