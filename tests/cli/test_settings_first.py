"""What a repo's files tell, without a node: the same as a daemon tells, and the same failures."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from peershelf.cli.errors import CliError
from peershelf.cli.failing import Failing
from peershelf.node import own_files
from peershelf.node.errors import ConfigError

ASKED = [
    ["id"],
    ["config", "show"],
    ["config", "get", "Addresses.Swarm"],
    ["config", "get", "Discovery"],
    ["bootstrap", "list"],
]
IMPORTED = """
import sys
from peershelf.cli.main import main
code = main(sys.argv[1:])
print("\\n".join(sys.modules), file=sys.stderr)
sys.exit(code)
"""


@pytest.mark.parametrize("words", [*ASKED, ["init", "--repo", "another"]])
def test_no_node_is_imported(shelf: Any, tmp_path: Path, words: list[str]) -> None:
    here = () if "--repo" in words else ("--repo", str(shelf.path))
    done = subprocess.run(
        [sys.executable, "-c", IMPORTED, *words, *here],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        timeout=30,
    )
    assert done.returncode == 0, done.stderr
    imported = set(done.stderr.split())
    assert "peershelf.node.repo" in imported
    assert not imported & {"trio", "structlog", "ssl", "peershelf.cli.local"}
    assert ("sqlite3" in imported) == (words[0] == "init")  # which makes the file of pins


@pytest.mark.parametrize("words", ASKED)
def test_a_daemon_tells_the_same(shelf: Any, words: list[str]) -> None:
    alone = json.loads(shelf.text(*words, "--json"))
    with shelf.running():
        through_it = json.loads(shelf.text(*words, "--json"))
    if words == ["id"]:
        # What a node that runs has more.
        assert through_it.pop("Addresses")
        assert through_it.pop("Protocols")
        assert (alone.pop("Addresses"), alone.pop("Protocols")) == ([], [])
    assert alone == through_it


def test_the_private_network_is_told(shelf: Any) -> None:
    made = json.loads(shelf.text("swarm", "genkey", "--json"))
    assert json.loads(shelf.text("id", "--json"))["SwarmKeyFingerprint"] == made["Fingerprint"]
    (shelf.path / "swarm.key").write_text("no key")
    assert "is no key of a private network" in shelf.fails("id")


def test_the_environment_is_heeded(shelf: Any) -> None:
    shelf.environment["PEERSHELF_SWARM_UPLOADRATE"] = "5MB/s"
    assert shelf.text("config", "get", "Swarm.UploadRate") == "5MB/s"


def test_the_machine_is_told_on_systems_without_uname(monkeypatch: pytest.MonkeyPatch) -> None:
    told = own_files.version()
    monkeypatch.delattr(os, "uname")
    assert own_files.version() == told


@pytest.mark.parametrize("words", ASKED)
def test_nothing_is_locked(shelf: Any, words: list[str]) -> None:
    files = {path: path.stat().st_mtime_ns for path in shelf.path.rglob("*")}
    shelf.text(*words)
    assert {path: path.stat().st_mtime_ns for path in shelf.path.rglob("*")} == files


@pytest.mark.parametrize("words", ASKED)
def test_failures_are_told_on_a_line(shelf: Any, words: list[str], tmp_path: Path) -> None:
    missing = tmp_path / "missing"
    told = f"Error: no repo at {missing}: make one with `node init`"
    assert shelf.fails(*words, "--repo", str(missing)) == told
    (shelf.path / "config.toml").write_text("Addresses = 3\n")
    told = shelf.fails(*words)
    assert told.startswith("Error: ")
    assert "config.toml" in told
    assert "\n" not in told


def test_an_unknown_key_is_told(shelf: Any) -> None:
    assert shelf.fails("config", "get", "Nope").startswith("Error: unknown configuration key 'Nope'")


def test_only_what_fails_is_translated() -> None:
    with Failing():
        pass
    own = CliError("as it is")
    with pytest.raises(CliError) as raised, Failing():
        raise own
    assert raised.value is own
    with pytest.raises(CliError, match="said by the node"), Failing():
        raise ConfigError("said by the node")
    with pytest.raises(ZeroDivisionError), Failing():
        raise ZeroDivisionError
