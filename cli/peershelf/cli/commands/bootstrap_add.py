"""`bootstrap add`: more peers to meet first."""

from __future__ import annotations

from peershelf.cli.errors import UsageError
from peershelf.cli.grammar import Argument, Command, Option
from peershelf.cli.peer_lists import change

TYPE_CHECKING = False
if TYPE_CHECKING:
    from peershelf.cli.context import Context
    from peershelf.cli.grammar import Call


def run(context: Context, call: Call) -> int:
    """Print a line for each address that was not in the list before."""
    if not call.arguments and not call.flag("default"):
        raise UsageError("ADDR is missing: name one, or --default for those of the public network")
    if call.arguments == ["default"]:
        return change(context, "added", "bootstrap/add/default")
    return change(context, "added", "bootstrap/add", call.arguments, call.only("default"))


COMMAND = Command(
    "bootstrap add",
    "Add peers to those that a daemon meets first",
    run,
    arguments=(Argument("ADDR", many=True, optional=True),),
    options=(Option("--default", "those through which the public network is met"),),
    details="They are kept in the setting Bootstrap.\n"
    "A running daemon takes the new list up when it starts next.",
    examples=(
        ("bootstrap add /ip4/192.0.2.7/tcp/4001/p2p/PEER", "meet this node first"),
        ("bootstrap add /dnsaddr/example.org/p2p/PEER", "at the addresses that DNS has for it"),
        ("bootstrap add --default", "go back to the public network"),
    ),
)
