"""`swarm peering ls`: the peers that stay connected."""

from __future__ import annotations

from peershelf.cli.grammar import Command

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator

    from peershelf.cli.backend import Record
    from peershelf.cli.context import Context
    from peershelf.cli.grammar import Call


def run(context: Context, call: Call) -> int:
    """Print each peer with its addresses below it."""
    record = context.running_daemon().unary("swarm/peering/ls")
    context.show(record, _lines(record))
    return 0


def _lines(record: Record) -> Iterator[str]:
    for peer in record["Peers"] or ():
        yield peer["ID"]
        yield from (f"\t{address}" for address in peer["Addrs"] or ())


COMMAND = Command(
    "swarm peering ls",
    "List the peers to which the daemon stays connected",
    run,
    details="Those that cannot be reached now are listed too: the daemon goes on trying.",
    examples=(("swarm peering ls", "peers, and the addresses at which they are dialed"),),
)
