"""`id`: who this node is."""

from __future__ import annotations

from peershelf.cli import output
from peershelf.cli.grammar import Argument, Command
from peershelf.cli.text import safe

TYPE_CHECKING = False
if TYPE_CHECKING:
    from peershelf.cli.backend import Record
    from peershelf.cli.context import Context
    from peershelf.cli.grammar import Call


def run(context: Context, call: Call) -> int:
    """Print the identity, of this node or of a peer."""
    backend = context.running_daemon() if call.arguments else context.reader()
    record = backend.unary("id", call.arguments)
    if context.json:
        output.json_line(record)
    else:
        _print(record, "none was told" if call.arguments else "none: no daemon is running")
    return 0


def _print(record: Record, none: str) -> None:
    output.line(f"Peer ID:     {safe(str(record['ID']))}")
    output.line(f"Public key:  {safe(str(record['PublicKey']))}")
    output.line(f"Agent:       {safe(str(record['AgentVersion']))}")
    if fingerprint := record.get("SwarmKeyFingerprint"):
        output.line(f"Network:     private, swarm key fingerprint {safe(str(fingerprint))}")
    _print_list("Addresses:", record["Addresses"] or [none])
    _print_list("Protocols:", record["Protocols"] or [none])


def _print_list(title: str, items: list[str]) -> None:
    for number, item in enumerate(items):
        output.line(f"{'' if number else title:<13}{safe(item)}")


COMMAND = Command(
    "id",
    "Show the node's peer ID, public key, addresses, agent and protocols",
    run,
    arguments=(Argument("PEER", optional=True),),
    details="With PEER, the ID of a peer, connected or to be found, or an address that ends in one: what\n"
    "that peer says of itself. Nobody has checked more of it than the ID.",
    examples=(
        ("id", "show this node"),
        ("id --json", "the same with the keys of Kubo's API"),
        ("id PEER", "what another peer says of itself"),
    ),
)
