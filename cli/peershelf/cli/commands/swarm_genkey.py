"""`swarm genkey`: make the key of a private network."""

from __future__ import annotations

from peershelf.cli import output
from peershelf.cli.errors import CliError
from peershelf.cli.failing import Failing
from peershelf.cli.grammar import Command

TYPE_CHECKING = False
if TYPE_CHECKING:
    from peershelf.cli.context import Context
    from peershelf.cli.grammar import Call


def run(context: Context, call: Call) -> int:
    """Write the key into the repo; it is not printed."""
    # As for init: pathlib and the rest of the node cost too much for a start that may need neither.
    from pathlib import Path

    from peershelf.node.private_network import generate_key
    from peershelf.node.repo import Repo

    if context.api is not None:
        raise CliError("genkey makes a file here and asks no node: leave out --api")
    with Failing():
        path = Repo.load(Path(context.repo)).swarm_key_file
        fingerprint = generate_key(path).fingerprint
    context.show(
        {"Path": str(path), "Fingerprint": fingerprint},
        [f"wrote the key of a new private network to {path}", f"Swarm key fingerprint: {fingerprint}"],
    )
    if context.daemon(wait=0) is not None:
        output.note("the running daemon takes this up when it starts next")
    return 0


COMMAND = Command(
    "swarm genkey",
    "Make the key of a new private network",
    run,
    details="A node whose repo has a `swarm.key` talks to peers with the same key alone, Kubo's too. Copy\n"
    "the file into the repo of each of them, in a way that nobody can listen in on. Every daemon prints\n"
    "the key's fingerprint when it starts, and `id` shows it: the same key, the same fingerprint.\n"
    "A key that is there is never replaced.",
    examples=(
        ("swarm genkey", "make it, once for the whole network"),
        ("swarm genkey --json", "its path and its fingerprint"),
    ),
)
