"""`denylist check`: whether something is blocked, and by which line."""

from __future__ import annotations

from peershelf.cli.grammar import Argument, Command

TYPE_CHECKING = False
if TYPE_CHECKING:
    from peershelf.cli.backend import Record
    from peershelf.cli.context import Context
    from peershelf.cli.grammar import Call


def run(context: Context, call: Call) -> int:
    """Print what the lists say of each argument."""

    def show(record: Record) -> None:
        context.show(record, [f"{record['Path']}: {_verdict(record)}"], flush=True)

    context.reader(create=True).records("denylist/check", show, call.arguments)
    return 0


def _verdict(record: Record) -> str:
    if not record["Line"]:
        return "not blocked, no rule names it"
    hints = f" ({record['Hints']})" if record["Hints"] else ""
    verdict = "blocked" if record["Blocked"] else "allowed"
    return f"{verdict} by {record['File']}, line {record['Line']}{hints}"


COMMAND = Command(
    "denylist check",
    "Say whether something is blocked, and by which line of which denylist",
    run,
    arguments=(Argument("PATH", many=True),),
    details="PATH is CID, CID/path, /ipfs/CID/path or /ipns/NAME. Nothing is fetched. Exits with 0 for\n"
    "blocked and for not blocked. What lies below a blocked CID cannot be reached through it,\n"
    "whatever is said of the path.",
    examples=(
        ("denylist check CID", "whether the block may be fetched and served"),
        ("denylist check /ipfs/CID/photos/1.jpg", "whether a rule names that path"),
    ),
)
