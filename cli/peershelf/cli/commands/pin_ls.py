"""`pin ls`: what is pinned."""

from __future__ import annotations

from peershelf.cli import output
from peershelf.cli.grammar import Argument, Command, Option
from peershelf.cli.text import safe

TYPE_CHECKING = False
if TYPE_CHECKING:
    from peershelf.cli.backend import Record
    from peershelf.cli.context import Context
    from peershelf.cli.grammar import Call

_TYPES = ("pinned", "all", "direct", "indirect", "recursive")


def run(context: Context, call: Call) -> int:
    """Print a line for each pin as it is found."""
    quiet, names = call.flag("quiet"), call.flag("names") or call.text("name") is not None
    default = "all" if call.arguments else "pinned"
    options = {"type": call.text("type") or default, "stream": "true", "names": "true", **call.only("name")}

    def show(record: Record) -> None:
        cid, name = safe(str(record["Cid"])), safe(str(record.get("Name") or ""))
        if context.json:
            output.json_line(record)
        elif quiet:
            output.line(cid)
        else:
            added = f" {safe(str(record['Added']))}" if context.verbose and "Added" in record else ""
            shown = f" {name}" if names and name else ""
            output.line(f"{cid} {safe(str(record['Type']))}{added}{shown}")

    context.backend().records("pin/ls", show, call.arguments, options)
    return 0


COMMAND = Command(
    "pin ls",
    "List what is pinned",
    run,
    arguments=(Argument("CID[/path]", many=True, optional=True),),
    details="Lists what was pinned, directly or recursively. -t all lists every CID below that too,\n"
    "of which a large repo has many. With CIDs, says of each how it is pinned; an error if one is not.",
    options=(
        Option("-t, --type", "which pins (default pinned)", metavar="TYPE", choices=_TYPES),
        Option("-q, --quiet", "print the CIDs alone"),
        Option("-s, --stream", "lines always come as they are found"),
        Option("--names", "print names too"),
        Option("-n, --name", "only pins whose name has this in it", metavar="TEXT"),
    ),
    examples=(
        ("pin ls --names", "what was pinned, with names"),
        ("pin ls -v", "and when it was pinned"),
        ("pin ls CID", "how this CID is pinned"),
        ("pin ls -t all -q | wc -l", "how many blocks pins keep"),
    ),
)
