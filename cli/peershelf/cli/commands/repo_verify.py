"""`repo verify`: whether everything stored is sound."""

from __future__ import annotations

from peershelf.cli import output
from peershelf.cli.grammar import Command, Option
from peershelf.cli.progress import Progress
from peershelf.cli.text import human_size, safe

TYPE_CHECKING = False
if TYPE_CHECKING:
    from peershelf.cli.backend import Record
    from peershelf.cli.context import Context
    from peershelf.cli.grammar import Call


def run(context: Context, call: Call) -> int:
    """Verify, print a line for what is not as it should be; 1 if any of it stays."""
    progress = Progress(enabled=not context.json)
    last: Record = {}

    def receive(record: Record) -> None:
        nonlocal last
        last = record
        if "Cid" in record:
            progress.clear()
            _print(context, record)
        else:
            progress.update(int(record.get("Bytes") or 0))

    dials = call.text("peer") is not None
    backend = context.backend(online=dials)
    try:
        backend.records("repo/verify", receive, (), call.only("heal", "drop", "peer"))
    finally:
        progress.clear()
    bad = int(last.get("Bad") or 0)
    if context.json:
        output.json_line(last)
    elif not bad:
        output.line(f"verified {int(last['Progress']):,} blocks, {human_size(int(last['Bytes']))}: all sound")
    if bad:
        output.error(f"{bad} {'block is' if bad == 1 else 'blocks are'} bad{_advice(call)}")
    return 1 if bad else 0


def _print(context: Context, record: Record) -> None:
    if context.json:
        output.json_line(record)
        return
    pin = f" (the pin of {safe(str(record['Pin']))} needs it)" if "Pin" in record else ""
    output.line(f"{safe(str(record['Cid']))} {safe(str(record['State']))}{pin}")


def _advice(call: Call) -> str:
    if call.flag("heal"):
        return ": no peer that is connected sent them; connect to one that has them and try again"
    if call.flag("drop"):
        return ", and pins need them: `repo verify --heal` fetches them from peers"
    return ": `repo verify --heal` fetches them from peers, --drop removes damaged ones"


COMMAND = Command(
    "repo verify",
    "Check that everything stored is sound and all that is pinned is here",
    run,
    details="Reads and hashes every block, names those that are damaged, and looks for what pins need. All\n"
    "else goes on meanwhile. Damaged bytes are never given to anyone, with or without this.",
    options=(
        Option("--heal", "fetch what is damaged or missing from peers"),
        Option("--drop", "remove damaged blocks that are not healed"),
        Option("--peer", "connect to this peer first; needs no daemon", metavar="ADDR"),
    ),
    examples=(
        ("repo verify", "is everything sound?"),
        ("repo verify --heal", "and have it mended"),
    ),
)
