"""Daemons that look after their connections by themselves: bootstrap peers and peerings."""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

NewShelf = Callable[[], Any]
SOON = 40.0
"""Seconds that a machine which is busy may take for a pause of five and a dial."""


def eventually(holds: Callable[[], bool]) -> None:
    deadline = time.monotonic() + SOON
    while not holds():
        assert time.monotonic() < deadline, "it never came to be"
        time.sleep(0.2)


def has_peers(shelf: Any) -> bool:
    return shelf.text("swarm", "peers") != ""


def with_fixed_address(shelf: Any) -> str:
    """Have the shelf's daemon listen where it does now whenever it runs, and return its address."""
    with shelf.running():
        address: str = shelf.addresses[0]
    shelf("config", "set", "Addresses.Swarm", json.dumps([address.rpartition("/p2p/")[0]]))
    return address


def log_of(shelf: Any) -> list[str]:
    path: Path = shelf.path.parent / f"{shelf.path.name}.log"
    return path.read_text().splitlines()


def test_a_bootstrap_peer_that_comes_up_later_is_found(new_shelf: NewShelf) -> None:
    late, daemon = new_shelf(), new_shelf()
    daemon("bootstrap", "add", with_fixed_address(late))
    with daemon.running():
        eventually(lambda: any("peer not reached" in line for line in log_of(daemon)))
        assert not has_peers(daemon)
        with late.running():
            eventually(lambda: has_peers(daemon))
    lines = [line for line in log_of(daemon) if "reached" in line]
    assert len(lines) == 2, "one for the failure, one for the success"


def test_names_that_cannot_be_resolved_cost_a_line_each_and_no_more(shelf: Any) -> None:
    peer = "12D3KooWDpJ7As7BWAwRMfu1VU2WCqNjvq387JEYKDBj4kx6nXTN"
    other = "12D3KooWDF6DnKoZdnpLtiegUTLguGJtow2RXjxBNQ8uFcB6QvkV"
    shelf("bootstrap", "add", f"/dnsaddr/none.invalid/p2p/{peer}", f"/dns/none.invalid/tcp/1/p2p/{other}")
    with shelf.running():
        eventually(lambda: len(log_of(shelf)) >= 2)
        time.sleep(8)  # long enough for each to be tried again
    assert [line for line in log_of(shelf) if "peer not reached" not in line and "ending" not in line] == []
    assert sum("peer not reached" in line for line in log_of(shelf)) == 2


@pytest.mark.parametrize("how", ["command", "setting"])
def test_a_peered_node_is_reached_again_after_it_was_killed(new_shelf: NewShelf, how: str) -> None:
    mortal, daemon = new_shelf(), new_shelf()
    address = with_fixed_address(mortal)
    if how == "setting":
        daemon("config", "set", "Peering.Peers", json.dumps([address]))
    with daemon.running():
        with mortal.running():
            if how == "command":
                added = daemon.text("swarm", "peering", "add", address)
                assert added == f"add {address.rpartition('/')[2]} success"
            eventually(lambda: has_peers(daemon))
            mortal.kill()
        eventually(lambda: not has_peers(daemon))
        with mortal.running():
            eventually(lambda: has_peers(daemon))


def test_the_peering_is_listed_and_changed_until_the_daemon_ends(shelf: Any) -> None:
    one, other = (
        "12D3KooWDpJ7As7BWAwRMfu1VU2WCqNjvq387JEYKDBj4kx6nXTN",
        "12D3KooWDF6DnKoZdnpLtiegUTLguGJtow2RXjxBNQ8uFcB6QvkV",
    )
    ways = ["/ip4/127.0.0.1/tcp/1", "/ip4/127.0.0.1/tcp/2"]
    with shelf.running():
        shelf("swarm", "peering", "add", *(f"{way}/p2p/{one}" for way in ways), f"{ways[0]}/p2p/{other}")
        shown = shelf.text("swarm", "peering", "ls").split("\n")
        assert shown == [one, *(f"\t{way}" for way in ways), other, f"\t{ways[0]}"]
        assert (
            shelf.text("swarm", "peering", "rm", one, f"/p2p/{one}").splitlines()
            == [f"remove {one} success"] * 2
        )
        assert json.loads(shelf.text("swarm", "peering", "ls", "--json")) == {
            "Peers": [{"ID": other, "Addrs": [ways[0]]}]
        }
    with shelf.running():
        assert shelf.text("swarm", "peering", "ls") == ""


@pytest.fixture(scope="module")
def daemon_without_peering(
    shelf_at: Callable[[Path], Any], tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Any]:
    """A daemon for tests that change nothing."""
    with shelf_at(tmp_path_factory.mktemp("peering") / "shelf").running() as shelf:
        yield shelf


@pytest.mark.parametrize("bad", ["nonsense", "/ip4/127.0.0.1/tcp/1", "/ip4/127.0.0.1/tcp/1/p2p/me", "own"])
def test_a_peering_with_nobody_is_refused_on_one_line_and_as_a_whole(
    daemon_without_peering: Any, bad: str
) -> None:
    shelf = daemon_without_peering
    good = "/ip4/127.0.0.1/tcp/1/p2p/12D3KooWDpJ7As7BWAwRMfu1VU2WCqNjvq387JEYKDBj4kx6nXTN"
    done = shelf.run("swarm", "peering", "add", good, shelf.addresses[0] if bad == "own" else bad)
    assert done.returncode == 1
    assert done.stderr.decode().count("\n") == 1
    assert shelf.text("swarm", "peering", "ls") == ""


def test_a_peering_needs_a_daemon_and_its_setting_takes_addresses_only(shelf: Any) -> None:
    assert "daemon" in shelf.fails("swarm", "peering", "ls")
    assert "does not say which peer" in shelf.fails("config", "set", "Peering.Peers", '["nonsense"]')


def test_a_daemon_goes_back_to_a_peer_that_it_knew(new_shelf: NewShelf) -> None:
    other, daemon = new_shelf(), new_shelf()
    nobody = "/ip4/127.0.0.1/tcp/1/p2p/12D3KooWDpJ7As7BWAwRMfu1VU2WCqNjvq387JEYKDBj4kx6nXTN"
    daemon("bootstrap", "add", nobody)
    with other.running():
        with daemon.running():
            daemon("swarm", "connect", other.addresses[0])
        with daemon.running():
            eventually(lambda: has_peers(daemon))
    (known,) = json.loads((daemon.path / "peers.json").read_text())["Peers"]
    assert f"{known['Addrs'][0]}/p2p/{known['ID']}" == other.addresses[0]


def test_a_command_without_a_daemon_finds_at_a_peer_that_an_earlier_one_knew(new_shelf: NewShelf) -> None:
    """Its bootstrap peer is gone, and no routing would lead it anywhere."""
    other, hub, alone = new_shelf(), new_shelf(), new_shelf()
    with other.running():
        cid = other.text("add", "-Q", __file__)
        with hub.running():
            alone("bootstrap", "add", hub.addresses[0])
            with alone.running():
                alone("swarm", "connect", other.addresses[0])
        assert alone("cat", "--timeout", "20s", cid) == Path(__file__).read_bytes()
        book = json.loads((alone.path / "peers.json").read_text())
    assert other.addresses[0].rpartition("/")[2] in {known["ID"] for known in book["Peers"]}


def test_a_daemon_without_bootstrap_peers_remembers_nobody(new_shelf: NewShelf) -> None:
    other, daemon = new_shelf(), new_shelf()
    with other.running(), daemon.running():
        daemon("swarm", "connect", other.addresses[0])
    assert not (daemon.path / "peers.json").exists()
