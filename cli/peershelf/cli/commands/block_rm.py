"""`block rm`: remove blocks from the store."""

from __future__ import annotations

from peershelf.cli import output
from peershelf.cli.grammar import Argument, Command, Option
from peershelf.cli.text import one_line, safe

TYPE_CHECKING = False
if TYPE_CHECKING:
    from peershelf.cli.backend import Record
    from peershelf.cli.context import Context
    from peershelf.cli.grammar import Call


def run(context: Context, call: Call) -> int:
    """Remove each block that can be; 1 if one of them could not."""
    failures = 0

    def show(record: Record) -> None:
        nonlocal failures
        cid = safe(str(record["Hash"]))
        if reason := record.get("Error"):
            failures += 1
            output.error(f"cannot remove {cid}: {one_line(str(reason))}")
        elif context.json:
            output.json_line(record)
        else:
            output.line(f"removed {cid}")

    context.backend().records("block/rm", show, call.arguments, call.only("force", "quiet"))
    return 1 if failures else 0


COMMAND = Command(
    "block rm",
    "Remove blocks from the store",
    run,
    arguments=(Argument("CID", many=True),),
    details="A block that a pinned file needs is not removed.",
    options=(
        Option("-f, --force", "a block that is not here is no error"),
        Option("-q, --quiet", "print nothing for what was removed"),
    ),
    examples=(("block rm CID", "remove a block"),),
)
