"""`swarm peering add`: stay connected to peers."""

from __future__ import annotations

from peershelf.cli.grammar import Argument, Command
from peershelf.cli.peer_lists import show_results

TYPE_CHECKING = False
if TYPE_CHECKING:
    from peershelf.cli.context import Context
    from peershelf.cli.grammar import Call


def run(context: Context, call: Call) -> int:
    """Print a line for each peer; the daemon dials them meanwhile."""
    return show_results(context, "add", "swarm/peering/add", call.arguments)


COMMAND = Command(
    "swarm peering add",
    "Stay connected to peers, until the daemon ends",
    run,
    arguments=(Argument("ADDR", many=True),),
    details="Their connections are never closed for being too many, and made again when they end.\n"
    "The setting Peering.Peers does the same for ever.",
    examples=(
        ("swarm peering add /ip4/192.0.2.7/tcp/4001/p2p/PEER", "until the daemon ends"),
        ("swarm peering add /dnsaddr/example.org/p2p/PEER", "at the addresses that DNS has for it"),
    ),
)
