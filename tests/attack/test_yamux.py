"""Peers that have proven who they are, and then break the rules of the multiplexer."""

from __future__ import annotations

import trio

MIB = 1 << 20
DATA, UPDATE, PING, GO_AWAY = range(4)
SYN, ACK, FIN, RST = 1, 2, 4, 8
PROTOCOL_ERROR = 1
BITSWAP = "/ipfs/bitswap/1.2.0"


async def test_a_violation_ends_its_connection_with_a_go_away(siege, secured_peer, broken):
    async with siege(memory=24 * MIB):
        for name, data in broken.VIOLATIONS.items():
            async with secured_peer() as peer:
                await peer.say(data)
                with trio.move_on_after(10):
                    await peer.closed.wait()
                assert peer.closed.is_set(), f"{name}: the connection goes on"
                ends = [frame.length for frame in peer.frames if frame.kind == GO_AWAY]
                # Closing a socket with unread bytes in it resets it, and the go-away may be lost with that.
                assert ends == [PROTOCOL_ERROR] or (not ends and len(data) > 65_536), name


async def test_streams_reset_in_the_middle_leave_nothing_behind(siege, secured_peer, by_hand):
    async with siege(memory=24 * MIB) as watch, secured_peer() as peer:
        for number in range(1, 4_001, 2):
            await peer.say(
                by_hand.opened(number, BITSWAP, b"\x80\x80\x04" + bytes(1_000)),
                by_hand.yamux(DATA, 0, number, payload=bytes(500)),
                by_hand.yamux(UPDATE, RST, number),
                by_hand.yamux(DATA, 0, number, payload=bytes(500)),
            )
        await peer.say(by_hand.yamux(PING, SYN, 0, 99))
        await peer.until(lambda: any((f.kind, f.length) == (PING, 99) for f in peer.frames))
        assert not any(frame.flags & RST for frame in peer.frames), "those before it kept a stream's place"
        report = await watch.report()
        assert report.tasks < 200
        assert report.census["peershelf.protocols.libp2p.yamux.stream.Stream"] < 100


async def test_a_flood_of_streams_is_refused_above_the_cap(siege, secured_peer, by_hand):
    flood = 20_000
    async with siege(memory=24 * MIB) as watch, secured_peer() as peer:
        for start in range(1, 2 * flood, 2_000):
            await peer.say(*(by_hand.yamux(UPDATE, SYN, number) for number in range(start, start + 2_000, 2)))
        await peer.until(lambda: sum(bool(frame.flags & RST) for frame in peer.frames) > flood - 600)
        report = await watch.report()
        assert report.tasks < 700
        assert report.census["peershelf.protocols.libp2p.yamux.stream.Stream"] < 700


async def test_a_flood_of_streams_that_reads_no_refusals_is_cut_off(siege, secured_peer, by_hand):
    async with siege(memory=24 * MIB), secured_peer(deaf=True) as peer:
        number = 1
        with trio.move_on_after(20):
            while not peer.closed.is_set():
                some = range(number, number + 20_000, 2)
                await peer.say(*(by_hand.yamux(UPDATE, SYN, one) for one in some))
                number += 20_000
        assert peer.closed.is_set()


async def test_a_flood_of_pings_is_not_answered_one_by_one(siege, secured_peer, by_hand):
    flood, a_message = 200_000, 5_000
    async with siege(memory=24 * MIB), secured_peer() as peer:
        for start in range(0, flood, a_message):
            await peer.say(*(by_hand.yamux(PING, SYN, 0, start + number) for number in range(a_message)))
        await peer.say(by_hand.yamux(UPDATE, SYN, 2))
        with trio.fail_after(20):
            await peer.closed.wait()
        pongs = sum(frame.kind == PING and frame.flags == ACK for frame in peer.frames)
        assert 0 < pongs < flood / 7


async def test_bytes_that_nobody_reads_are_bounded(siege, secured_peer, by_hand):
    """250 streams with a full window each are 62 MiB, of which a connection may hold 16."""
    async with siege(memory=40 * MIB), secured_peer() as peer:
        stalled = b"\xff\xff\xff\x01"
        for number in range(1, 501, 2):
            head = by_hand.opened(number, BITSWAP, stalled)
            await peer.say(head, by_hand.yamux(DATA, 0, number, payload=bytes(256 * 1024 - len(head))))
        await peer.until(lambda: any(frame.flags & RST for frame in peer.frames))


async def test_bytes_that_nobody_reads_are_bounded_over_all_connections(siege, secured_peer, by_hand, many):
    """30 connections with 16 MiB of pings each are 480 MiB, of which 256 may be held."""
    window, pings = 256 * 1024, 60
    async with siege(memory=400 * MIB), many(30, lambda: secured_peer(deaf=True)) as peers:
        for number in range(1, 2 * pings, 2):
            head = by_hand.opened(number, "/ipfs/ping/1.0.0")
            rest = by_hand.yamux(DATA, 0, number, payload=bytes(window - len(head)))
            for peer in peers:  # in turns: one that answers no pings, and is silent for 20 s, has to go
                await peer.say(head, rest)
        assert not any(peer.closed.is_set() for peer in peers)
