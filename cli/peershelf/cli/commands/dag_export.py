"""`dag export`: a DAG as a CAR."""

from __future__ import annotations

import sys

from peershelf.cli import output
from peershelf.cli.errors import CliError
from peershelf.cli.grammar import Argument, Command, Option
from peershelf.cli.progress import Progress

TYPE_CHECKING = False
if TYPE_CHECKING:
    from peershelf.cli.backend import Write
    from peershelf.cli.context import Context
    from peershelf.cli.grammar import Call

_STDOUT = "-"


def run(context: Context, call: Call) -> int:
    """Write the archive to standard output, or to a file that gets its name when it is whole."""
    path = call.text("output") or _STDOUT
    if path != _STDOUT:
        return _to_file(context, call, path)
    if sys.stdout.isatty():
        raise CliError("an archive is nothing for a terminal: redirect the output, or name a file with -o")
    progress = _progress(call)
    try:
        _stream(context, call, progress.counting(output.raw))
    finally:
        progress.clear()
    return 0


def _to_file(context: Context, call: Call, path: str) -> int:
    from peershelf.cli.saving import save
    from peershelf.cli.sinks import ArchiveSink

    save(context, ArchiveSink(path), _progress(call), lambda write: _stream(context, call, write))
    return 0


def _stream(context: Context, call: Call, write: Write) -> None:
    context.backend(finds=True).stream("dag/export", write, call.arguments)


def _progress(call: Call) -> Progress:
    return Progress(enabled=call.flag("progress", default=True))


COMMAND = Command(
    "dag export",
    "Write a DAG as a CAR archive",
    run,
    arguments=(Argument("CID[/path]"),),
    details="Each block stands in it once, parents before children. It is the file that Kubo writes.",
    options=(
        Option("-o, --output", "a file to write to; it gets its name once it is whole", metavar="PATH"),
        Option("-p, --progress", "show on a terminal how far it is (default true)"),
    ),
    examples=(
        ("dag export CID > tree.car", "everything below a CID in one file"),
        ("dag export -o tree.car CID", "the same; no file if it fails"),
    ),
)
