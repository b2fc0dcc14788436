"""`swarm addrs autonat`: whether the world reaches this node."""

from __future__ import annotations

from peershelf.cli.grammar import Command

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator

    from peershelf.cli.backend import Record
    from peershelf.cli.context import Context
    from peershelf.cli.grammar import Call

_SAID = {
    "Public": "public: the world reaches this node",
    "Private": "private: others tried and did not reach this node",
    "Unknown": "unknown: nobody has proved it yet, or shown that it is not so",
}


def run(context: Context, call: Call) -> int:
    """Print the standing, and below each address what every server said of it."""
    record = context.running_daemon().unary("swarm/addrs/autonat")
    context.show(record, _lines(record))
    return 0


def _lines(record: Record) -> Iterator[str]:
    yield _SAID.get(record["reachability"], str(record["reachability"]))
    for check in record["checks"] or ():
        yield f"{check['address']}  {check['reachability'].lower()}, asked again after {check['next']}"
        yield from (
            f"\t{asked['when']}  {asked['peer']}  {asked['outcome']}" for asked in check["asked"] or ()
        )


COMMAND = Command(
    "swarm addrs autonat",
    "Show whether the world reaches this node, and who said so",
    run,
    details="Other peers are asked to dial each address that this node may have (AutoNAT v2).\n"
    "An address is public once three networks have reached it, or most of those that could\n"
    "be asked. With Routing.Type auto, a node that has one serves the DHT of the world.",
    examples=(
        ("swarm addrs autonat", "each address, and what came of asking"),
        ("swarm addrs autonat --json", "the same with the keys of Kubo's API, and `checks`"),
    ),
)
