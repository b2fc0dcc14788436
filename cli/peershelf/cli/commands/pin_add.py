"""`pin add`: keep what CIDs lead to."""

from __future__ import annotations

from peershelf.cli import output
from peershelf.cli.grammar import Argument, Command, Option
from peershelf.cli.progress import Progress
from peershelf.cli.text import safe

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from peershelf.cli.backend import OnRecord, Record
    from peershelf.cli.context import Context
    from peershelf.cli.grammar import Call

    Run = Callable[[Mapping[str, str], OnRecord], None]

SHOW_PROGRESS = Option("--progress", "show on a terminal how far it is (default true)")


def run(context: Context, call: Call) -> int:
    """Fetch what is not here, pin, and print a line for each pin."""
    dials = call.text("peer") is not None
    options = call.only("recursive", "name", "no-provide", "peer")
    backend = context.backend(create=dials, online=dials, finds=True)
    how = "recursively" if call.flag("recursive", default=True) else "directly"
    pinned: list[str] = []

    def done(record: Record) -> None:
        pinned.extend(map(str, record["Pins"]))
        if context.json:
            output.json_line(record)

    show_progress(
        context, call, options, lambda sent, on: backend.records("pin/add", on, call.arguments, sent), done
    )
    if not context.json:
        for cid in pinned:
            output.line(f"pinned {safe(cid)} {how}")
    return 0


def show_progress(context: Context, call: Call, options: Mapping[str, str], run: Run, done: OnRecord) -> None:
    """Run an operation that tells of bytes that are here, and at the end one record more."""
    progress = Progress(enabled=call.flag("progress", default=True) and not context.json)

    def receive(record: Record) -> None:
        if "Pins" in record:
            progress.clear()
            done(record)
        else:
            progress.update(int(record.get("Bytes") or 0))

    try:
        run({**options, "progress": "true" if progress.enabled else "false"}, receive)
    finally:
        progress.clear()


COMMAND = Command(
    "pin add",
    "Keep what CIDs lead to, whatever `repo gc` does",
    run,
    arguments=(Argument("CID[/path]", many=True),),
    details="What is not here is fetched. It is pinned once all of it is here and survives a power loss.\n"
    "A command that was interrupted has pinned nothing; run again, it goes on from what is here.",
    options=(
        Option("-r, --recursive", "with everything below (default true); =false: the block alone"),
        Option("-n, --name", "a label, shown by `pin ls --names`", metavar="TEXT"),
        Option("--no-provide", "do not announce it, now or later"),
        Option("--peer", "connect to this peer first; needs no daemon", metavar="ADDR"),
        SHOW_PROGRESS,
    ),
    examples=(
        ("pin add CID", "keep a file or a whole tree"),
        ("pin add --name holiday CID/2026", "keep a part of it, under a name"),
    ),
)
