"""`dag import`: the blocks of CARs into the store."""

from __future__ import annotations

from peershelf.cli import output
from peershelf.cli.grammar import Argument, Command, Option
from peershelf.cli.progress import Progress
from peershelf.cli.sources import STDIN, collect
from peershelf.cli.text import one_line, safe

TYPE_CHECKING = False
if TYPE_CHECKING:
    from peershelf.cli.backend import Record
    from peershelf.cli.context import Context
    from peershelf.cli.grammar import Call


def run(context: Context, call: Call) -> int:
    """Import, and print what became of the roots; 1 if one could not be pinned."""
    failures = 0
    silent = call.flag("silent")
    sources = collect(call.arguments or [STDIN])
    sizes = [source.size for source in sources]
    progress = Progress(
        enabled=call.flag("progress", default=True) and not context.json and not silent,
        total=None if None in sizes else sum(size or 0 for size in sizes),
    )

    def show(record: Record) -> None:
        nonlocal failures
        if "Progress" in record:
            progress.update(int(record["Progress"]))
            return
        progress.clear()
        problem = str(record["Root"].get("PinErrorMsg") or "") if "Root" in record else ""
        failures += bool(problem)
        if context.json:
            output.json_line(record)
        elif problem:
            output.error(f"{safe(str(record['Root']['Cid']['/']))} was not pinned: {one_line(problem)}")
        elif not silent:
            output.line(_line(record))

    options = {
        **call.only("pin-roots", "no-provide", "stats"),
        "progress": "true" if progress.enabled else "false",
    }
    try:
        context.backend(create=True).records("dag/import", show, options=options, sources=sources)
    finally:
        progress.clear()
    return 1 if failures else 0


def _line(record: Record) -> str:
    if "Root" in record:
        return f"pinned root {safe(str(record['Root']['Cid']['/']))}"
    stats = record["Stats"]
    return f"imported {int(stats['BlockCount'])} blocks ({int(stats['BlockBytesCount'])} bytes)"


COMMAND = Command(
    "dag import",
    "Store the blocks of CAR archives, and pin their roots",
    run,
    arguments=(Argument("FILE", many=True, optional=True),),
    details="Without FILE, standard input. Reads versions 1 and 2. Every block is hashed: an archive with a\n"
    "wrong block, or one that is not whole, pins nothing. A root is pinned only if all below it is here.",
    options=(
        Option("--pin-roots", "pin the roots (default true)"),
        Option("--no-provide", "do not announce the roots, now or later"),
        Option("--stats", "print how many blocks there were"),
        Option("--silent", "print errors alone"),
        Option("-p, --progress", "show on a terminal how far it is (default true)"),
    ),
    examples=(
        ("dag import tree.car", "a whole tree from a file"),
        ("dag import < tree.car", "from standard input"),
    ),
)
