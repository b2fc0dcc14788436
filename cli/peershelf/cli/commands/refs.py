"""`refs`: what blocks link to."""

from __future__ import annotations

from peershelf.cli.errors import CliError
from peershelf.cli.grammar import Argument, Command, Option
from peershelf.cli.text import one_line

TYPE_CHECKING = False
if TYPE_CHECKING:
    from peershelf.cli.backend import OnRecord, Record
    from peershelf.cli.context import Context
    from peershelf.cli.grammar import Call


def _depth(text: str) -> int:
    if not text.removeprefix("-").isdecimal() or int(text) < -1:
        raise ValueError("a whole number is needed, or -1 for no limit")
    return int(text)


def printer(context: Context) -> OnRecord:
    """What prints a line for each record, and raises CliError for one that tells of a failure."""

    def show(record: Record) -> None:
        if reason := record.get("Err"):
            raise CliError(one_line(str(reason)))
        context.show(record, [str(record["Ref"])])

    return show


def run(context: Context, call: Call) -> int:
    """Print a line for each link as it becomes known."""
    options = call.only("recursive", "unique", "edges", "format", "max-depth")
    context.backend(finds=True).records("refs", printer(context), call.arguments, options)
    return 0


COMMAND = Command(
    "refs",
    "List the links of blocks",
    run,
    arguments=(Argument("CID[/path]", many=True),),
    details="Prints the CIDs that a block links to, with -r those of everything below it, depth first.\n"
    "What is not here is fetched; `refs local` lists what is.",
    options=(
        Option("-r, --recursive", "follow the links to the end"),
        Option("-u, --unique", "print every block once"),
        Option("-e, --edges", "print both ends of each link: `from -> to`"),
        Option("--format", "print <src>, <dst> and <linkname> in this form", metavar="TEXT"),
        Option(
            "--max-depth", "follow no more than N links, with -r; -1: no limit", metavar="N", check=_depth
        ),
    ),
    examples=(
        ("refs CID", "the first links"),
        ("refs -r -u CID | wc -l", "how many blocks are below it"),
        ("refs --format='<dst> <linkname>' CID", "with names"),
    ),
)
