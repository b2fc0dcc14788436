"""`swarm disconnect`: leave peers."""

from __future__ import annotations

from peershelf.cli import output
from peershelf.cli.grammar import Argument, Command
from peershelf.cli.text import safe

TYPE_CHECKING = False
if TYPE_CHECKING:
    from peershelf.cli.context import Context
    from peershelf.cli.grammar import Call


def run(context: Context, call: Call) -> int:
    """Close the connections to each peer; 1 if one of them was not connected."""
    lines: list[str] = context.running_daemon().unary("swarm/disconnect", call.arguments)["Strings"]
    failed = [text for text in lines if " failure" in text]
    if context.json:
        output.json_line({"Strings": lines})
        return int(bool(failed))
    for text in lines:
        if text not in failed:
            output.line(safe(text))
    for text in failed:
        output.error(text)
    return int(bool(failed))


COMMAND = Command(
    "swarm disconnect",
    "Close the connections to peers",
    run,
    arguments=(Argument("PEER", many=True),),
    details="PEER is a peer ID or an address that ends in one.",
    examples=(("swarm disconnect /p2p/PEER", "leave that node"),),
)
