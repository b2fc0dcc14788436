"""`ls`: the entries of directories."""

from __future__ import annotations

import stat

from peershelf.cli import output
from peershelf.cli.grammar import Argument, Command, Option
from peershelf.cli.text import human_size, safe, safe_field
from peershelf.node.go_mode import from_go

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping
    from typing import Any

    from peershelf.cli.backend import Record
    from peershelf.cli.context import Context
    from peershelf.cli.grammar import Call

_DIRECTORY, _FILE, _SYMLINK = 1, 2, 4
_TYPES = {_DIRECTORY: stat.S_IFDIR, _FILE: stat.S_IFREG, _SYMLINK: stat.S_IFLNK}
_NO_TIME = "0001-"


def run(context: Context, call: Call) -> int:
    """Print a line for each entry as it becomes known."""
    table = Table(context, call)
    options = {"stream": "true"} | call.only("size", "resolve-type")
    context.backend(finds=True).records("ls", table.receive, call.arguments, options)
    return 0


class Table:
    """Prints entries in columns whose widths are known beforehand, because the entries are not."""

    def __init__(self, context: Context, call: Call) -> None:
        self._json = context.json
        self._headers = context.verbose or call.flag("headers")
        self._sizes = call.flag("size", default=True)
        self._human = call.flag("human")
        self._long = call.flag("long")
        self._many = len(call.arguments) > 1
        self._directory: str | None = None

    def receive(self, record: Record) -> None:
        """Print what a record tells: a part of one or more directories."""
        if self._json:
            output.json_line(record, flush=True)
            return
        for directory in record["Objects"]:
            if directory["Hash"] != self._directory:
                self._begin(str(directory["Hash"]))
            for entry in directory["Links"] or ():
                self._print(entry)

    def _begin(self, directory: str) -> None:
        if self._many:
            output.line(("" if self._directory is None else "\n") + f"{safe(directory)}:")
        if self._headers:
            cid = "Hash".ljust(len(directory.removeprefix("/ipfs/").partition("/")[0]))
            self._row("Mode", cid, "Size", "ModTime", "Name")
        self._directory = directory

    def _print(self, entry: Mapping[str, Any]) -> None:
        is_directory = entry["Type"] == _DIRECTORY
        size = int(entry["Size"])
        shown = "-" if is_directory else human_size(size) if self._human else str(size)
        name = safe_field(entry, "Name") + ("/" if is_directory else "")
        if self._long and entry["Type"] == _SYMLINK:
            name += f" -> {safe_field(entry, 'Target')}"
        self._row(_mode(entry), safe(str(entry["Hash"])), shown, _time(entry), name)

    def _row(self, mode: str, cid: str, size: str, time: str, name: str) -> None:
        columns = [cid]
        if self._sizes:
            columns.append(f"{size:<9}")
        if self._long:
            columns = [f"{mode:<10}", *columns, f"{time:<16}"]
        output.line(" ".join((*columns, name)), flush=True)


def _mode(entry: Mapping[str, Any]) -> str:
    """As `ls -l` shows permissions. The API has them as Go writes them."""
    mode = int(entry.get("Mode") or 0)
    if not mode:
        return "-"
    return stat.filemode(from_go(mode) | _TYPES.get(entry["Type"], 0))


def _time(entry: Mapping[str, Any]) -> str:
    """Year to minute, in UTC as it is kept."""
    text = str(entry.get("ModTime") or _NO_TIME)
    return "-" if text.startswith(_NO_TIME) else safe(text[:16].replace("T", " "))


COMMAND = Command(
    "ls",
    "List directories",
    run,
    arguments=(Argument("CID[/path]", many=True),),
    details="Prints CID, size in bytes and name of each entry, as they come. Directories end in /.\n"
    "With -v also headers. Sizes and types need the entries' own blocks, which are fetched together.",
    options=(
        Option("--headers", "headers above the columns, as with -v"),
        Option("--resolve-type", "find out which entries are directories (default true)"),
        Option("--size", "find out and print sizes (default true)"),
        Option("-s, --stream", "print entries as they come, which is done anyway"),
        Option("-l, --long", "also permissions, times (UTC) and targets of links, where they were kept"),
        Option("-H, --human", "sizes in readable units"),
    ),
    examples=(
        ("ls CID", "what is in a directory"),
        ("ls -lH CID/photos", "with permissions, times and readable sizes"),
        ("ls --size=false --resolve-type=false CID", "names and CIDs only, without a look at the entries"),
    ),
)
