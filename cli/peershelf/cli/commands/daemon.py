"""`daemon`: run the node."""

from __future__ import annotations

from peershelf.cli import output
from peershelf.cli.collector import Importing
from peershelf.cli.errors import CliError
from peershelf.cli.grammar import Command, Option
from peershelf.cli.text import safe

TYPE_CHECKING = False
if TYPE_CHECKING:
    from peershelf.cli.context import Context
    from peershelf.cli.grammar import Call
    from peershelf.node.daemon import Ready

_LEVELS = ("debug", "info", "warning", "error")


def run(context: Context, call: Call) -> int:
    """Run the node until it is told to end."""
    if context.api is not None or context.offline:
        raise CliError("daemon runs a node here, online: leave out --api and --offline")
    with Importing():
        from pathlib import Path

        import trio

        from peershelf.cli.allocator import keep_freed_memory
        from peershelf.cli.failures import translated
        from peershelf.node import daemon

    def on_ready(ready: Ready) -> None:
        _announce(ready, as_json=context.json)

    keep_freed_memory()
    with translated():
        trio.run(lambda: daemon.run(Path(context.repo), on_ready, settings=_settings(context, call)))
    return 0


def _settings(context: Context, call: Call) -> dict[str, str]:
    """The settings that options override for this run."""
    level = call.text("log-level") or ("debug" if context.verbose else None)
    chosen = {"Log.Level": level, "Log.Format": call.text("log-format")}
    return {key: value for key, value in chosen.items() if value is not None}


def _announce(ready: Ready, *, as_json: bool) -> None:
    if as_json:
        said = {"ID": ready.peer_id, "Addresses": ready.addresses, "API": ready.api}
        if ready.routing:
            said["Routing"] = ready.routing
        if ready.swarm_key_fingerprint is not None:
            said["SwarmKeyFingerprint"] = ready.swarm_key_fingerprint
        output.json_line(said, flush=True)
        return
    if ready.swarm_key_fingerprint is not None:
        output.line("Swarm is limited to private network of peers with the swarm key")
        output.line(f"Swarm key fingerprint: {ready.swarm_key_fingerprint}")
    for address in ready.addresses:
        output.line(f"Listening on {safe(address)}")
    output.line(f"API server listening on {safe(ready.api)}")
    if ready.routing:
        output.line(f"Routing API server listening on {safe(ready.routing)}")
    output.line("Daemon is ready", flush=True)


COMMAND = Command(
    "daemon",
    "Run the node: serve its files to peers, and every other command",
    run,
    details="Makes a repo where there is none. Prints its addresses and `Daemon is ready`, and logs to\n"
    "standard error. Ctrl-C, SIGTERM, a closed terminal and `shutdown` end it cleanly.",
    options=(
        Option("--init", "make a repo where there is none, as it does anyway"),
        Option("--log-level", "the least serious messages to log", metavar="LEVEL", choices=_LEVELS),
        Option(
            "--log-format", "logs for people or for programs", metavar="FORM", choices=("console", "json")
        ),
    ),
    examples=(
        ("daemon", "run the node in this terminal"),
        ("daemon --log-format json 2> node.log", "with logs that a program can read"),
    ),
)
