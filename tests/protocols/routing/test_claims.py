"""What peers say of where they are: the routing table goes by where they are seen."""

from __future__ import annotations

import random

import trio
from kad_strangers import frame, stranger
from kad_world import ADDRESS, Dialing, World, world

from peershelf.protocols.routing.kad import LAN, WAN
from peershelf.protocols.routing.kad.messages import Message
from peershelf.protocols.routing.kad.scope import Scope

RNG = random.Random(21)
TCP = bytes([6, 15, 161])


async def agree(stream, request):
    await stream.send_all(frame(Message(request.kind, request.key)))


def public(start: bytes) -> bytes:
    return b"\4" + (start + RNG.randbytes(4))[:4] + TCP


async def takes_part(here: World, node: Dialing, scope: Scope, *, seen: bytes, claims: bytes) -> None:
    """Have a peer connect to a node and answer it."""
    one = stranger(here, agree, protocol=scope.protocol)
    here.seen_at[one.local_peer], here.claims[one.local_peer] = seen, [claims]
    here.internet.connect(one._inner, node._inner)
    await trio.sleep(1)


async def test_who_claims_a_hundred_networks_and_is_in_one_gets_twelve_places(autojump_clock):
    async with world() as here:
        node, dht = await here.node(scope=WAN)
        for number in range(200):
            seen, claims = public(b"\x08\x08"), public(bytes([20 + number % 100, number]))
            await takes_part(here, node, WAN, seen=seen, claims=claims)
        assert len(dht.table) <= 12
        for number in range(20):
            address = public(bytes([20 + number, 1]))
            await takes_part(here, node, WAN, seen=address, claims=address)
        assert 12 < len(dht.table) <= 32


async def test_nor_does_who_comes_from_near_and_claims_to_be_far(autojump_clock):
    async with world() as here:
        node, dht = await here.node(scope=WAN)
        for number in range(200):
            claims = public(bytes([20 + number % 100, number]))
            await takes_part(here, node, WAN, seen=ADDRESS, claims=claims)
        assert len(dht.table) <= 12


async def test_from_afar_nobody_is_near(autojump_clock):
    async with world() as here:
        node, dht = await here.node(scope=LAN)
        await takes_part(here, node, LAN, seen=public(b"\x08\x08"), claims=ADDRESS)
        assert len(dht.table) == 0
        await takes_part(here, node, LAN, seen=ADDRESS, claims=ADDRESS)
        assert len(dht.table) == 1
