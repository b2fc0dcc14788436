"""`pin verify`: whether all that is pinned is here and sound."""

from __future__ import annotations

from peershelf.cli import output
from peershelf.cli.commands.pin_add import SHOW_PROGRESS
from peershelf.cli.grammar import Command, Option
from peershelf.cli.progress import Progress
from peershelf.cli.text import one_line, safe

TYPE_CHECKING = False
if TYPE_CHECKING:
    from peershelf.cli.backend import Record
    from peershelf.cli.context import Context
    from peershelf.cli.grammar import Call


def run(context: Context, call: Call) -> int:
    """Read everything that is pinned; 1 if something is missing or damaged."""
    broken = 0
    progress = Progress(enabled=call.flag("progress", default=True) and not context.json)

    def receive(record: Record) -> None:
        nonlocal broken
        if "Cid" not in record:
            progress.update(int(record.get("Progress") or 0))
            return
        progress.clear()
        broken += not record["Ok"]
        if context.json:
            output.json_line(record)
        else:
            _print(record, quiet=call.flag("quiet"))

    options = {**call.only("verbose"), "progress": "true" if progress.enabled else "false"}
    if context.verbose:
        options["verbose"] = "true"
    try:
        context.backend().records("pin/verify", receive, (), options)
    finally:
        progress.clear()
    if broken:
        output.error(
            f"{broken} {'pin is' if broken == 1 else 'pins are'} not whole: try `repo verify --heal`"
        )
    return 1 if broken else 0


def _print(record: Record, *, quiet: bool) -> None:
    cid = safe(str(record["Cid"]))
    if quiet:
        output.line(cid)
    elif record["Ok"]:
        output.line(f"{cid} ok")
    else:
        output.line(f"{cid} broken")
        for bad in record.get("BadNodes") or ():
            output.line(f"  {safe(str(bad['Cid']))} {one_line(str(bad['Err']))}")


COMMAND = Command(
    "pin verify",
    "Check that everything that is pinned is here and sound",
    run,
    details="Reads and hashes every block that a pin needs, and names those that are missing or damaged.",
    options=(
        Option("-q, --quiet", "print the CIDs of broken pins alone"),
        SHOW_PROGRESS,
    ),
    examples=(
        ("pin verify", "is everything whole?"),
        ("pin verify -v", "a line for each pin that is, too"),
    ),
)
