"""`version`: which program this is."""

from __future__ import annotations

from peershelf.cli import output
from peershelf.cli.errors import CliError
from peershelf.cli.grammar import Command, Option
from peershelf.cli.text import safe

TYPE_CHECKING = False
if TYPE_CHECKING:
    from peershelf.cli.backend import Record
    from peershelf.cli.context import Context
    from peershelf.cli.grammar import Call


def run(context: Context, call: Call) -> int:
    """Print the version of the daemon, or where none runs this program's own."""
    record = _version(context)
    if context.json:
        output.json_line(record)
    elif call.flag("number"):
        output.line(safe(str(record["Version"])))
    else:
        output.line(f"peershelf version {safe(str(record['Version']))}")
    return 0


def _version(context: Context) -> Record:
    try:
        daemon = context.daemon(wait=0)
    except CliError:
        if context.api is not None:
            raise
        daemon = None  # the repo is in use, or unreadable: this program knows its own version all the same
    if daemon is not None:
        return daemon.unary("version")
    if context.json:
        from peershelf.node import own_files

        return own_files.version()
    from peershelf.node._version import __version__

    return {"Version": __version__}


COMMAND = Command(
    "version",
    "Show the version",
    run,
    details="That of the daemon, where one runs. `peershelf --version` does the same.",
    options=(Option("-n, --number", "print only the number"),),
    examples=(("version", "show the version"), ("version -n", "only the number, for scripts")),
)
