"""`config show`: every setting in force."""

from __future__ import annotations

import json

from peershelf.cli import output
from peershelf.cli.grammar import Command

TYPE_CHECKING = False
if TYPE_CHECKING:
    from peershelf.cli.context import Context
    from peershelf.cli.grammar import Call


def run(context: Context, call: Call) -> int:
    """Print the configuration as JSON, laid out for people unless --json asks for one line."""
    settings = context.reader().unary("config/show")
    output.line(json.dumps(settings, indent=None if context.json else 2))
    return 0


COMMAND = Command(
    "config show",
    "Show every setting in force",
    run,
    details="A setting comes from the environment (PEERSHELF_ADDRESSES_API for Addresses.API), else from\n"
    "config.toml, else it is the default.",
    examples=(("config show", "show all settings"),),
)
