"""`routing findprovs`: who has a CID."""

from __future__ import annotations

from peershelf.cli import output
from peershelf.cli.grammar import Argument, Command, Option
from peershelf.cli.text import safe
from peershelf.cli.values import positive_number

TYPE_CHECKING = False
if TYPE_CHECKING:
    from peershelf.cli.backend import Record
    from peershelf.cli.context import Context
    from peershelf.cli.grammar import Call


def run(context: Context, call: Call) -> int:
    """Print each provider as it is found; 1 if there was none."""
    found = 0
    with_addresses = call.flag("addresses")

    def show(record: Record) -> None:
        nonlocal found
        found += 1
        if context.json:
            output.json_line(record, flush=True)
            return
        for peer in record["Responses"]:
            output.line(safe(str(peer["ID"])), flush=True)
            for address in peer["Addrs"] if with_addresses else ():
                output.line("\t" + safe(str(address)), flush=True)

    context.running_daemon().records("routing/findprovs", show, call.arguments, call.only("num-providers"))
    if not found:
        output.error("no provider was found")
    return 0 if found else 1


COMMAND = Command(
    "routing findprovs",
    "Find peers that have a CID",
    run,
    arguments=(Argument("CID"),),
    options=(
        Option("-n, --num-providers", "how many to find (default 20)", metavar="N", check=positive_number),
        Option("--addresses", "print their addresses too"),
    ),
    examples=(("routing findprovs -n 3 CID", "three peers that say that they have it"),),
)
