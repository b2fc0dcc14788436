"""DHTs over a network in memory: they find, provide and answer, and strangers do no harm."""

from __future__ import annotations

import trio
from kad_world import ADDRESS, CID, chain, providers, world

from peershelf.protocols.routing.base import PeerInfo
from peershelf.protocols.routing.kad import LAN
from peershelf.protocols.routing.kad.messages import Contact, Kind, Message, encode
from peershelf.protocols.wire import encode_frame


async def test_everybody_learns_of_everybody_from_a_neighbour(autojump_clock) -> None:
    async with world() as here:
        nodes = await chain(here, 12)
        assert [len(dht.table) for _, dht in nodes] == [11] * 12


async def test_what_one_end_provides_the_other_finds(autojump_clock) -> None:
    async with world() as here:
        nodes = await chain(here, 30)
        (provider, providing), (_, seeking) = nodes[0], nodes[-1]
        assert await providers(seeking) == {}
        assert await providing.provide([CID.multihash]) == 20
        found = await providers(seeking)
        assert found == {provider.local_peer: PeerInfo(provider.local_peer, ("/ip4/127.0.0.1/tcp/4001",))}


async def test_a_peer_is_found_by_its_id(autojump_clock) -> None:
    async with world() as here:
        nodes = await chain(here, 20)
        found: list[PeerInfo] = []
        await nodes[-1][1].find_peer(nodes[0][0].local_peer, found.append)
        assert PeerInfo(nodes[0][0].local_peer, ("/ip4/127.0.0.1/tcp/4001",)) in found


async def test_a_client_finds_and_is_in_nobodys_table(autojump_clock) -> None:
    async with world() as here:
        nodes = await chain(here, 5)
        network, client = await here.node(serve=False)
        here.internet.connect(network._inner, nodes[0][0]._inner)
        await trio.sleep(60)
        assert len(client.table) == 5
        assert all(network.local_peer not in dht.table for _, dht in nodes)
        await nodes[2][1].provide([CID.multihash])
        assert list(await providers(client)) == [nodes[2][0].local_peer]


async def test_nobody_speaks_for_others(autojump_clock) -> None:
    async with world() as here:
        (victim, _), (middle, asked), (liar, _) = await chain(here, 3)
        stream = await here.networks[liar.local_peer].open_stream(middle.local_peer, [LAN.protocol])
        forged = Message(
            Kind.ADD_PROVIDER, CID.multihash, providers=(Contact(victim.local_peer, (ADDRESS,)),)
        )
        await stream.send_all(encode_frame(encode(forged)))
        await trio.sleep(1)
        assert await providers(asked) == {}


async def test_silence_and_rubbish_cost_their_stream_and_a_search_goes_on(autojump_clock) -> None:
    async with world() as here:
        nodes = await chain(here, 6)
        for behaviour in ("silent", "rubbish"):
            bad = here.network()

            async def answer(stream, behaviour=behaviour) -> None:
                await stream.receive_some()
                if behaviour == "rubbish":
                    await stream.send_all(b"\xff" * 40)
                await trio.sleep_forever()

            bad.handle([LAN.protocol], answer)
            here.internet.connect(bad._inner, nodes[1][0]._inner)
            nodes[1][1].table.heard(Contact(bad.local_peer, (ADDRESS,)), trio.current_time())
        await nodes[0][1].provide([CID.multihash])
        start = trio.current_time()
        assert list(await providers(nodes[-1][1])) == [nodes[0][0].local_peer]
        assert trio.current_time() - start < 30


async def test_a_peer_that_is_gone_is_forgotten(autojump_clock) -> None:
    async with world() as here:
        nodes = await chain(here, 4)
        gone = nodes[2][0].local_peer
        for network, _ in nodes:
            if gone in network.peers():
                here.internet.disconnect(network._inner, here.networks[gone])
        del here.networks[gone]
        await nodes[0][1].look_around()
        assert gone not in nodes[0][1].table


async def test_without_peers_a_search_ends_at_once(autojump_clock) -> None:
    async with world() as here:
        _, lonely = await here.node()
        start = trio.current_time()
        assert await providers(lonely) == {}
        assert await lonely.provide([CID.multihash]) == 0
        assert trio.current_time() == start
