"""`denylist ls`: the denylists in force."""

from __future__ import annotations

from peershelf.cli.grammar import Command
from peershelf.cli.text import local_time

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator

    from peershelf.cli.backend import Record
    from peershelf.cli.context import Context
    from peershelf.cli.grammar import Call


def run(context: Context, call: Call) -> int:
    """Print each file, with what is known of it below."""
    record = context.reader(create=True).unary("denylist/ls")
    context.show(record, _lines(record))
    return 0


def _lines(record: Record) -> Iterator[str]:
    for file in record["Files"]:
        yield file["File"]
        yield from (f"\t{text}" for text in _facts(file))


def _facts(file: Record) -> list[str]:
    facts = []
    if file["Name"]:
        facts.append(f"name:   {file['Name']}")
    skipped = f", {file['Malformed']} malformed lines skipped" if file["Malformed"] else ""
    facts.append(f"rules:  {file['Rules']}{skipped}")
    if file["Loaded"] is not None:
        facts.append(f"loaded: {local_time(file['Loaded'])}")
    if file["Error"]:
        facts.append(f"error:  {file['Error']}")
    return facts


COMMAND = Command(
    "denylist ls",
    "List the denylists in force",
    run,
    details="Denylists are files named *.deny in denylists/ of the repo and in Denylists.Directories. A\n"
    "running daemon notices within two seconds what is added, changed or removed. The rules of\n"
    "later files prevail.",
    examples=(("denylist ls", "the files, their names, and how many rules they have"),),
)
