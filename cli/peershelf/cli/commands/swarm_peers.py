"""`swarm peers`: who is connected."""

from __future__ import annotations

from peershelf.cli import output
from peershelf.cli.grammar import Command
from peershelf.cli.text import safe

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from peershelf.cli.context import Context
    from peershelf.cli.grammar import Call

_DIRECTIONS = {1: "inbound", 2: "outbound"}


def run(context: Context, call: Call) -> int:
    """Print an address for each connection, and with -v what is known about it."""
    options = {"verbose": "true"} if context.verbose else {}
    record = context.running_daemon().unary("swarm/peers", (), options)
    if context.json:
        output.json_line(record)
        return 0
    for peer in record["Peers"] or ():
        output.line(safe(f"{peer['Addr']}/p2p/{peer['Peer']}"))
        if context.verbose:
            _print_details(peer)
    return 0


def _print_details(peer: dict[str, Any]) -> None:
    agent = (peer.get("Identify") or {}).get("AgentVersion") or "unknown agent"
    details = (
        _DIRECTIONS.get(peer.get("Direction", 0), "unknown direction"),
        f"latency {peer.get('Latency', 'n/a')}",
        peer.get("Security"),
        peer.get("Muxer"),
        agent,
    )
    output.line("  " + safe(", ".join(str(detail) for detail in details if detail)))
    for stream in peer.get("Streams") or ():
        output.line("  " + safe(str(stream.get("Protocol", ""))))


COMMAND = Command(
    "swarm peers",
    "List the connected peers",
    run,
    details="With -v also direction, latency, security, muxer, agent, and the protocols of the open streams.",
    examples=(
        ("swarm peers", "list the peers"),
        ("swarm peers -v", "with what is known about each connection"),
    ),
)
