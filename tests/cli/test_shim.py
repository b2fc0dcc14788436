"""The program under the name `node`, beside a Node.js that is a shell script here."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from peershelf.cli import shim
from peershelf.cli.context import GLOBAL_OPTIONS

LAUNCHER = f"""#!{sys.executable}
import sys
from peershelf.cli.shim import entry
entry()
"""


def install(directory: Path, text: str) -> Path:
    directory.mkdir(parents=True, exist_ok=True)
    program = directory / "node"
    program.write_text(text)
    program.chmod(0o755)
    return directory


@pytest.fixture
def ours(tmp_path: Path) -> Path:
    """A directory with our `node` in it."""
    return install(tmp_path / "ours", LAUNCHER)


@pytest.fixture
def nodejs(tmp_path: Path) -> Path:
    """A directory with a `node` that is not ours and shows how it was called."""
    return install(tmp_path / "nodejs", '#!/bin/sh\necho "Node.js:$@"\n/bin/cat\n')


def call(
    path: list[Path], *words: str, marker: str | None = None, cwd: Path | None = None
) -> subprocess.CompletedProcess[str]:
    """Call the first `node` of `path`, with a pipe for standard input."""
    environment = {**os.environ, "PATH": os.pathsep.join([*map(str, path), "/absent"])}
    environment.pop(shim.MARKER, None)
    if marker is not None:
        environment[shim.MARKER] = marker
    command = [str(path[0] / "node"), *words]
    return subprocess.run(
        command, env=environment, input="piped", capture_output=True, text=True, timeout=30, cwd=cwd
    )


@pytest.mark.parametrize(
    "words",
    [
        ["add", "x"],
        ["swarm"],
        ["version"],
        ["--help"],
        ["--repo", "x"],
        ["--repo=x", "id"],
        ["--json"],
        ["--offline"],
    ],
)
def test_our_commands_and_long_options_are_ours(words: list[str]) -> None:
    assert shim.is_ours(words, stdin_is_terminal=False)


@pytest.mark.parametrize(
    "words",
    [
        ["-v"],
        ["--version"],
        ["-e", "1"],
        ["-"],
        ["add.js"],
        ["./add"],
        ["-h"],
        ["--jsonx"],
        [""],
        ["--inspect"],
    ],
)
def test_everything_else_is_for_nodejs(words: list[str]) -> None:
    assert not shim.is_ours(words, stdin_is_terminal=True)


@pytest.mark.parametrize(("word", "hint"), [("ad", "did you mean 'add'?"), ("name", ""), ("write-it", "")])
def test_a_word_that_is_no_script_either_is_told_in_one_line(
    ours: Path, nodejs: Path, tmp_path: Path, word: str, hint: str
) -> None:
    done = call([ours, nodejs], word, "x", cwd=tmp_path)
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr.startswith(f"Error: unknown command {word!r}")
    assert hint in done.stderr
    assert done.stderr.count("\n") == 1


@pytest.mark.parametrize("script", ["ad", "ad.js", "ad.mts", "ad/index.js"])
def test_a_word_that_is_a_script_goes_to_nodejs(
    ours: Path, nodejs: Path, tmp_path: Path, script: str
) -> None:
    (tmp_path / script).parent.mkdir(exist_ok=True)
    (tmp_path / script).touch()
    assert call([ours, nodejs], "ad", cwd=tmp_path).stdout == "Node.js:ad\npiped"


@pytest.mark.parametrize("words", [["inspect", "x"], ["./ad"], ["dir/ad"], ["ad.js"], ["-"], []])
def test_other_words_are_for_nodejs_to_understand(words: list[str]) -> None:
    assert not shim.is_nobodys(words)


def test_without_words_a_terminal_gets_our_help_and_a_pipe_goes_to_nodejs() -> None:
    assert shim.is_ours([], stdin_is_terminal=True)
    assert not shim.is_ours([], stdin_is_terminal=False)


def test_every_long_global_option_is_known_to_be_ours() -> None:
    for option in GLOBAL_OPTIONS:
        assert shim.is_ours([option.names[-1]], stdin_is_terminal=False)


def test_our_commands_run_here(ours: Path, nodejs: Path) -> None:
    done = call([ours, nodejs], "version")
    assert done.stdout.startswith("peershelf version ")
    assert call([ours, nodejs], "--help").stdout.startswith("Usage: node ")


@pytest.mark.parametrize("words", [["--version"], ["script.js", "add", "--flag=a b"], ["-"], []])
def test_other_calls_reach_nodejs_with_their_words_and_input(
    ours: Path, nodejs: Path, words: list[str]
) -> None:
    done = call([ours, nodejs], *words)
    assert (done.stdout, done.returncode) == (f"Node.js:{' '.join(words)}\npiped", 0)


def test_nodejs_is_found_wherever_it_stands_on_the_path(ours: Path, nodejs: Path) -> None:
    environment = {**os.environ, "PATH": os.pathsep.join([str(nodejs), str(ours)])}
    done = subprocess.run(
        [ours / "node", "-v"], env=environment, input="", capture_output=True, text=True, timeout=30
    )
    assert done.stdout == "Node.js:-v\n"


def test_what_is_no_program_is_passed_over(ours: Path, nodejs: Path, tmp_path: Path) -> None:
    (tmp_path / "directory" / "node").mkdir(parents=True)
    install(tmp_path / "plain", "text").joinpath("node").chmod(0o644)
    path = [ours, tmp_path / "absent", tmp_path / "directory", tmp_path / "plain", nodejs]
    assert call(path, "-v").stdout == "Node.js:-v\npiped"


def test_without_nodejs_it_is_a_usage_error(ours: Path) -> None:
    done = call([ours], "script.js")
    assert done.returncode == 2
    assert done.stderr.startswith("Error: 'script.js' is no command of peershelf")
    assert done.stderr.count("\n") == 1


def test_two_of_ours_pass_on_to_nodejs_and_never_to_each_other_for_ever(
    ours: Path, nodejs: Path, tmp_path: Path
) -> None:
    other = install(tmp_path / "other", LAUNCHER)
    assert call([ours, other, nodejs], "-v").stdout == "Node.js:-v\npiped"
    assert call([ours, other], "-v").returncode == 2


def test_a_link_to_ours_counts_as_ours(ours: Path, nodejs: Path, tmp_path: Path) -> None:
    (tmp_path / "links").mkdir()
    (tmp_path / "links" / "node").symlink_to(ours / "node")
    assert call([tmp_path / "links", ours, nodejs], "-v").stdout == "Node.js:-v\npiped"


def test_a_version_manager_that_calls_us_back_is_tried_once(ours: Path, nodejs: Path, tmp_path: Path) -> None:
    manager = install(tmp_path / "manager", f'#!/bin/sh\nexec "{ours / "node"}" "$@"\n')
    assert call([ours, manager, nodejs], "-v").stdout == "Node.js:-v\npiped"
    assert call([ours, manager], "-v").returncode == 2


def test_children_of_nodejs_reach_nodejs_again(ours: Path, nodejs: Path, tmp_path: Path) -> None:
    parent = '#!/bin/sh\nif [ "$1" = -p ]; then node -c; exit; fi\necho "Node.js:$@"\n'
    assert call([ours, install(tmp_path / "parent", parent)], "-p").stdout == "Node.js:-c\n"


def test_wrappers_that_start_new_processes_in_a_circle_are_ended(ours: Path, tmp_path: Path) -> None:
    wrapper = install(tmp_path / "wrapper", f'#!/bin/sh\n"{ours / "node"}" "$@"\n')
    done = call([ours, wrapper], "-v", marker=f"1:{shim._MAX_PASSES - 3}:x")
    assert done.returncode == 2


@pytest.mark.parametrize("text", ["", "x", "7", "7:x:/a", "7:²:/a"])
def test_a_marker_that_is_not_ours_means_nothing(text: str) -> None:
    assert shim.read_marker(text, 7) == (0, [])


def test_a_marker_of_another_process_only_counts() -> None:
    assert shim.read_marker("7:3:/a:/b", 7) == (3, ["/a", "/b"])
    assert shim.read_marker("7:3:/a:/b", 8) == (3, [])
