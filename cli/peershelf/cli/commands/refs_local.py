"""`refs local`: what is stored here."""

from __future__ import annotations

from peershelf.cli import output
from peershelf.cli.errors import CliError
from peershelf.cli.grammar import Command
from peershelf.cli.text import one_line, safe

TYPE_CHECKING = False
if TYPE_CHECKING:
    from peershelf.cli.backend import Record
    from peershelf.cli.context import Context
    from peershelf.cli.grammar import Call


def run(context: Context, call: Call) -> int:
    """Print the CID of every block, one a line."""

    def show(record: Record) -> None:
        if reason := record.get("Err"):
            raise CliError(one_line(str(reason)))
        if context.json:
            output.json_line(record)
        else:
            output.line(safe(str(record["Ref"])))

    context.backend().records("refs/local", show)
    return 0


COMMAND = Command(
    "refs local",
    "List every block in the store",
    run,
    details="Blocks are kept by their hash, so each is shown as a CIDv1 of raw bytes,\n"
    "whatever it was added as.",
    examples=(("refs local | wc -l", "count the blocks"),),
)
