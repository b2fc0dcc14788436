"""A DHT client that turns server, and back."""

from __future__ import annotations

import pytest
import trio
from kad_world import CID, Dialing, chain, providers, world

from peershelf.protocols.errors import ProtocolNotSupported
from peershelf.protocols.routing.kad import LAN, Dht
from peershelf.protocols.routing.kad.company import REFRESH


async def test_who_begins_to_serve_is_taken_up_and_keeps_records_of_others(autojump_clock) -> None:
    async with world() as here:
        nodes = await chain(here, 5)
        network, turning = await here.node(serve=False)
        here.internet.connect(network._inner, nodes[0][0]._inner)
        await trio.sleep(2 * REFRESH)
        assert all(network.local_peer not in dht.table for _, dht in nodes)
        turning.serve(True)
        await trio.sleep(2 * REFRESH)
        assert network.local_peer in nodes[0][1].table
        await nodes[1][1].provide([CID.multihash])
        await trio.sleep(1)  # nobody thanks for records
        assert turning._records.get(CID.multihash, trio.current_time())


async def test_who_no_longer_serves_answers_nobody_and_still_finds(autojump_clock) -> None:
    async with world() as here:
        nodes: list[tuple[Dialing, Dht]] = await chain(here, 5)
        (network, turning), (neighbour, _) = nodes[0], nodes[1]
        turning.serve(False)
        turning.serve(False)
        with pytest.raises(ProtocolNotSupported):
            await neighbour._inner.open_stream(network.local_peer, [LAN.protocol])
        await nodes[3][1].provide([CID.multihash])
        assert list(await providers(turning)) == [nodes[3][0].local_peer]
