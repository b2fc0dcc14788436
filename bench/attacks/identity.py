"""Attacks of who is not who it says, or says again what somebody has said."""

from __future__ import annotations

import itertools
from contextlib import suppress
from typing import Any

import trio
from libp2p.crypto.ed25519 import create_new_key_pair
from libp2p.network.connection.raw_connection import RawConnection
from libp2p.peer.id import ID

from bench.attacks.attack import Attack, Pace, Target, side_by_side, tool

_AT_ONCE = 4


async def another_key(target: Target, pace: Pace) -> None:
    """Noise handshakes with a public key that the signature is not of."""

    async def one() -> None:
        await pace.due()
        secured, forged = tool("secured"), tool("forgeries").ForgedNoise
        async with target.wire() as tcp:
            with suppress(Exception):  # what the handshake makes of being cut off
                await secured.shake_hands(tcp, target.peer, create_new_key_pair(), forged)
                await secured.is_cut_off(tcp)

    await side_by_side(_AT_ONCE, one)


async def certificates(target: Target, pace: Pace) -> None:
    """TLS with certificates that prove nothing."""
    identities = itertools.cycle(tool("forgeries").tls_identities().values())

    async def one() -> None:
        await pace.due()
        async with target.wire() as tcp:
            with suppress(Exception):  # as above
                await tool("secured").agree(tcp, "/tls/1.0.0")
                await next(identities).secure_outbound(RawConnection(tcp, True), ID.from_base58(target.peer))
                await tool("secured").is_cut_off(tcp)

    await side_by_side(_AT_ONCE, one)


async def replays(target: Target, pace: Pace) -> None:
    """What an honest handshake and its first frames were, word for word."""
    async with target.secured() as peer:
        await peer.say(_ping())
        recorded = b"".join(peer.carrier.sent)

    async def one() -> None:
        await pace.due()
        with suppress(OSError, trio.BrokenResourceError):
            async with target.wire() as tcp:
                await tcp.write(recorded)
                await tool("secured").is_cut_off(tcp)

    await side_by_side(_AT_ONCE, one)


def _ping() -> bytes:
    hand: Any = tool("handmade")
    frame: bytes = hand.yamux(hand.PING, hand.SYN, 0, 1)
    return frame


ATTACKS = (
    Attack("another-key", "Noise handshakes with another's key", 20, "handshakes", another_key),
    Attack("certificates", "forged TLS certificates", 20, "handshakes", certificates),
    Attack("replays", "handshakes played again", 50, "connections", replays),
)
