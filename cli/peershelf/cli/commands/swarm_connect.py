"""`swarm connect`: dial peers."""

from __future__ import annotations

from peershelf.cli.grammar import Argument, Command

TYPE_CHECKING = False
if TYPE_CHECKING:
    from peershelf.cli.context import Context
    from peershelf.cli.grammar import Call


def run(context: Context, call: Call) -> int:
    """Connect to each address and print the peer that was found there."""
    record = context.running_daemon().unary("swarm/connect", call.arguments)
    context.show(record, record["Strings"])
    return 0


COMMAND = Command(
    "swarm connect",
    "Connect to peers",
    run,
    arguments=(Argument("ADDR", many=True),),
    details="A peer's addresses, with its ID, are what `id` and `daemon` print there. A peer that is named\n"
    "by its ID alone is dialed where it was reached before, or else where others know it to be.",
    examples=(
        ("swarm connect /ip4/192.0.2.7/tcp/4001/p2p/PEER", "connect to that node"),
        ("swarm connect /p2p/PEER", "find that node, and connect to it"),
    ),
)
