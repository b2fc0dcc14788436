"""Hosts that have nothing to do with some addresses."""

from __future__ import annotations

import pytest
import trio

from peershelf.protocols.errors import DialFailed
from peershelf.protocols.filters import Mask
from peershelf.protocols.libp2p import HostLimits

LOOPBACK = Mask("/ip4/127.0.0.0/ipcidr/8")
LOOPBACK6 = Mask("/ip6/::1/ipcidr/128")
ELSEWHERE = Mask("/ip4/192.0.2.0/ipcidr/24")


def port_of(host):
    return int(host.addresses()[0].split("/")[4])


async def is_closed_at_once(port, source="127.0.0.1"):
    async with await trio.open_tcp_stream("127.0.0.1", port, local_address=source) as stranger:
        with trio.fail_after(5):
            try:
                return await stranger.receive_some() == b""
            except trio.BrokenResourceError:
                return True


async def test_filtered_addresses_are_neither_dialed_nor_taken_in(host):
    patient = HostLimits(upgrade_timeout=1_000)
    ours, other = await host(filters=[LOOPBACK, ELSEWHERE], limits=patient), await host()
    with pytest.raises(DialFailed, match=r"filtered by /ip4/127\.0\.0\.0/ipcidr/8, see"):
        await ours.connect(other.addresses()[0])
    assert await is_closed_at_once(port_of(ours))
    with pytest.raises(DialFailed):
        await other.connect(ours.addresses()[0])
    assert len(ours._transport.inbound) == 0


async def test_no_handshake_is_begun_with_a_filtered_address(host):
    ours, other = await host(filters=[LOOPBACK]), await host()
    heard = []
    other._transport.inbound.admit = lambda remote, give_up: heard.append(remote)
    with pytest.raises(DialFailed):
        await ours.connect(other.addresses()[0])
    assert not heard


async def test_what_is_not_filtered_connects(host):
    ours, other = await host(filters=[ELSEWHERE]), await host(filters=[ELSEWHERE])
    await ours.connect(other.addresses()[0])
    assert other.peers() == [ours.local_peer]


async def test_one_address_is_filtered_and_its_neighbour_is_not(host):
    ours = await host(filters=[Mask("/ip4/127.0.0.3/ipcidr/32")])
    assert await is_closed_at_once(port_of(ours), "127.0.0.3")
    async with await trio.open_tcp_stream("127.0.0.1", port_of(ours), local_address="127.0.0.4") as neighbour:
        await neighbour.send_all(b"\x13/multistream/1.0.0\n")
        with trio.fail_after(5):
            assert await neighbour.receive_some() == b"\x13/multistream/1.0.0\n"


async def test_an_ipv4_address_does_not_slip_through_in_its_ipv6_form(host):
    ours, other = await host(filters=[LOOPBACK]), await host()
    mapped = other.addresses()[0].replace("/ip4/127.0.0.1", "/ip6/::ffff:127.0.0.1")
    with pytest.raises(DialFailed, match="filtered by"):
        await ours.connect(mapped)


async def test_a_name_is_filtered_by_what_it_stands_for(host):
    ours, other = await host(filters=[LOOPBACK, LOOPBACK6]), await host()
    with pytest.raises(DialFailed, match="filtered by"):
        await ours.connect(f"/dns4/localhost/tcp/{port_of(other)}/p2p/{other.local_peer}")


async def test_filtered_addresses_take_no_place_among_those_that_are_tried(host):
    ours = await host(filters=[Mask("/ip4/127.0.1.0/ipcidr/24")], limits=HostLimits(addresses_per_dial=2))
    other = await host()
    as_good = [f"/ip4/127.0.1.{number}/tcp/4001/p2p/{other.local_peer}" for number in range(1, 9)]
    await ours.reach(other.local_peer, [*as_good, *other.addresses()])
    assert ours.peers() == [other.local_peer]


async def test_connections_are_closed_when_their_filter_comes(host, eventually):
    ours, dialed, came = await host(), await host(), await host()
    await ours.connect(dialed.addresses()[0])
    await came.connect(ours.addresses()[0])
    async with await trio.open_tcp_stream("127.0.0.1", port_of(ours)) as half_open:
        await eventually(lambda: len(ours._transport.inbound.half_open) == 1)
        ours.add_filters([LOOPBACK])
        assert ours.peers() == []
        with trio.fail_after(5):
            while await half_open.receive_some():
                pass
    await eventually(lambda: not dialed.peers() and not came.peers())
    await eventually(lambda: not ours._transport._streams)


async def test_other_connections_stay_when_a_filter_comes(host):
    ours, other = await host(), await host()
    await ours.connect(other.addresses()[0])
    ours.add_filters([ELSEWHERE, LOOPBACK6])
    assert ours.peers() == [other.local_peer]
    assert 0 < await ours.ping(other.local_peer) < 5


async def test_a_dial_under_way_ends_when_its_filter_comes(host):
    ours = await host(limits=HostLimits(dial_timeout=1_000))
    async with trio.open_nursery() as nursery:
        accepted = trio.Event()

        async def never_answer(tcp):
            accepted.set()
            await trio.sleep_forever()

        listeners = await nursery.start(trio.serve_tcp, never_answer, 0)
        port = listeners[0].socket.getsockname()[1]

        async def dial():
            with pytest.raises(DialFailed), trio.fail_after(10):
                await ours.connect(
                    f"/ip4/127.0.0.1/tcp/{port}/p2p/12D3KooWDF6DnKoZdnpLtiegUTLguGJtow2RXjxBNQ8uFcB6QvkV"
                )
            nursery.cancel_scope.cancel()

        nursery.start_soon(dial)
        await accepted.wait()
        ours.add_filters([LOOPBACK])


async def test_after_a_filter_is_gone_both_ways_are_open(host):
    ours, other = await host(filters=[LOOPBACK]), await host()
    ours.remove_filters([LOOPBACK])
    assert ours.filters() == []
    await other.connect(ours.addresses()[0])
    await other.disconnect(ours.local_peer)
    await ours.connect(other.addresses()[0])
