"""`config set`: change one setting."""

from __future__ import annotations

from peershelf.cli import output
from peershelf.cli.grammar import Argument, Command

TYPE_CHECKING = False
if TYPE_CHECKING:
    from peershelf.cli.context import Context
    from peershelf.cli.grammar import Call


def run(context: Context, call: Call) -> int:
    """Write the setting to config.toml, and tell of the daemon that has the old one still."""
    daemon = context.daemon()
    record = (daemon or context.backend()).unary("config", call.arguments)
    if context.json:
        output.json_line(record)
    if daemon is not None:
        output.note("the running daemon takes this up when it starts next")
    return 0


COMMAND = Command(
    "config set",
    "Change one setting",
    run,
    arguments=(Argument("KEY"), Argument("JSON")),
    details="What is not JSON is taken as a text.\n"
    "A running daemon takes the new value up when it starts next.",
    examples=(
        ("config set Datastore.StorageMax 20GB", "a text needs no quotes"),
        ("config set Addresses.Swarm '[\"/ip4/0.0.0.0/tcp/4001\"]'", "a list is written as JSON"),
        ("config set Discovery.MDNS.Enabled false", "a truth value"),
    ),
)
