"""`routing findpeer`: where a peer is."""

from __future__ import annotations

from peershelf.cli.grammar import Argument, Command

TYPE_CHECKING = False
if TYPE_CHECKING:
    from peershelf.cli.backend import Record
    from peershelf.cli.context import Context
    from peershelf.cli.grammar import Call


def run(context: Context, call: Call) -> int:
    """Print the peer's addresses."""

    def show(record: Record) -> None:
        context.show(record, (address for peer in record["Responses"] for address in peer["Addrs"]))

    context.running_daemon().records("routing/findpeer", show, call.arguments)
    return 0


COMMAND = Command(
    "routing findpeer",
    "Find the addresses of a peer",
    run,
    arguments=(Argument("PEER"),),
    examples=(("routing findpeer PEER", "ask the DHT where it is"),),
)
