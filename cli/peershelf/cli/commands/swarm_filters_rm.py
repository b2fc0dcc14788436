"""`swarm filters rm`: filter addresses no longer."""

from __future__ import annotations

from peershelf.cli.grammar import Argument, Command
from peershelf.cli.peer_lists import show_strings

TYPE_CHECKING = False
if TYPE_CHECKING:
    from peershelf.cli.context import Context
    from peershelf.cli.grammar import Call


def run(context: Context, call: Call) -> int:
    """Print each mask that was there."""
    return show_strings(context, "swarm/filters/rm", call.arguments)


COMMAND = Command(
    "swarm filters rm",
    "Take masks of addresses out of the filters",
    run,
    arguments=(Argument("MASK", many=True),),
    examples=(
        ("swarm filters rm /ip4/192.0.2.0/ipcidr/24", "these may connect again, and are dialed"),
        ("swarm filters rm all", "filter nobody"),
    ),
)
