"""Address filters against a real Kubo: shut out in both directions, let in again; and Kubo's own commands."""

from __future__ import annotations

import json

import pytest
from peer_process import PeerFailed

MASK = "/ip4/127.0.0.1/ipcidr/32"


async def test_a_filtered_kubo_is_kept_out_both_ways_until_the_filter_goes(kubo, shelf, eventually):
    node = await kubo()
    with shelf.running():
        peer = shelf.addresses[0].rpartition("/")[2]
        await node.connect(shelf.addresses[0])
        shelf("swarm", "filters", "add", MASK)
        assert shelf.text("swarm", "peers") == ""
        await eventually(lambda: _has_left(node, peer))
        assert f"filtered by {MASK}" in shelf.fails("swarm", "connect", node.address)
        with pytest.raises(PeerFailed, match="failed to negotiate"):
            await node.connect(shelf.addresses[0])
        shelf("swarm", "filters", "rm", MASK)
        shelf("swarm", "connect", node.address)
        shelf("swarm", "disconnect", node.peer_id)
        await node.connect(shelf.addresses[0])


async def _has_left(node, peer):
    return peer not in await node.peers()


async def test_kubos_command_line_lists_and_edits_ours(kubo, shelf):
    node = await kubo()
    masks = [MASK, "/ip6/fd00::/ipcidr/8"]
    with shelf.running():

        async def both(*words):
            """What Kubo's program prints on our node, which has to be what it prints on its own."""
            ours = await node.cli("--api", shelf.api, *words)
            assert ours == await node.cli(*words)
            return ours.split()

        assert await both("swarm", "filters", "add", *masks) == masks
        assert sorted(await both("swarm", "filters")) == sorted(masks)
        assert await both("swarm", "filters", "rm", MASK) == [MASK]
        assert json.loads(shelf("swarm", "filters", "--json")) == {"Strings": masks[1:]}
        assert await both("swarm", "filters", "rm", "all") == masks[1:]
        assert await both("swarm", "filters") == []
