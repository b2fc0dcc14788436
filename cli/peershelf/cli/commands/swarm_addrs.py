"""`swarm addrs`: the addresses of peers."""

from __future__ import annotations

from peershelf.cli.grammar import Command

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator

    from peershelf.cli.backend import Record
    from peershelf.cli.context import Context
    from peershelf.cli.grammar import Call


def run(context: Context, call: Call) -> int:
    """Print each peer with its known addresses below it."""
    record = context.running_daemon().unary("swarm/addrs")
    context.show(record, _lines(record))
    return 0


def _lines(record: Record) -> Iterator[str]:
    for peer, addresses in sorted((record["Addrs"] or {}).items()):
        yield f"{peer} ({len(addresses)})"
        yield from (f"\t{address}" for address in addresses)


COMMAND = Command(
    "swarm addrs",
    "List the known addresses of peers",
    run,
    examples=(("swarm addrs", "list peers and their addresses"),),
)
