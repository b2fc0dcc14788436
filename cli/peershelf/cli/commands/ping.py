"""`ping`: measure the way to a peer."""

from __future__ import annotations

from peershelf.cli.grammar import Argument, Command, Option
from peershelf.cli.text import human_duration
from peershelf.cli.values import positive_number

TYPE_CHECKING = False
if TYPE_CHECKING:
    from peershelf.cli.backend import Record
    from peershelf.cli.context import Context
    from peershelf.cli.grammar import Call


def run(context: Context, call: Call) -> int:
    """Print each round trip as it is measured."""

    def show(record: Record) -> None:
        took = f"Pong received: time={human_duration(record.get('Time', 0) / 1e9)}"
        context.show(record, [str(record.get("Text") or took)], flush=True)

    context.running_daemon().records("ping", show, call.arguments, call.only("count"))
    return 0


COMMAND = Command(
    "ping",
    "Measure round trips to a peer",
    run,
    arguments=(Argument("PEER"),),
    details="PEER is the ID of a peer, connected or to be found, or an address that ends in one.",
    options=(
        Option("-n, --count", "how many, one a second (default 10)", metavar="N", check=positive_number),
    ),
    examples=(("ping -n 3 PEER", "three round trips"),),
)
