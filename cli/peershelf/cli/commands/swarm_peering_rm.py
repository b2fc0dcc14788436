"""`swarm peering rm`: stay connected to peers no longer."""

from __future__ import annotations

from peershelf.cli.grammar import Argument, Command
from peershelf.cli.peer_lists import show_results

TYPE_CHECKING = False
if TYPE_CHECKING:
    from peershelf.cli.context import Context
    from peershelf.cli.grammar import Call


def run(context: Context, call: Call) -> int:
    """Print a line for each peer."""
    return show_results(context, "remove", "swarm/peering/rm", call.arguments)


COMMAND = Command(
    "swarm peering rm",
    "Stay connected to peers no longer",
    run,
    arguments=(Argument("PEER", many=True),),
    details="A connection that there is now stays as long as any other; `swarm disconnect` ends it.",
    examples=(("swarm peering rm PEER", "by its ID, or an address that ends in it"),),
)
