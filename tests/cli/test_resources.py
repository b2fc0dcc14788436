"""`swarm resources`: a daemon's own account of what is bounded."""

from __future__ import annotations

import json
import resource
import socket

import pytest


def rows(shelf, *options):
    listed = json.loads(shelf("swarm", "resources", "--json", *options))["Resources"]
    return {(row["Scope"], row["Name"]): row for row in listed}


def port_of(shelf):
    return int(shelf.addresses[0].split("/")[4])


def test_connections_count_where_they_belong(daemons):
    ours, one, two = daemons(), daemons(), daemons()
    ours("swarm", "connect", one.addresses[0])
    two("swarm", "connect", ours.addresses[0])
    found = rows(ours)
    used = {name: found["connections", name]["Usage"] for name in ("all", "inbound", "outbound", "half-open")}
    assert used == {"all": 2, "inbound": 1, "outbound": 1, "half-open": 0}
    address, peer = found["connections", "of one address"], found["connections", "of one peer"]
    assert (address["Usage"], address["Limit"], address["Whose"]) == (1, 128, "127.0.0.1")
    assert (peer["Usage"], peer["Limit"], peer["Percent"]) == (1, 4, 25.0)
    assert found["process", "file descriptors"]["Limit"] == resource.getrlimit(resource.RLIMIT_NOFILE)[0]
    assert 20_000_000 < found["process", "memory"]["Usage"] < found["process", "memory"]["Limit"]


def test_limits_are_those_of_the_settings(shelf):
    settings = {
        "Swarm.ConnMgr.LowWater": "3",
        "Swarm.ConnMgr.HighWater": "5",
        "Swarm.ConnMgr.Headroom": "7",
        "Swarm.ConnMgr.OutboundReserve": "2",
        "Swarm.ConnMgr.MaxPerPeer": "6",
        "Swarm.MaxDials": "8",
        "Bitswap.MaxBuffered": "3MiB",
        "Bitswap.MaxBufferedPerPeer": "1MiB",
    }
    for key, value in settings.items():
        shelf("config", "set", key, value)
    with shelf.running():
        found = rows(shelf)
    expected = {
        ("connections", "all"): 12,
        ("connections", "inbound"): 10,
        ("connections", "half-open"): 7,
        ("connections", "of one peer"): 6,
        ("dials", "asked for by users"): 2,
        ("dials", "by the node itself"): 6,
        ("bitswap", "arriving"): 3 << 20,
        ("bitswap", "being sent, one peer"): 1 << 20,
    }
    assert {key: found[key]["Limit"] for key in expected} == expected


def test_what_is_nearly_used_up_is_found(daemons):
    ours = daemons()
    assert rows(ours, "--min-used-limit-perc", "25") == {}
    strangers = [socket.create_connection(("127.0.0.1", port_of(ours))) for _ in range(16)]
    for stranger in strangers:  # accepted, once its greeting is answered
        stranger.sendall(b"\x13/multistream/1.0.0\n")
        assert stranger.recv(1) == b"\x13"
    (row,) = rows(ours, "--min-used-limit-perc", "25").values()
    assert (row["Name"], row["Usage"], row["Percent"]) == ("half-open", 16, 50.0)
    for stranger in strangers:
        stranger.close()


def test_people_get_a_table(daemons):
    ours = daemons()
    lines = ours.text("swarm", "resources").split("\n")
    assert lines[0].split() == ["Scope", "Resource", "Used", "Limit", "Percent", "By"]
    assert any(line.split() == ["connections", "all", "0", "128", "0.0%"] for line in lines)
    assert any("arriving" in line and "128.0 MiB" in line for line in lines)


def test_it_needs_a_daemon(shelf):
    assert "needs a running daemon" in shelf.fails("swarm", "resources")


@pytest.mark.parametrize("value", ["-1", "much"])
def test_a_percentage_is_a_number(shelf, value):
    assert "whole number" in shelf.fails("swarm", "resources", f"--min-used-limit-perc={value}")
