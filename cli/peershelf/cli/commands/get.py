"""`get`: a CID becomes files on disk."""

from __future__ import annotations

import sys

from peershelf.cli import output
from peershelf.cli.errors import CliError
from peershelf.cli.grammar import Argument, Command, Option
from peershelf.cli.progress import Progress
from peershelf.cli.saving import save
from peershelf.cli.sinks import ArchiveSink, TreeSink
from peershelf.cli.values import positive_number

TYPE_CHECKING = False
if TYPE_CHECKING:
    from peershelf.cli.backend import OnLength, Write
    from peershelf.cli.context import Context
    from peershelf.cli.grammar import Call

_STDOUT = "-"


def _level(text: str) -> int:
    level = positive_number(text)
    if level > 9:
        raise ValueError("1 to 9 is needed")
    return level


def run(context: Context, call: Call) -> int:
    """Write the tree, or the archive, and say where it is."""
    as_archive = call.flag("archive") or call.flag("compress")
    if call.text("output") == _STDOUT:
        return _to_standard_output(context, call, as_archive=as_archive)
    sink = ArchiveSink(_archive_path(call)) if as_archive else TreeSink(call.text("output"))
    progress = Progress(enabled=call.flag("progress", default=True))
    save(context, sink, progress, lambda write: _stream(context, call, write, progress.expect))
    return 0


def _stream(context: Context, call: Call, write: Write, set_total: OnLength = id) -> None:
    dials = call.text("peer") is not None
    options = call.only("archive", "compress", "compression-level", "peer")
    backend = context.backend(create=dials, online=dials, finds=True)
    backend.stream("get", write, call.arguments, options, set_total)


def _to_standard_output(context: Context, call: Call, *, as_archive: bool) -> int:
    if not as_archive:
        raise CliError("-o - needs --archive or --compress; use `cat` for the bytes of a file")
    if sys.stdout.isatty():
        raise CliError("an archive is nothing for a terminal: redirect the output, or name a file with -o")
    _stream(context, call, output.raw)
    return 0


def _archive_path(call: Call) -> str:
    """Where an archive goes: as asked, with the ending that says what it is."""
    path = call.text("output") or call.arguments[0].rstrip("/").rpartition("/")[2]
    tar, gz = (".tar" if call.flag("archive") else ""), (".gz" if call.flag("compress") else "")
    if path.endswith(tar + gz) or (tar and gz and path.endswith(".tgz")):
        return path
    return path + (gz if tar and path.endswith(tar) else tar + gz)


COMMAND = Command(
    "get",
    "Write a file or directory to disk",
    run,
    arguments=(Argument("CID[/path]"),),
    details="Goes to ./CID or ./name, or where -o says. What is there and the same is left alone, so a\n"
    "command that was interrupted is taken up by running it again. Other files of the same names are\n"
    "replaced, each once its new content is whole. Nothing is written outside of the target: a tree with\n"
    "names such as .. is refused. Symbolic links are made as they are, wherever they lead, and never\n"
    "followed. Permissions and times are restored where the tree has them, but never setuid or setgid.",
    options=(
        Option("-o, --output", "where to write; - is standard output, for archives", metavar="PATH"),
        Option("-a, --archive", "write a tar archive"),
        Option("-C, --compress", "compress it with gzip"),
        Option("-l, --compression-level", "from 1, fast, to 9, small", metavar="N", check=_level),
        Option("-p, --progress", "a progress bar on a terminal (default true)"),
        Option("--peer", "connect to this peer first; needs no daemon", metavar="ADDR"),
    ),
    examples=(
        ("get CID", "write it to ./CID"),
        ("get -o photos CID/holiday", "write a part of it to ./photos"),
        ("get -aC -o photos CID", "write ./photos.tar.gz"),
    ),
)
