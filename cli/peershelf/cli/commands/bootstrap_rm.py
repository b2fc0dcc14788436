"""`bootstrap rm`: fewer peers to meet first."""

from __future__ import annotations

from peershelf.cli.errors import UsageError
from peershelf.cli.grammar import Argument, Command, Option
from peershelf.cli.peer_lists import change

TYPE_CHECKING = False
if TYPE_CHECKING:
    from peershelf.cli.context import Context
    from peershelf.cli.grammar import Call


def run(context: Context, call: Call) -> int:
    """Print a line for each address that was in the list."""
    if not call.arguments and not call.flag("all"):
        raise UsageError("ADDR is missing: name one, or --all")
    if call.arguments == ["all"]:
        return change(context, "removed", "bootstrap/rm/all")
    return change(context, "removed", "bootstrap/rm", call.arguments, call.only("all"))


COMMAND = Command(
    "bootstrap rm",
    "Remove peers from those that a daemon meets first",
    run,
    arguments=(Argument("ADDR", many=True, optional=True),),
    options=(Option("--all", "all of them: a daemon then dials only peers that are named to it"),),
    examples=(
        ("bootstrap rm /ip4/192.0.2.7/tcp/4001/p2p/PEER", "meet this node first no more"),
        ("bootstrap rm --all", "stay away from the public network"),
    ),
)
