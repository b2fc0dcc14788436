"""`add`: files become CIDs."""

from __future__ import annotations

import os
import stat

from peershelf.cli import output
from peershelf.cli.errors import UsageError
from peershelf.cli.grammar import Argument, Command, Option
from peershelf.cli.progress import Progress
from peershelf.cli.sources import STDIN, collect
from peershelf.cli.text import safe
from peershelf.cli.values import positive_number

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence

    from peershelf.cli.backend import Record
    from peershelf.cli.context import Context
    from peershelf.cli.grammar import Call
    from peershelf.cli.sources import Source

_SENT_ALONG = (
    "only-hash",
    "profile",
    "cid-version",
    "raw-leaves",
    "chunker",
    "hash",
    "max-file-links",
    "pin",
)


def _chunker(text: str) -> int:
    kind, _, size = text.partition("-")
    if kind != "size":
        raise ValueError("size-N is the chunker there is, N being bytes, as in size-262144")
    return positive_number(size)


def run(context: Context, call: Call) -> int:
    """Upload the files and print a line for each, once it is durable."""
    sources = collect(call.arguments or _standard_input(), call.text("stdin-name") or "")
    report = AddReport(context, call, sources)
    options = call.only(*_SENT_ALONG) | {"progress": "true" if report.progress.enabled else "false"}
    choose = context.reader if call.flag("only-hash") else context.backend
    backend = choose(create=True)
    try:
        backend.records("add", report.receive, options=options, sources=sources)
    finally:
        report.progress.clear()
    report.finish()
    return 0


def _standard_input() -> list[str]:
    """What to add where no path is given: what is piped in. A terminal, or /dev/null, is no such thing."""
    try:
        piped = not stat.S_ISCHR(os.fstat(0).st_mode)
    except OSError:
        piped = False
    if not piped:
        raise UsageError(f"PATH is missing: {COMMAND.synopsis()}")
    return [STDIN]


class AddReport:
    """Prints what an add reports: progress on standard error, CIDs on standard output."""

    def __init__(self, context: Context, call: Call, sources: Sequence[Source]) -> None:
        self._json = context.json
        self._only_last = call.flag("quieter")
        self._only_cids = call.flag("quiet") or self._only_last
        sizes = [source.size for source in sources]
        self.progress = Progress(
            enabled=call.flag("progress", default=not self._only_cids and not self._json),
            total=None if None in sizes else sum(size for size in sizes if size is not None),
        )
        self._sizes = iter(sizes)
        self._finished_bytes = 0
        self._last: Record | None = None

    def receive(self, record: Record) -> None:
        """Take in one record of the node's answer."""
        if "Hash" not in record:
            self.progress.update(self._finished_bytes + int(record.get("Bytes", 0)))
            return
        self._finished_bytes += next(self._sizes, None) or 0
        self._last = record
        if not self._only_last:
            self._print(record)

    def finish(self) -> None:
        """Everything is added: with -Q the last CID is due."""
        if self._only_last and self._last is not None:
            self._print(self._last)

    def _print(self, record: Record) -> None:
        self.progress.clear()
        cid = safe(str(record["Hash"]))
        if self._json:
            output.json_line(record, flush=True)
        elif self._only_cids:
            output.line(cid, flush=True)
        else:
            output.line(f"added {cid} {safe(str(record['Name']))}", flush=True)


COMMAND = Command(
    "add",
    "Add files and print their CIDs",
    run,
    arguments=(Argument("PATH", many=True, optional=True),),
    details="PATH - is standard input, and so is no PATH where something is piped in. A CID is printed once\n"
    "the file and its pin are safely on disk.",
    options=(
        Option("-q, --quiet", "print only the CIDs"),
        Option("-Q, --quieter", "print only the last CID"),
        Option("-n, --only-hash", "work out the CIDs, but store nothing"),
        Option(
            "--profile",
            "how to cut and encode files",
            metavar="NAME",
            choices=("unixfs-v1-2025", "unixfs-v0-2015"),
        ),
        Option("--cid-version", "the version of the CIDs", metavar="N", choices=("0", "1")),
        Option("--raw-leaves", "store the file's bytes in bare blocks"),
        Option("-s, --chunker", "bytes a block, as size-262144", metavar="size-N", check=_chunker),
        Option(
            "--hash",
            "the hash function",
            metavar="NAME",
            choices=("sha2-256", "sha2-512", "blake3", "blake2b-256"),
        ),
        Option("--max-file-links", "most links of a node", metavar="N", check=positive_number),
        Option("--pin", "keep the files when space is reclaimed (default true)"),
        Option("-p, --progress", "a progress bar on a terminal (default true)"),
        Option("--stdin-name", "the name to give to standard input", metavar="NAME"),
    ),
    examples=(
        ("add big.iso", "add a file"),
        ("add -q *.jpg", "add several, print only the CIDs"),
        ("add -n --profile unixfs-v0-2015 big.iso", "the CID that older IPFS nodes would give it"),
        ("add - < notes.txt", "add standard input"),
    ),
)
