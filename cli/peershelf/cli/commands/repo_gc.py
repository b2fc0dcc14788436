"""`repo gc`: remove what no pin needs."""

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
    """Collect, print what goes, and at the end what it came to."""
    quiet, silent = call.flag("quiet"), call.flag("silent")
    progress = Progress(enabled=not context.json)
    sums: Record = {}

    def receive(record: Record) -> None:
        nonlocal sums
        if "Key" in record:
            cid = safe(str(record["Key"]["/"]))
            progress.clear()
            if context.json:
                output.json_line(record)
            else:
                output.line(cid if quiet else f"removed {cid}")
        else:
            sums = record
            progress.update(max(int(record.get("Freed") or 0), 0))

    options = {"summary": "true", "silent": "true" if silent else "false", **call.only("forget-lost-pins")}
    try:
        context.backend().records("repo/gc", receive, (), options)
    finally:
        progress.clear()
    if context.json:
        output.json_line(sums)
    elif not quiet and not silent:
        output.line(_told(int(sums.get("Blocks") or 0), int(sums.get("Freed") or 0)))
    return 0


def _told(blocks: int, freed: int) -> str:
    """What became of it. Moving what stays may take more than a little garbage gives back."""
    if not blocks and freed <= 0:
        return "nothing to remove"
    if not blocks:
        return f"freed {human_size(freed)}"
    space = f"freed {human_size(freed)}" if freed > 0 else "freed nothing yet"
    return f"removed {blocks:,} {'block' if blocks == 1 else 'blocks'}, {space}"


COMMAND = Command(
    "repo gc",
    "Remove blocks that no pin needs, and give their space back",
    run,
    details="What is pinned stays, and so does what is being added or read; all else goes on meanwhile.\n"
    "It may be interrupted at any time; run it again to go on. A daemon does this by itself when the repo\n"
    "comes near Datastore.StorageMax (see Datastore.StorageGCWatermark).",
    options=(
        Option("-q, --quiet", "print the CIDs alone"),
        Option("--silent", "print nothing"),
        Option(
            "--forget-lost-pins", "where facts.db was lost: keep what is pinned since then, and nothing else"
        ),
    ),
    examples=(
        ("repo gc", "remove garbage, and say what it was"),
        ("repo gc --silent", "for a timer"),
    ),
)
