"""One rule for every command: 2 where the words do not fit it, 1 for values that make no sense.

The cases come from the table of commands, so that a new command is held to it too.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import nullcontext
from pathlib import Path
from typing import Any

import pytest

from peershelf.cli import commands
from peershelf.cli.context import GLOBAL_OPTIONS
from peershelf.cli.grammar import Argument, Option
from peershelf.cli.main import main

PEER = "12D3KooWDpJ7As7BWAwRMfu1VU2WCqNjvq387JEYKDBj4kx6nXTN"
CID = "bafkreibm6jg3ux5qumhcn2b3flc3tyu6dmlb4xa7u5bf44yegnrjhc4yeq"

GOOD = {
    "CID": CID,
    "CID[/path]": CID,
    "FROM": CID,
    "TO": CID,
    "PEER": PEER,
    "ADDR": f"/ip4/127.0.0.1/tcp/1/p2p/{PEER}",
    "MASK": "/ip4/10.0.0.0/ipcidr/8",
    "KEY": "Private",
    "JSON": "true",
    "FILE": "/dev/null",
    "PATH": "/dev/null",
    "SHELL": "bash",
}
BAD = {
    "CID": "bafynonsense",
    "CID[/path]": f"{CID}/../x",
    "FROM": "nonsense",
    "TO": "nonsense",
    "PEER": CID,
    "ADDR": "/ip4/127.0.0.1/tcp/1",
    "MASK": "10.0.0.0/8",
    "KEY": "No.Such.Key",
    "JSON": "[",
    "FILE": "/absent",
    "PATH": "/absent",
    "SHELL": "tcsh",
}
"""What stands for an argument, or for an option's value, and is none."""

CHECKED = {
    "D": ("5", "-1s", "soon"),
    "N": ("many", "-7"),
    "BYTES": ("1.5", "-1", "10MB"),
    "OCTAL": ("644", "rw"),
    "SECONDS": ("now",),
    "size-N": ("rabin", "size-", "size-0"),
    "LEVEL": ("loud",),
    "FORM": ("xml",),
    "TYPE": ("some",),
}
"""Options' values that the command line refuses by itself, besides those that have choices."""

ASKED_FOR = [
    ("config", "set", "Swarm.UploadRate", "fast"),
    ("config", "set", "Datastore.StorageMax", "-5GB"),
    ("config", "set", "Swarm.DialTimeout", "5"),
    ("config", "set", "Swarm.MaxDials", "many"),
    ("config", "set", "Addresses.Swarm", '["nonsense"]'),
    ("add", "-r", ".", "--ignore-rules-path", "/absent"),
    ("add", "/dev/null", "--max-file-links", "1"),
    ("add", "/dev/null", "--mtime-nsecs", "5"),
    ("block", "put", "/dev/null", "--mhtype", "md5"),
    ("block", "put", "/dev/null", "--cid-codec", "xml"),
    ("dag", "put", "/dev/null", "--hash", "md5"),
    ("refs", CID, "--edges", "--format", "<src>"),
    ("stats", "bw", "--peers", "--protocols"),
    ("swarm", "connect", "/p2p/nonsense"),
    ("routing", "get", "/ipns/nonsense"),
    ("swarm", "connect", "nonsense"),
    ("swarm", "connect", "/ip4/999.0.0.1/tcp/1/p2p/" + PEER),
    ("cat", "nonsense"),
    ("cat", "/ipfs/"),
    ("cat", CID, "--api", "/ip4/127.0.0.1/tcp/1"),
]
"""Values that only who carries the command out can judge, and options that do not go together."""


def needed(name: str) -> list[Argument]:
    return [argument for argument in commands.load(name).arguments if not argument.optional]


def words(name: str) -> list[str]:
    """A call of the command that fits it."""
    return [*name.split(), *(GOOD[argument.metavar] for argument in needed(name))]


def options_of(name: str) -> tuple[Option, ...]:
    return (*GLOBAL_OPTIONS, *commands.load(name).options)


def misfits(name: str) -> Iterator[list[str]]:
    arguments = commands.load(name).arguments
    yield [*words(name), "--no-such"]
    yield [*words(name), "-%"]
    if needed(name):
        yield words(name)[:-1]
    if not any(argument.many for argument in arguments):
        yield [*words(name), *["x"] * (1 + len(arguments) - len(needed(name)))]
    yield from ([*words(name), option.names[-1]] for option in options_of(name) if not option.is_flag)


def ends_with(code: int, call: list[str], capfd: Any) -> None:
    """The command says on one line what is wrong, before it asks anybody."""
    outcome = main(call)
    out, err = capfd.readouterr()
    assert (outcome, out) == (code, ""), call
    assert err.startswith("Error: "), call
    assert err.count("\n") == 1, call


@pytest.mark.parametrize("name", commands.NAMES)
def test_words_that_do_not_fit_the_command_are_usage(name: str, capfd: Any) -> None:
    for call in misfits(name):
        ends_with(2, call, capfd)


def bad_values(option: Option) -> tuple[str, ...]:
    """What the command line itself refuses as the option's value."""
    if option.is_flag:
        return ("maybe",)
    if option.choices:
        return ("nonsense",)
    if option.check is str:
        return ()
    return CHECKED.get(option.metavar or "", ("nonsense",))


@pytest.mark.parametrize("name", commands.NAMES)
def test_an_options_value_that_is_none_is_an_error(name: str, capfd: Any) -> None:
    for option in options_of(name):
        for value in bad_values(option):
            ends_with(1, [*words(name), f"{option.names[-1]}={value}"], capfd)


def judged() -> Iterator[list[str]]:
    """Each command with one argument or option that is nothing of its kind, the rest of it being good."""
    yield from map(list, ASKED_FOR)
    for name in commands.NAMES:
        command = commands.load(name)
        before = words(name)
        first = len(name.split())
        for place, argument in enumerate(command.arguments, first):
            yield [*before[:place], BAD[argument.metavar], *before[place + 1 :]]
        for option in command.options:
            if option.metavar in ("PEER", "ADDR"):
                yield [*before, option.names[-1], BAD[option.metavar]]


@pytest.fixture(scope="module", params=["alone", "daemon"])
def lasting_node(
    request: pytest.FixtureRequest,
    tmp_path_factory: pytest.TempPathFactory,
    shelf_at: Callable[[Path], Any],
) -> Iterator[Any]:
    """A repo that commands open themselves, and one through a daemon; nothing of this changes them."""
    shelf = shelf_at(tmp_path_factory.mktemp("lasting") / "shelf")
    with shelf.running() if request.param == "daemon" else nullcontext():
        yield shelf


@pytest.mark.parametrize("call", [*judged()], ids=" ".join)
def test_a_value_that_makes_no_sense_is_an_error_whoever_answers(
    lasting_node: Any, call: list[str], tmp_path: Path
) -> None:
    lasting_node.fails(*call, cwd=tmp_path, input=b"")
