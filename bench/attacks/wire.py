"""Attacks before there is a peer, and on its multiplexer."""

from __future__ import annotations

import itertools
import os
from collections.abc import Awaitable, Callable
from contextlib import suppress
from typing import Any

import trio

from bench.attacks.attack import Attack, Pace, Target, side_by_side, tool

_HELD = 256
"""Sockets that the half-open flood keeps at a time; the victim allows fewer."""
_AT_ONCE = 8
_PINGS, _STREAMS, _EMPTY = 100, 20, 5_000
"""How many frames go into one message."""


async def half_open(target: Target, pace: Pace) -> None:
    """Sockets that begin to greet and then say nothing, until the victim closes them."""

    async def one() -> None:
        await pace.due()
        with suppress(OSError, trio.BrokenResourceError):
            async with target.wire() as tcp:
                await tcp.write(tool("handmade").MULTISTREAM[:10])
                await tcp.read(1)

    await side_by_side(_HELD, one)


async def come_and_go(target: Target, pace: Pace) -> None:
    """Whole handshakes, after each of which the peer leaves."""

    async def one() -> None:
        await pace.due()
        with pace.may_be_refused():
            async with target.secured():
                pass

    await side_by_side(_AT_ONCE, one)


async def noise_garbage(target: Target, pace: Pace) -> None:
    """A key, and then what was encrypted with no key."""

    async def one() -> None:
        await pace.due()
        with suppress(OSError, trio.BrokenResourceError):
            async with target.wire() as tcp:
                garbage = _noise_message(os.urandom(32)) + _noise_message(os.urandom(200))
                await tcp.write(tool("handmade").propose("/noise") + garbage)
                while await tcp.read(65_536):
                    pass

    await side_by_side(_AT_ONCE, one)


async def channel_garbage(target: Target, pace: Pace) -> None:
    """Half a frame, or what no key has encrypted, after a handshake that was right."""

    async def one() -> None:
        await pace.due()
        with pace.may_be_refused():
            async with target.secured(deaf=True) as peer:
                hand = tool("handmade")
                await peer.say(
                    hand.opened(1, hand.BITSWAP) + hand.yamux(hand.DATA, 0, 1, 60_000) + bytes(999)
                )
                await peer.carrier.write(_noise_message(os.urandom(1_000)))
                await tool("secured").is_cut_off(peer.carrier)

    await side_by_side(_AT_ONCE, one)


async def _flood(target: Target, pace: Pace, at_once: int, frame: Callable[[Any, int], bytes]) -> None:
    """Yamux frames of one peer, until the victim cuts it off."""
    hand = tool("handmade")
    async with target.secured() as peer:
        for start in itertools.count(0, at_once):
            await pace.due(at_once)
            if peer.closed.is_set():
                return
            peer.frames.clear()
            await peer.say(*(frame(hand, start + number) for number in range(at_once)))


def pings(target: Target, pace: Pace) -> Awaitable[None]:
    """Pings that nobody needs."""
    return _flood(target, pace, _PINGS, lambda hand, n: hand.yamux(hand.PING, hand.SYN, 0, n))


def empty_frames(target: Target, pace: Pace) -> Awaitable[None]:
    """Data frames without data, for a stream that there is not."""
    return _flood(target, pace, _EMPTY, lambda hand, n: hand.yamux(hand.DATA, 0, 1))


def questions(target: Target, pace: Pace) -> Awaitable[None]:
    """Streams that ask who the victim is, one after the other."""

    def frames(hand: Any, number: int) -> bytes:
        stream = 2 * number + 1
        asked: bytes = hand.opened(stream, "/ipfs/id/1.0.0")
        ended: bytes = hand.yamux(hand.UPDATE, hand.FIN, stream)
        return asked + ended

    return _flood(target, pace, 4, frames)


def streams(target: Target, pace: Pace) -> Awaitable[None]:
    """Streams that are opened and left open."""
    return _flood(target, pace, _STREAMS, lambda hand, n: hand.yamux(hand.UPDATE, hand.SYN, 2 * n + 1))


def resets(target: Target, pace: Pace) -> Awaitable[None]:
    """Streams that are reset in the middle of a message."""

    def frames(hand: Any, number: int) -> bytes:
        stream = 2 * number + 1
        begun: bytes = hand.opened(stream, hand.BITSWAP, b"\x80\x80\x04" + bytes(1_000))
        ended: bytes = hand.yamux(hand.UPDATE, hand.RST, stream)
        return begun + ended

    return _flood(target, pace, 1, frames)


async def violations(target: Target, pace: Pace) -> None:
    """Frames that Yamux forbids, each of which ends its connection."""
    broken = itertools.cycle(tool("broken").VIOLATIONS.values())

    async def one() -> None:
        await pace.due()
        with pace.may_be_refused():
            async with target.secured() as peer:
                await peer.say(next(broken))
                await peer.closed.wait()

    await side_by_side(_AT_ONCE, one)


def negotiations(target: Target, pace: Pace) -> Awaitable[None]:
    """Streams whose negotiation is broken: no UTF-8, overlong, endless."""
    broken = list(tool("broken").NEGOTIATIONS.values())

    def frames(hand: Any, number: int) -> bytes:
        frame: bytes = hand.yamux(
            hand.DATA, hand.SYN | hand.FIN, 2 * number + 1, payload=broken[number % len(broken)]
        )
        return frame

    return _flood(target, pace, 1, frames)


def _noise_message(data: bytes) -> bytes:
    return len(data).to_bytes(2, "big") + data


ATTACKS = (
    Attack("half-open", "half-open sockets", 200, "new sockets", half_open),
    Attack("come-and-go", "connects and disconnects", 20, "handshakes", come_and_go),
    Attack("noise-garbage", "garbage in the Noise handshake", 50, "connections", noise_garbage),
    Attack("channel-garbage", "garbage after the handshake", 20, "handshakes", channel_garbage),
    Attack("pings", "a flood of pings", 2_000, "pings", pings),
    Attack("empty-frames", "data frames without data", 500_000, "frames", empty_frames),
    Attack("questions", "streams for identify", 2_000, "streams", questions),
    Attack("streams", "a flood of SYNs", 2_000, "streams", streams),
    Attack("resets", "resets in the middle of a message", 200, "streams", resets),
    Attack("violations", "frames that Yamux forbids", 20, "connections", violations),
    Attack("negotiations", "broken negotiations", 100, "streams", negotiations),
)
