from __future__ import annotations

import json
import shlex
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from peershelf.cli import commands, usage
from peershelf.cli.context import GLOBAL_OPTIONS
from peershelf.cli.grammar import Reader, check_arguments
from peershelf.node.config import PROFILES

SHELL_SIGNS = {">", ">>", "|", "<", "2>"}


@pytest.mark.parametrize("name", commands.NAMES)
def test_every_command_describes_itself_with_an_example_that_is_accepted(name: str) -> None:
    command = commands.load(name)
    assert command.name == name
    assert command.examples
    for line, what in command.examples:
        assert what
        words = shlex.split(line)
        words = words[: next((at for at, word in enumerate(words) if word in SHELL_SIGNS), len(words))]
        reader = Reader((*GLOBAL_OPTIONS, *command.options), name)
        assert line.startswith(name)
        check_arguments(command, reader.all(words[len(name.split()) :]))


@pytest.mark.parametrize("name", commands.NAMES)
def test_help_shows_every_option_and_fits_a_wide_terminal(name: str) -> None:
    command = commands.load(name)
    text = usage.command_help(command, GLOBAL_OPTIONS)
    for option in (*command.options, *GLOBAL_OPTIONS):
        for spelled in option.names:
            assert spelled in text
    assert "Examples:" in text
    assert max(len(line) for line in text.splitlines()) <= 120


def test_no_option_of_a_command_hides_another() -> None:
    for name in commands.NAMES:
        names = [n for option in (*commands.load(name).options, *GLOBAL_OPTIONS) for n in option.names]
        assert len(names) == len(set(names)), name


def test_every_module_of_a_command_is_in_the_table() -> None:
    modules = {path.stem for path in Path(str(commands.__file__)).parent.glob("*.py")} - {"__init__"}
    assert modules == {name.replace(" ", "_") for name in commands.NAMES}


def test_the_profiles_of_add_are_the_nodes() -> None:
    (option,) = (o for o in commands.load("add").options if o.key == "profile")
    assert set(option.choices) == {name for name in PROFILES if name.startswith("unixfs")}


@pytest.mark.parametrize("words", [[], ["--help"], ["-h"], ["--json", "--help"]])
def test_the_programs_help_names_every_command_and_the_first_steps(
    run: Callable[..., Any], words: list[str]
) -> None:
    outcome = run(*words)
    assert (outcome.code, outcome.err) == (0, "")
    assert outcome.out.startswith("Usage: peershelf ")
    for name in commands.NAMES:
        assert f"  {name} " in outcome.out
    assert outcome.out.index("First steps:") < outcome.out.index("Files:")


@pytest.mark.parametrize("words", [["swarm", "--help"], ["--help", "swarm"], ["swarm", "-h"]])
def test_a_groups_help_shows_its_commands(run: Callable[..., Any], words: list[str]) -> None:
    outcome = run(*words)
    assert outcome.code == 0
    assert "swarm connect ADDR..." in outcome.out


@pytest.mark.parametrize(
    "words", [["cat", "--help"], ["--help", "cat"], ["cat", "-h", "--", "x"], ["cat", "x", "-vh"]]
)
def test_help_of_a_command_is_shown_wherever_it_is_asked_for(
    run: Callable[..., Any], words: list[str]
) -> None:
    outcome = run(*words)
    assert outcome.code == 0
    assert outcome.out.startswith("Usage: peershelf cat [OPTIONS] CID[/path]...")


def test_without_a_daemon_version_is_this_programs(run: Callable[..., Any]) -> None:
    version = json.loads(run("version", "--json").out)
    assert run("version", "-n").out == f"{version['Version']}\n"
    assert list(version) == ["Version", "Commit", "Repo", "System", "Golang"], "as a daemon says it"


@pytest.mark.parametrize("words", [[], ["add"], ["swarm"], ["pin", "ls"]])
def test_help_is_a_word_too(run: Callable[..., Any], words: list[str]) -> None:
    asked = run("help", *words)
    assert asked.code == 0
    assert asked.out == run(*words, "--help").out
