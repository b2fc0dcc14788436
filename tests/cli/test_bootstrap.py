"""`bootstrap add`, `rm` and `list`, with a daemon and without one."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import nullcontext
from typing import Any

import pytest

from peershelf.node.public_peers import PUBLIC_BOOTSTRAP_PEERS

A, B, C = (
    f"/ip4/192.0.2.{last}/tcp/4001/p2p/12D3KooWDpJ7As7BWAwRMfu1VU2WCqNjvq387JEYKDBj4kx6nXTN"
    for last in (1, 2, 3)
)


def listed(node: Any) -> list[str]:
    lines: list[str] = node.text("bootstrap", "list").split()
    return lines


def test_addresses_are_added_once_in_order_and_removed(node: Any) -> None:
    assert listed(node) == []
    assert node.text("bootstrap", "add", B, A, B).splitlines() == [f"added {B}", f"added {A}"]
    assert node.text("bootstrap", "add", A, C).splitlines() == [f"added {C}"]
    assert listed(node) == [B, A, C]
    assert node.text("bootstrap", "rm", A, A).splitlines() == [f"removed {A}"]
    assert node.text("bootstrap", "rm", A) == ""
    assert json.loads(node.text("bootstrap", "list", "--json")) == {"Peers": [B, C]}
    assert json.loads(node.text("bootstrap", "rm", "--all", "--json")) == {"Peers": [B, C]}
    assert listed(node) == []


@pytest.mark.parametrize(
    ("add", "remove"), [(["--default"], ["--all"]), (["default"], ["all"])], ids=["options", "words"]
)
def test_the_public_peers_come_back_beside_what_is_there(
    shelf: Any, add: list[str], remove: list[str]
) -> None:
    shelf("bootstrap", "add", A)
    assert shelf.text("bootstrap", "add", *add).splitlines() == [f"added {p}" for p in PUBLIC_BOOTSTRAP_PEERS]
    assert listed(shelf) == [A, *PUBLIC_BOOTSTRAP_PEERS]
    shelf("bootstrap", "rm", *remove)
    assert listed(shelf) == []


def test_who_never_set_them_has_the_public_peers_and_can_do_without_one(shelf: Any) -> None:
    config = shelf.path / "config.toml"
    config.write_text(config.read_text().replace("Bootstrap = []\n", ""))
    assert listed(shelf) == list(PUBLIC_BOOTSTRAP_PEERS)
    shelf("bootstrap", "rm", PUBLIC_BOOTSTRAP_PEERS[0])
    assert listed(shelf) == list(PUBLIC_BOOTSTRAP_PEERS[1:])


@pytest.fixture(scope="module", params=["alone", "daemon"])
def lasting_node(request: pytest.FixtureRequest, shelf_at: Any, tmp_path_factory: Any) -> Iterator[Any]:
    """As `node`, for tests that change nothing."""
    shelf = shelf_at(tmp_path_factory.mktemp("lasting") / "shelf")
    with shelf.running() if request.param == "daemon" else nullcontext():
        yield shelf


@pytest.mark.parametrize(
    ("words", "complaint"),
    [
        (["add", A, "nonsense"], "'nonsense' does not say which peer"),
        (["add", "/ip4/192.0.2.1/tcp/1"], "append /p2p/ and the peer ID"),
        (["add", "/ip4/192.0.2.1/tcp/1/p2p/me"], "'me' is no peer ID"),
        (["add", A.replace("tcp", "udp")], "cannot be dialed"),
        (["rm", "nonsense"], "does not say which peer"),
    ],
)
def test_what_names_no_peer_is_refused_on_one_line(
    lasting_node: Any, words: list[str], complaint: str
) -> None:
    done = lasting_node.run("bootstrap", *words)
    error = done.stderr.decode()
    assert (done.returncode, done.stdout) == (1, b"")
    assert complaint in error
    assert error.count("\n") == 1
    assert listed(lasting_node) == [], "nothing of it was added"


@pytest.mark.parametrize(("verb", "instead"), [("add", b"--default"), ("rm", b"--all")])
def test_no_address_at_all_is_wrong_usage(lasting_node: Any, verb: str, instead: bytes) -> None:
    done = lasting_node.run("bootstrap", verb)
    assert (done.returncode, done.stdout) == (2, b"")
    assert instead in done.stderr


def test_nonsense_that_got_into_the_file_can_be_taken_out(shelf: Any) -> None:
    shelf("config", "set", "Bootstrap", '["nonsense"]')
    assert shelf.text("bootstrap", "rm", "nonsense") == "removed nonsense"


def test_whoever_changes_the_list_of_a_running_daemon_hears_when_it_counts(shelf: Any) -> None:
    with shelf.running():
        assert b"when it starts next" in shelf.run("bootstrap", "add", A).stderr
        assert shelf.run("bootstrap", "add", A).stderr == b"", "there was nothing to change"
