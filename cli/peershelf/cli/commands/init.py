"""`init`: make a repo."""

from __future__ import annotations

from peershelf.cli.errors import CliError
from peershelf.cli.failing import Failing
from peershelf.cli.grammar import Command, Option

TYPE_CHECKING = False
if TYPE_CHECKING:
    from peershelf.cli.context import Context
    from peershelf.cli.grammar import Call


def run(context: Context, call: Call) -> int:
    """Make the repo and tell who the node is now."""
    # pathlib and the rest of the node cost too much for a start that may need neither
    from pathlib import Path

    from peershelf.node import repo

    if context.api is not None:
        raise CliError("init makes a repo here and asks no node: leave out --api")
    profiles = tuple(name for name in (call.text("profile") or "").split(",") if name)
    with Failing():
        made = repo.init(Path(context.repo), profiles, private=call.flag("private"))
    peer = made.identity.peer_id
    context.show(
        {"ID": peer, "RepoPath": str(made.path)},
        [f"initialized a repo at {made.path}", f"peer identity: {peer}"],
    )
    return 0


COMMAND = Command(
    "init",
    "Make a repo with a new identity",
    run,
    details="`add` and `daemon` do it by themselves where there is none. Profiles set several keys of the\n"
    "configuration: unixfs-v1-2025 (the default) and unixfs-v0-2015 choose how files are cut and encoded;\n"
    "test keeps the node to this machine, on free ports.",
    options=(
        Option("--profile", "profiles to apply, separated by commas", metavar="NAME,..."),
        Option("--private", "a node that announces nothing: what it has, or itself"),
    ),
    examples=(
        ("init", "make the repo"),
        ("init --private", "one that fetches, and gives to those who know what to ask for"),
        ("init --repo /tmp/shelf --profile test", "a node for experiments, that talks to nobody else"),
    ),
)
