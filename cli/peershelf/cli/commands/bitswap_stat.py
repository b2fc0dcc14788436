"""`bitswap stat`: what was exchanged with peers."""

from __future__ import annotations

from peershelf.cli import output
from peershelf.cli.grammar import Command, Option
from peershelf.cli.text import human_size, safe

TYPE_CHECKING = False
if TYPE_CHECKING:
    from peershelf.cli.context import Context
    from peershelf.cli.grammar import Call

_COUNTS = (
    ("blocks received", "BlocksReceived"),
    ("blocks sent", "BlocksSent"),
    ("dup blocks received", "DupBlksReceived"),
)
_SIZES = (
    ("data received", "DataReceived"),
    ("data sent", "DataSent"),
    ("dup data received", "DupDataReceived"),
)


def run(context: Context, call: Call) -> int:
    """Print the counters since the daemon started, what is wanted now, and how many partners there are."""
    record = context.running_daemon().unary("bitswap/stat")
    if context.json:
        output.json_line(record)
        return 0
    shown = human_size if call.flag("human") else str
    output.line("bitswap status")
    for title, key in _COUNTS:
        output.line(f"\t{title}: {int(record.get(key, 0))}")
    for title, key in _SIZES:
        output.line(f"\t{title}: {shown(int(record.get(key, 0)))}")
    _print_list("wantlist", "keys", [wanted["/"] for wanted in record["Wantlist"] or ()], details=True)
    _print_list("partners", "", record["Peers"] or [], details=context.verbose)
    return 0


def _print_list(title: str, unit: str, items: list[str], *, details: bool) -> None:
    output.line(f"\t{title} [{f'{len(items)} {unit}'.rstrip()}]")
    for item in items if details else ():
        output.line("\t\t" + safe(item))


COMMAND = Command(
    "bitswap stat",
    "Show what was exchanged with peers",
    run,
    details="With -v the partners are listed.",
    options=(Option("-H, --human", "sizes in readable units"),),
    examples=(("bitswap stat --human", "blocks and bytes since the daemon started"),),
)
