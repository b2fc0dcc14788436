"""`swarm filters add`: have nothing to do with some addresses."""

from __future__ import annotations

from peershelf.cli.grammar import Argument, Command
from peershelf.cli.peer_lists import show_strings

TYPE_CHECKING = False
if TYPE_CHECKING:
    from peershelf.cli.context import Context
    from peershelf.cli.grammar import Call


def run(context: Context, call: Call) -> int:
    """Print each mask as it is kept."""
    return show_strings(context, "swarm/filters/add", call.arguments)


COMMAND = Command(
    "swarm filters add",
    "Neither take connections in from some addresses nor dial them",
    run,
    arguments=(Argument("MASK", many=True),),
    details="A running daemon does so at once, and closes the connections that it has to them.\n"
    "The masks are kept in the setting Swarm.AddrFilters.",
    examples=(
        ("swarm filters add /ip4/192.0.2.0/ipcidr/24", "256 addresses"),
        ("swarm filters add /ip4/10.0.0.0/ipcidr/8 /ip6/fc00::/ipcidr/7", "private networks of both kinds"),
        ("swarm filters add /ip4/198.51.100.7/ipcidr/32", "one address"),
    ),
)
