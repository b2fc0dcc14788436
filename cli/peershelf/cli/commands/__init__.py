"""The table of commands. Each is a module of this package, imported only when it is called for."""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from peershelf.cli.grammar import Command

GROUPS = (
    ("Files", ("add", "cat", "get", "ls")),
    ("This node", ("init", "daemon", "shutdown", "id", "version", "config show", "config get", "config set")),
    (
        "Peers",
        (
            "swarm connect",
            "swarm disconnect",
            "swarm peers",
            "swarm addrs",
            "swarm addrs local",
            "swarm addrs autonat",
            "swarm peering add",
            "swarm peering ls",
            "swarm peering rm",
            "swarm resources",
            "swarm filters",
            "swarm filters add",
            "swarm filters rm",
            "swarm genkey",
            "bootstrap add",
            "bootstrap list",
            "bootstrap rm",
            "ping",
            "bitswap stat",
            "bitswap wantlist",
            "stats bw",
        ),
    ),
    (
        "Finding",
        (
            "routing findprovs",
            "routing findpeer",
            "routing provide",
            "routing get",
            "routing put",
            "routing explain",
            "provide stat",
            "provide clear",
        ),
    ),
    (
        "DAGs",
        ("refs", "resolve", "dag get", "dag put", "dag resolve", "dag stat", "dag export", "dag import"),
    ),
    ("Pins", ("pin add", "pin ls", "pin rm", "pin update", "pin verify")),
    (
        "Storage",
        (
            "block get",
            "block put",
            "block stat",
            "block rm",
            "refs local",
            "repo stat",
            "repo ls",
            "repo gc",
            "repo verify",
            "repo migrate",
        ),
    ),
    ("Denylists", ("denylist check", "denylist ls")),
    ("Shell", ("completion",)),
)
"""The commands' names under the headings of the help."""

NAMES = tuple(name for _, names in GROUPS for name in names)


def below(group: str) -> tuple[str, ...]:
    """The commands whose names begin with the words of `group`; all of them for ""."""
    return tuple(name for name in NAMES if not group or name.startswith(f"{group} "))


def load(name: str) -> Command:
    """The command of that name."""
    from importlib import import_module

    command: Command = import_module(f"peershelf.cli.commands.{name.replace(' ', '_')}").COMMAND
    return command
