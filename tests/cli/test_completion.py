"""The completion scripts, by what the shells make of them."""

from __future__ import annotations

import os
import shutil
import subprocess
from pathlib import Path

import pytest

from peershelf.cli import commands
from peershelf.cli.completion import SCRIPTS

BASH_PROBE = """
source "$1"; shift
COMP_WORDS=("$@"); COMP_CWORD=$((${#COMP_WORDS[@]} - 1))
_peershelf
printf '%s\\n' "${COMPREPLY[@]}"
"""


def bash_completes(tmp_path: Path, *words: str) -> set[str]:
    script = tmp_path / "completion.bash"
    script.write_text(SCRIPTS["bash"]())
    command = ["bash", "-c", BASH_PROBE, "bash", str(script), "peershelf", *words]
    return set(subprocess.run(command, capture_output=True, text=True, check=True, timeout=30).stdout.split())


def test_bash_completes_commands(tmp_path: Path) -> None:
    assert bash_completes(tmp_path, "sw") == {"swarm"}
    assert {name.split()[0] for name in commands.NAMES} == bash_completes(tmp_path, "")


def test_bash_completes_the_commands_of_a_group(tmp_path: Path) -> None:
    assert bash_completes(tmp_path, "swarm", "c") == {"connect"}
    assert bash_completes(tmp_path, "--repo", "add", "swarm", "p") == {"peers", "peering"}
    assert bash_completes(tmp_path, "swarm", "peering", "") == {"add", "ls", "rm"}


def test_bash_completes_options_and_their_values(tmp_path: Path) -> None:
    assert bash_completes(tmp_path, "add", "--pro") == {"--profile", "--progress"}
    assert bash_completes(tmp_path, "add", "file", "--hash", "b") == {"blake3", "blake2b-256"}
    assert bash_completes(tmp_path, "completion", "") >= {"bash", "zsh", "fish"}


def test_bash_leaves_other_words_to_its_file_names(tmp_path: Path) -> None:
    assert bash_completes(tmp_path, "add", "/etc/host") == set()


@pytest.mark.parametrize("shell", SCRIPTS)
def test_every_shell_that_is_here_can_read_its_script(tmp_path: Path, shell: str) -> None:
    script = SCRIPTS[shell]()
    for name in commands.NAMES:
        assert name in script
    program = shutil.which(shell)
    if program is not None:
        (tmp_path / "script").write_text(script)
        done = subprocess.run(
            [program, "-n", tmp_path / "script"], capture_output=True, text=True, check=False, timeout=30
        )
        assert (done.returncode, done.stderr) == (0, "")


@pytest.mark.skipif(shutil.which("fish") is None, reason="fish is not installed")
def test_fish_completes_by_place(tmp_path: Path) -> None:
    script = tmp_path / "completion.fish"
    script.write_text(SCRIPTS["fish"]())

    def completes(line: str) -> set[str]:
        probe = f"source {script}; complete -C '{line}'"
        home = {
            **os.environ,
            "HOME": str(tmp_path),
            "XDG_DATA_HOME": str(tmp_path),
            "XDG_CONFIG_HOME": str(tmp_path),
        }
        command = ["fish", "-c", probe]
        done = subprocess.run(command, capture_output=True, text=True, check=True, env=home, timeout=30)
        return {found.split("\t")[0] for found in done.stdout.splitlines()}

    assert completes("peershelf swarm con") == {"connect"}
    assert {"--profile", "--progress"} == completes("peershelf add --pro")
    assert completes("peershelf add --hash bla") >= {"blake3", "blake2b-256"}
