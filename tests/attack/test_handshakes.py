"""Strangers that are not who they claim to be, or do not know the secret that they should."""

from __future__ import annotations

import os
import secrets
from contextlib import AsyncExitStack, suppress

import pytest
import trio
from libp2p.crypto.ed25519 import create_new_key_pair
from libp2p.network.connection.raw_connection import RawConnection
from libp2p.peer.id import ID

from peershelf.protocols.libp2p import Libp2pNetwork
from peershelf.protocols.wire import encode_frame, frame_header

MIB = 1 << 20
ENDLESS = b"\xff\xff\xff\xff\xff\xff\xff\xff\x7f"
"""The length of a line of multistream-select that never ends."""


def noise_message(data: bytes) -> bytes:
    return len(data).to_bytes(2, "big") + data


@pytest.fixture
def garbage(by_hand):
    """What is no handshake, by name; every one of them is whole enough to be judged at once."""
    noise, tls = by_hand.propose("/noise"), by_hand.propose("/tls/1.0.0")
    return {
        "random": b"\x60" + secrets.token_bytes(100_000),
        "HTTP": b"GET / HTTP/1.1\r\nHost: localhost\r\n\r\n" * 100,
        "invalid UTF-8": by_hand.MULTISTREAM + b"\x05\xff\xfe\xfd\xfc\n",
        "overlong varint": b"\xff" * 11,
        "an empty message of Noise": noise + noise_message(b""),
        "a short message of Noise": noise + noise_message(bytes(5)),
        "a point of low order": noise + noise_message(bytes(32)),
        "garbage for a key": noise + noise_message(os.urandom(32)) + noise_message(os.urandom(200)),
        "garbage at full length": noise + noise_message(os.urandom(65_535)) * 2,
        "garbage for TLS": tls + secrets.token_bytes(100_000),
        "a record of TLS that is too long": tls + b"\x16\x03\x01\xff\xff" + bytes(70_000),
    }


async def test_garbage_for_a_handshake_costs_its_connection(siege, wire, is_cut_off, garbage):
    async with siege(memory=32 * MIB):
        for data in [*garbage.values()] * 3:
            async with wire() as tcp:
                with suppress(trio.BrokenResourceError):
                    await tcp.write(data)
                await is_cut_off(tcp)


async def test_a_line_without_end_is_cut_off(siege, wire, victim, handshakes, is_cut_off):
    """Before there is a muxer nothing else bounds what a stranger sends."""

    async def flood(out, tcp) -> None:
        with trio.move_on_after(15), suppress(Exception):
            await out.write(ENDLESS)
            for _ in range(256):
                await out.write(bytes(MIB))
        await is_cut_off(tcp)

    async with siege(memory=32 * MIB), AsyncExitStack() as stack, trio.open_nursery() as floods:
        for secure in (False, True, False, True):
            tcp = await stack.enter_async_context(wire())
            out = await handshakes.shake_hands(tcp, victim.peer, create_new_key_pair()) if secure else tcp
            floods.start_soon(flood, out, tcp)


async def test_garbage_inside_the_secure_channel_costs_its_connection(siege, secured_peer, is_cut_off):
    async with siege(memory=24 * MIB):
        for size in (0, 5, 16, 100, 65_535):
            async with secured_peer(deaf=True) as peer:
                await peer.carrier.write(noise_message(os.urandom(size)))
                await is_cut_off(peer.carrier)


async def test_nobody_is_taken_for_another_over_noise(siege, victim, wire, handshakes, is_cut_off, forgeries):
    async with siege(memory=24 * MIB):
        for _ in range(20):
            async with wire() as tcp:
                keys = create_new_key_pair()
                conn = await handshakes.shake_hands(tcp, victim.peer, keys, forgeries.ForgedNoise)
                with suppress(Exception):
                    await handshakes.agree(conn, "/yamux/1.0.0")
                    pytest.fail("the victim went on")
                await is_cut_off(tcp)
        assert str(ID.from_pubkey(forgeries.CLAIMED)) not in await victim.peers()


async def test_what_was_recorded_cannot_be_played_again(siege, secured_peer, wire, is_cut_off, by_hand):
    ping = by_hand.yamux(2, 1, 0, 1)
    async with siege(memory=24 * MIB):
        async with secured_peer() as peer:
            await peer.say(ping)
            await peer.until(lambda: any(frame.kind == 2 and frame.flags == 2 for frame in peer.frames))
            recorded = b"".join(peer.carrier.sent)
        async with wire() as tcp:
            await tcp.write(recorded)
            await is_cut_off(tcp)
        async with secured_peer(deaf=True) as peer:
            await peer.say(ping)
            await peer.carrier.write(peer.carrier.sent[-1])
            await is_cut_off(peer.carrier)


async def test_the_victim_does_not_take_another_for_whom_it_dials(siege, victim, nursery):
    other = str(ID.from_pubkey(create_new_key_pair().public_key))
    async with siege(memory=24 * MIB):
        for security in ("noise", "tls"):
            impostor = Libp2pNetwork(
                private_key=os.urandom(32),
                listen=["/ip4/127.0.0.1/tcp/0"],
                agent="impostor/1",
                security=[security],
            )
            await nursery.start(impostor.run)
            address = impostor.addresses()[0].rpartition("/")[0]
            await trio.to_thread.run_sync(victim.shelf.fails, "swarm", "connect", f"{address}/{other}")
            assert not {other, impostor.local_peer} & await victim.peers()


async def test_forged_certificates_open_no_connection(siege, victim, wire, handshakes, is_cut_off, forgeries):
    async with siege(memory=24 * MIB):
        for name, tls in forgeries.tls_identities().items():
            async with wire() as tcp:
                await handshakes.agree(tcp, "/tls/1.0.0")
                conn = await tls.secure_outbound(RawConnection(tcp, True), ID.from_base58(victim.peer))
                with suppress(Exception):
                    await handshakes.agree(conn, "/yamux/1.0.0")
                    pytest.fail(f"{name}: the victim went on")
                await is_cut_off(tcp)
        assert str(ID.from_pubkey(forgeries.CLAIMED)) not in await victim.peers()


async def test_a_key_that_takes_long_to_read_is_not_read(
    siege, victim, wire, handshakes, is_cut_off, forgeries
):
    """The whole node stood still: ten seconds for each over Noise, a third of one for each over TLS."""

    async def secure(tls: bool, tcp) -> None:
        if not tls:
            return await handshakes.shake_hands(tcp, victim.peer, create_new_key_pair(), forgeries.SlowNoise)
        await handshakes.agree(tcp, "/tls/1.0.0")
        return await slow_tls.secure_outbound(RawConnection(tcp, True), ID.from_base58(victim.peer))

    slow_tls = forgeries.slow_tls()
    async with siege(memory=24 * MIB):
        busy = victim.main_thread
        for tls in [False] * 2 + [True] * 10:
            async with wire() as tcp:
                conn = await secure(tls, tcp)
                with suppress(Exception):
                    await handshakes.agree(conn, "/yamux/1.0.0")
                    pytest.fail("the victim went on")
                await is_cut_off(tcp)
        assert victim.main_thread - busy < 2


async def test_what_a_peer_says_of_itself_ends_nothing(siege, secured_peer, by_hand):
    identify = "/ipfs/id/1.0.0"
    lies = {
        "protocols that are no UTF-8": encode_frame(b"\x1a\x04/\xff\xfe/"),
        "an agent that is no UTF-8": encode_frame(b"\x32\x04\xff\xfe\xfd\xfc"),
        "garbage": encode_frame(b"\xff" * 1_000),
        "too much": frame_header(65_537) + bytes(65_537),
        "the end": frame_header(100),
    }
    async with siege(memory=24 * MIB):
        for lie in lies.values():
            async with secured_peer() as peer:
                await peer.until(lambda heard=peer.heard: identify.encode() in heard(2))
                said = by_hand.propose(identify) + lie
                await peer.say(by_hand.yamux(0, 2 | 4, 2, payload=said))
                await peer.say(by_hand.opened(1, "/ipfs/ping/1.0.0", bytes(32)))
                await peer.until(lambda heard=peer.heard: heard(1).endswith(bytes(32)))
