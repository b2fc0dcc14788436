"""`add`: files and directories become CIDs."""

from __future__ import annotations

import os
import stat

from peershelf.cli import output
from peershelf.cli.errors import UsageError
from peershelf.cli.grammar import Argument, Command, Option
from peershelf.cli.progress import Progress
from peershelf.cli.sources import STDIN, WORTH_HANDING_OVER
from peershelf.cli.text import safe, safe_field
from peershelf.cli.trees import Trees
from peershelf.cli.values import positive_number, whole_number

TYPE_CHECKING = False
if TYPE_CHECKING:
    from peershelf.cli.backend import Record
    from peershelf.cli.context import Context
    from peershelf.cli.grammar import Call

_SENT_ALONG = (
    "only-hash",
    "profile",
    "cid-version",
    "raw-leaves",
    "chunker",
    "hash",
    "max-file-links",
    "max-directory-links",
    "max-hamt-fanout",
    "pin",
    "no-provide",
    "quieter",
    "wrap-with-directory",
    "preserve-mode",
    "preserve-mtime",
    "mode",
    "mtime",
    "mtime-nsecs",
)


def _chunker(text: str) -> int:
    kind, _, size = text.partition("-")
    if kind != "size":
        raise ValueError("size-N is the chunker there is, N being bytes, as in size-262144")
    return positive_number(size)


def _permissions(text: str) -> int:
    if not text.startswith("0") or text.strip("01234567") or len(text) > 5:
        raise ValueError("permissions are written in octal with a 0 before them, as 0644")
    return int(text, 8)


def _seconds(text: str) -> int:
    return -whole_number(text[1:]) if text.startswith("-") else whole_number(text)


def run(context: Context, call: Call) -> int:
    """Upload what is named and print a line for each entry, once it is durable."""
    report = AddReport(context, call)
    sources = Trees(call.arguments or _standard_input(), call, report.skipped)
    report.expect(sources)
    options = call.only(*_SENT_ALONG) | {"progress": "true" if report.progress.enabled else "false"}
    choose = context.reader if call.flag("only-hash") else context.backend
    backend = choose(create=True, hands_over=sources.has_large(WORTH_HANDING_OVER))
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

    def __init__(self, context: Context, call: Call) -> None:
        self._json = context.json
        self._only_last = call.flag("quieter")
        self._only_cids = call.flag("quiet") or self._only_last
        self.progress = Progress(
            enabled=call.flag("progress", default=not self._only_cids and not self._json)
        )
        self._name = ""
        self._bytes = 0
        self._bytes_before = 0
        self._last: Record | None = None

    def expect(self, sources: Trees) -> None:
        """Find out how many bytes there are to add; where directories have to be walked, meanwhile."""
        if not self.progress.enabled:
            return
        if not sources.has_directories:
            self.progress.total = sources.size()
            return
        from threading import Thread

        def count() -> None:
            self.progress.total = sources.size()

        Thread(target=count, daemon=True).start()

    def skipped(self, path: str, kind: str) -> None:
        """Tell of something that cannot be added."""
        self.progress.clear()
        output.note(f"skipped {safe(path)}: a {kind}")

    def receive(self, record: Record) -> None:
        """Take in one record of the node's answer."""
        if "Hash" not in record:
            self._count(str(record.get("Name", "")), int(record.get("Bytes", 0)))
            return
        self._last = record
        if not self._only_last:
            self._print(record)

    def finish(self) -> None:
        """Everything is added: with -Q the last CID is due."""
        if self._only_last and self._last is not None:
            self._print(self._last)

    def _count(self, name: str, count: int) -> None:
        """Progress is told file by file: each count is that of the file, or batch of files, of this name."""
        if name != self._name or count < self._bytes:
            self._bytes_before += self._bytes
        self._name, self._bytes = name, count
        self.progress.update(self._bytes_before + count)

    def _print(self, record: Record) -> None:
        self.progress.clear()
        cid = safe(str(record["Hash"]))
        if self._json:
            output.json_line(record, flush=True)
        elif self._only_cids:
            output.line(cid, flush=True)
        else:
            output.line(f"added {cid} {safe_field(record, 'Name')}".rstrip(), flush=True)


COMMAND = Command(
    "add",
    "Add files and directories and print their CIDs",
    run,
    arguments=(Argument("PATH", many=True, optional=True),),
    details="PATH - is standard input, and so is no PATH where something is piped in. A CID is printed once\n"
    "all that it names is safely on disk, with the pin that protects it. With -r that is the directory's\n"
    "pin, and the directory's CID comes last. Symbolic links are added as links.",
    options=(
        Option("-r, --recursive", "add directories with all that is in them"),
        Option("-w, --wrap-with-directory", "put it all into one directory, which keeps the names"),
        Option("-H, --hidden", "with -r: names that begin with a dot too"),
        Option(
            "--ignore",
            "with -r: leave out what this rule of a .gitignore says; may be repeated",
            metavar="RULE",
            repeatable=True,
        ),
        Option("--ignore-rules-path", "with -r: a file of such rules", metavar="FILE"),
        Option("--dereference-symlinks", "add what symbolic links point to in their place"),
        Option("--dereference-args", "the same, but only for PATHs that are links"),
        Option("--preserve-mode", "keep permissions"),
        Option("--preserve-mtime", "keep times of last change"),
        Option("--mode", "permissions to set instead, as 0644", metavar="OCTAL", check=_permissions),
        Option(
            "--mtime", "time of last change to set, seconds since 1970", metavar="SECONDS", check=_seconds
        ),
        Option("--mtime-nsecs", "nanoseconds of that time", metavar="N", check=whole_number),
        Option("-q, --quiet", "print only the CIDs"),
        Option("-Q, --quieter", "print only the last CID"),
        Option("-n, --only-hash", "work out the CIDs, but store nothing"),
        Option(
            "--profile",
            "how to cut and encode files and directories",
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
        Option("--max-file-links", "most links of a file's node", metavar="N", check=positive_number),
        Option(
            "--max-directory-links",
            "entries beyond which a directory is cut up; 0 sets no such limit",
            metavar="N",
            check=whole_number,
        ),
        Option(
            "--max-hamt-fanout", "slots of a part of such a directory", metavar="N", check=positive_number
        ),
        Option("--pin", "keep what is added when space is reclaimed (default true)"),
        Option("--no-provide", "do not announce it, now or later; who knows the CID still gets it"),
        Option("-p, --progress", "a progress bar on a terminal (default true)"),
        Option("--stdin-name", "the name to give to standard input", metavar="NAME"),
    ),
    examples=(
        ("add big.iso", "add a file"),
        ("add -r photos", "add a directory; the last line has its CID"),
        ("add -rQ -H --ignore '*.tmp' --ignore node_modules/ site", "leave things out, print only the root"),
        ("add -w a.txt b.txt", "add files and a directory that has them in it"),
        ("add -q *.jpg", "add several, print only the CIDs"),
        ("add -n --profile unixfs-v0-2015 big.iso", "the CID that older IPFS nodes would give it"),
        ("add --no-provide letter.pdf", "tell nobody that it is here"),
        ("add - < notes.txt", "add standard input"),
    ),
)
