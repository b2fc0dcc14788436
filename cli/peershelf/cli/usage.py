"""The texts of --help. Only whoever asks for help pays for them."""

from __future__ import annotations

import os
import sys

from peershelf.cli import commands

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from peershelf.cli.grammar import Command, Option

_FIRST_STEPS = (
    ("add FILE", "store a file and print its CID"),
    ("cat CID", "print the file again"),
    ("daemon", "run the node, so that others can fetch the file"),
    ("swarm connect ADDR", "connect to another node; its `id` shows its address"),
    ("cat --peer ADDR CID", "fetch a file from that node, with or without a daemon"),
)


def program() -> str:
    """The name under which the program was called."""
    called = os.path.basename(sys.argv[0])  # noqa: PTH119 -- pathlib costs a command 7 ms
    return called if called == "node" else "peershelf"


def program_help(global_options: Sequence[Option]) -> str:
    """The help of the whole program: first steps, commands by group, global options."""
    sections = [
        f"Usage: {program()} [OPTIONS] COMMAND [OPTIONS] [ARGUMENTS]\n\n"
        "A content-addressed storage node: a full peer of the IPFS network.",
        _table("First steps", ((f"{program()} {line}", what) for line, what in _FIRST_STEPS)),
    ]
    for title, names in commands.GROUPS:
        sections.append(_table(title, ((name, commands.load(name).summary) for name in names)))
    sections.append(_options("Options of every command (short ones after the command)", global_options))
    sections.append(f"`{program()} COMMAND --help` shows the options of a command, with examples.")
    return "\n\n".join(sections)


def group_help(group: str) -> str:
    """The help of a group of commands, such as `swarm`."""
    below = [commands.load(name) for name in commands.below(group)]
    return "\n\n".join(
        (
            f"Usage: {program()} {group} COMMAND [OPTIONS] [ARGUMENTS]",
            _table("Commands", ((command.synopsis(), command.summary) for command in below)),
            _examples(below),
        )
    )


def command_help(command: Command, global_options: Sequence[Option]) -> str:
    """The help of one command."""
    own = "[OPTIONS] " if command.options else ""
    arguments = command.synopsis().removeprefix(command.name).strip()
    sections = [f"Usage: {program()} {command.name} {own}{arguments}".rstrip(), f"{command.summary}."]
    if command.details:
        sections.append(command.details)
    if command.options:
        sections.append(_options("Options", command.options))
    sections.append(_options("Options of every command", global_options))
    sections.append(_examples([command]))
    return "\n\n".join(sections)


def _options(title: str, options: Iterable[Option]) -> str:
    return _table(title, ((_spelled(option), _explained(option)) for option in options))


def _spelled(option: Option) -> str:
    names = ", ".join(option.names)
    indented = names if option.names[0][1] != "-" else f"    {names}"
    return f"{indented} {option.metavar}" if option.metavar else indented


def _explained(option: Option) -> str:
    return f"{option.help}: {', '.join(option.choices)}" if option.choices else option.help


def _examples(shown: Sequence[Command]) -> str:
    lines = [(f"{program()} {line}", what) for command in shown for line, what in command.examples]
    return "Examples:\n" + "\n".join(f"  # {what}\n  {line}" for line, what in lines)


def _table(title: str, rows: Iterable[tuple[str, str]]) -> str:
    listed = list(rows)
    width = max(len(left) for left, _ in listed)
    return f"{title}:\n" + "\n".join(f"  {left:<{width}}  {right}" for left, right in listed)
