"""`pin rm`: give pins up."""

from __future__ import annotations

from peershelf.cli.grammar import Argument, Command, Option

TYPE_CHECKING = False
if TYPE_CHECKING:
    from peershelf.cli.context import Context
    from peershelf.cli.grammar import Call


def run(context: Context, call: Call) -> int:
    """Unpin, and print a line for each."""
    record = context.backend().unary("pin/rm", call.arguments, call.only("recursive"))
    context.show(record, (f"unpinned {cid}" for cid in record["Pins"]))
    return 0


COMMAND = Command(
    "pin rm",
    "Give pins up, so that `repo gc` may remove what they kept",
    run,
    arguments=(Argument("CID[/path]", many=True),),
    details="If one of them is not pinned, none is unpinned. Nothing is removed before the next `repo gc`.",
    options=(Option("-r, --recursive", "also pins of whole DAGs (default true)"),),
    examples=(("pin rm CID", "keep it no longer"),),
)
