"""`swarm filters`, with a daemon and without one."""

from __future__ import annotations

import json

import pytest

LOOPBACK = "/ip4/127.0.0.0/ipcidr/8"


def in_config(shelf):
    return json.loads(shelf("config", "get", "Swarm.AddrFilters", "--json"))


def test_filters_are_in_force_at_once_and_after_a_restart(daemons, new_shelf):
    ours, other = daemons(), daemons()
    ours("swarm", "connect", other.addresses[0])
    assert ours.text("swarm", "filters", "add", "/ip4/127.1.2.3/ipcidr/8") == LOOPBACK
    assert ours.text("swarm", "peers") == ""
    assert f"filtered by {LOOPBACK}" in ours.fails("swarm", "connect", other.addresses[0])
    other.fails("swarm", "connect", ours.addresses[0])
    assert ours.text("swarm", "filters") == LOOPBACK
    ours.stop()
    with ours.running():
        assert ours.text("swarm", "filters") == LOOPBACK
        other.fails("swarm", "connect", ours.addresses[0])
        assert ours.text("swarm", "filters", "rm", LOOPBACK) == LOOPBACK
        other("swarm", "connect", ours.addresses[0])
    assert ours.text("swarm", "filters") == ""


def test_without_a_daemon_the_setting_is_changed(shelf):
    masks = [LOOPBACK, "/ip6/fd00::/ipcidr/8"]
    assert json.loads(shelf("swarm", "filters", "add", *masks, LOOPBACK, "--json")) == {"Strings": masks}
    assert shelf.text("config", "get", "Swarm.AddrFilters").split() != []
    shelf("swarm", "filters", "add", LOOPBACK)
    assert shelf.text("swarm", "filters").split("\n") == masks
    assert shelf.text("swarm", "filters", "rm", "/ip4/192.0.2.0/ipcidr/24") == ""
    assert json.loads(shelf("swarm", "filters", "rm", "all", "--json")) == {"Strings": sorted(masks)}
    assert json.loads(shelf("swarm", "filters", "--json")) == {"Strings": []}


@pytest.mark.parametrize("command", ["add", "rm"])
def test_one_bad_mask_changes_nothing(daemons, command):
    ours = daemons()
    ours("swarm", "filters", "add", LOOPBACK)
    done = ours.run("swarm", "filters", command, LOOPBACK, "/ip6/fd00::/ipcidr/8", "10.0.0.0/8")
    assert b"'10.0.0.0/8' is no mask; write one as /ip4/10.0.0.0/ipcidr/8" in done.stderr
    assert done.returncode == 1
    assert ours.text("swarm", "filters") == LOOPBACK


def test_a_bad_mask_in_the_configuration_is_named(shelf):
    assert "Swarm.AddrFilters takes masks of addresses" in shelf.fails(
        "config", "set", "Swarm.AddrFilters", '["10.0.0.0/8"]'
    )
