"""`swarm filters`: the addresses that this node has nothing to do with."""

from __future__ import annotations

from peershelf.cli.grammar import Command
from peershelf.cli.peer_lists import show_strings

TYPE_CHECKING = False
if TYPE_CHECKING:
    from peershelf.cli.context import Context
    from peershelf.cli.grammar import Call


def run(context: Context, call: Call) -> int:
    """Print each mask on a line."""
    return show_strings(context, "swarm/filters")


COMMAND = Command(
    "swarm filters",
    "List the masks of addresses that are neither taken in from nor dialed",
    run,
    details="They are kept in the setting Swarm.AddrFilters.",
    examples=(("swarm filters", "one mask a line"),),
)
