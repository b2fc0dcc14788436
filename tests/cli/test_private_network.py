"""The commands that a private network's operator runs."""

from __future__ import annotations

import json
import os
import subprocess
from pathlib import Path

from peershelf.protocols.private import SwarmKey


def test_genkey_makes_a_key_and_every_command_shows_its_fingerprint(shelf) -> None:
    made = shelf.run("swarm", "genkey", "--json")
    record = json.loads(made.stdout)
    content = Path(record["Path"]).read_bytes()
    key = SwarmKey.decode(content)
    assert record["Fingerprint"] == key.fingerprint
    assert key.secret.hex().encode() not in made.stdout + made.stderr
    assert Path(record["Path"]).stat().st_mode & 0o777 == 0o600
    assert "already" in shelf.fails("swarm", "genkey")
    assert Path(record["Path"]).read_bytes() == content
    assert f"private, swarm key fingerprint {key.fingerprint}" in shelf.text("id")
    with shelf.running():
        assert json.loads(shelf("id", "--json"))["SwarmKeyFingerprint"] == key.fingerprint


def test_the_daemon_says_what_kubo_says(shelf) -> None:
    fingerprint = json.loads(shelf("swarm", "genkey", "--json"))["Fingerprint"]
    with shelf.start("daemon", stdout=subprocess.PIPE, stderr=subprocess.DEVNULL) as daemon:
        lines = [daemon.stdout.readline().decode().rstrip("\n") for _ in range(2)]
        daemon.terminate()
    assert lines == [
        "Swarm is limited to private network of peers with the swarm key",
        f"Swarm key fingerprint: {fingerprint}",
    ]


def test_a_key_is_for_the_next_start(shelf) -> None:
    with shelf.running():
        assert b"when it starts next" in shelf.run("swarm", "genkey").stderr
        assert "SwarmKeyFingerprint" not in json.loads(shelf("id", "--json"))


def test_a_damaged_key_keeps_the_daemon_from_starting(shelf) -> None:
    (shelf.path / "swarm.key").write_text("damaged")
    assert "swarm.key is no key of a private network" in shelf.fails("daemon")


def test_a_node_that_must_be_private_starts_with_a_key_alone(shelf) -> None:
    shelf.environment["LIBP2P_FORCE_PNET"] = "1"
    assert "swarm genkey" in shelf.fails("daemon")
    shelf("swarm", "genkey")
    with shelf.running():
        assert shelf.addresses


def test_genkey_makes_no_repo(shelf) -> None:
    assert "node init" in shelf.fails("swarm", "genkey", "--repo", str(shelf.path) + "-2")
    assert not os.path.exists(str(shelf.path) + "-2")  # noqa: PTH110
