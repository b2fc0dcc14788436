"""`swarm addrs local`: where this node can be reached."""

from __future__ import annotations

from peershelf.cli.grammar import Command, Option

TYPE_CHECKING = False
if TYPE_CHECKING:
    from peershelf.cli.context import Context
    from peershelf.cli.grammar import Call


def run(context: Context, call: Call) -> int:
    """Print the addresses, one a line."""
    record = context.running_daemon().unary("swarm/addrs/local", (), call.only("id"))
    context.show(record, record["Strings"] or ())
    return 0


COMMAND = Command(
    "swarm addrs local",
    "List the addresses at which this node can be reached",
    run,
    options=(Option("--id", "with the peer ID, as another node's `swarm connect` takes them"),),
    examples=(("swarm addrs local --id", "what to give to somebody who wants to connect"),),
)
