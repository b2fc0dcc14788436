"""`repo stat`: how much is stored."""

from __future__ import annotations

from peershelf.cli import output
from peershelf.cli.grammar import Command, Option
from peershelf.cli.text import human_size, safe

TYPE_CHECKING = False
if TYPE_CHECKING:
    from peershelf.cli.context import Context
    from peershelf.cli.grammar import Call

_SIZES = ("RepoSize", "StorageMax")
_KEYS = ("NumObjects", *_SIZES, "RepoPath", "Version")


def run(context: Context, call: Call) -> int:
    """Print blocks, bytes, the limit and the place, one a line."""
    record = context.backend().unary("repo/stat", (), call.only("size-only"))
    if context.json:
        output.json_line(record)
        return 0
    for key in _SIZES if call.flag("size-only") else _KEYS:
        value = record[key]
        shown = human_size(value) if call.flag("human") and key in _SIZES else safe(str(value))
        output.line(f"{key + ':':<12}{shown}")
    return 0


COMMAND = Command(
    "repo stat",
    "Show how much is stored",
    run,
    options=(
        Option("-s, --size-only", "only the sizes, which costs less to find out"),
        Option("-H, --human", "sizes in readable units"),
    ),
    examples=(("repo stat --human", "blocks, bytes and the limit"),),
)
