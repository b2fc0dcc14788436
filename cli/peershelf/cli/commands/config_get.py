"""`config get`: one setting."""

from __future__ import annotations

import json

from peershelf.cli import output
from peershelf.cli.grammar import Argument, Command
from peershelf.cli.text import safe

TYPE_CHECKING = False
if TYPE_CHECKING:
    from peershelf.cli.context import Context
    from peershelf.cli.grammar import Call


def run(context: Context, call: Call) -> int:
    """Print the setting in force: text as it is, anything else as JSON."""
    record = context.reader().unary("config", call.arguments)
    if context.json:
        output.json_line(record)
        return 0
    output.line(_shown(record["Value"], indent=2))
    if "NextValue" in record:
        output.note(f"the running daemon takes up {_shown(record['NextValue'])} when it starts next")
    return 0


def _shown(value: object, indent: int | None = None) -> str:
    return safe(value) if isinstance(value, str) else json.dumps(value, indent=indent)


COMMAND = Command(
    "config get",
    "Show one setting, or a group of them",
    run,
    arguments=(Argument("KEY"),),
    examples=(
        ("config get Addresses.Swarm", "where the node listens for peers"),
        ("config get Discovery", "all settings below Discovery"),
    ),
)
