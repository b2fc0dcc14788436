"""Dialing: what connects, and what is said when nothing does."""

from __future__ import annotations

import time

import pytest
import trio
from libp2p.peer.id import ID

from peershelf.blockstore.cid import LIBP2P_KEY, Cid
from peershelf.protocols.errors import DialFailed, InvalidAddress, LocalProtocolError
from peershelf.protocols.libp2p import HostLimits, resolve
from peershelf.protocols.libp2p.addresses import Multiaddr

OTHER_PEER = "12D3KooWDpJ7As7BWAwRMfu1VU2WCqNjvq387JEYKDBj4kx6nXTN"


@pytest.mark.parametrize("security", ["noise", "tls"])
@pytest.mark.parametrize("listen", ["/ip4/127.0.0.1/tcp/0", "/ip6/::1/tcp/0"])
async def test_two_hosts_connect_and_each_sees_the_other(host, security, listen):
    a, b = await host(security=[security]), await host(security=[security], listen=[listen])
    assert await a.connect(b.addresses()[0]) == b.local_peer
    assert (a.peers(), b.peers()) == ([b.local_peer], [a.local_peer])
    (ours,), (theirs,) = a.connections(), b.connections()
    assert ours.security == theirs.security == {"noise": "/noise", "tls": "/tls/1.0.0"}[security]
    assert (ours.direction, theirs.direction) == ("outbound", "inbound")
    assert ours.muxer == "/yamux/1.0.0"
    assert f"{ours.address}/p2p/{b.local_peer}" == b.addresses()[0]


async def test_noise_is_preferred_where_both_offer_both(host):
    a, b = await host(), await host(security=["tls", "noise"])
    await a.connect(b.addresses()[0])
    assert a.connections()[0].security == "/noise"


async def test_connecting_takes_no_fixed_delay(host):
    a, taken = await host(), []
    for _ in range(3):
        b = await host()
        start = time.perf_counter()
        await a.connect(b.addresses()[0])
        taken.append(time.perf_counter() - start)
    assert min(taken) < 0.2


async def test_a_connected_peer_is_not_dialed_again(host):
    a, b = await host(), await host()
    await a.connect(b.addresses()[0])
    await b.connect(a.addresses()[0])
    assert await a.connect(f"/ip4/127.0.0.1/tcp/1/p2p/{b.local_peer}") == b.local_peer
    assert len(a.connections()) == len(b.connections()) == 1


async def test_dials_of_one_peer_at_once_make_one_connection(host):
    a, b = await host(), await host()
    async with trio.open_nursery() as nursery:
        for _ in range(5):
            nursery.start_soon(a.connect, b.addresses()[0])
    assert len(a.connections()) == 1


async def test_a_name_is_resolved_and_loopback_is_not_left_out(host):
    a, b = await host(), await host()
    port = b.addresses()[0].split("/")[4]
    assert await a.connect(f"/dns4/localhost/tcp/{port}/p2p/{b.local_peer}") == b.local_peer


async def test_every_address_of_a_name_is_tried(host, monkeypatch):
    a, b = await host(), await host()
    port = int(b.addresses()[0].split("/")[4])
    tcp = (trio.socket.AF_INET, trio.socket.SOCK_STREAM, 6, "")

    def look_up(*_args):
        return [(*tcp, (address, port)) for address in ("127.0.0.3", "127.0.0.2", "127.0.0.1")]

    monkeypatch.setattr(resolve, "look_up_name", look_up)
    assert await a.connect(f"/dns/node.example/tcp/{port}/p2p/{b.local_peer}") == b.local_peer


async def test_of_a_dnsaddr_only_the_named_peers_tcp_addresses_are_taken(host, monkeypatch):
    a, b = await host(), await host()
    answer = [
        Multiaddr(f"/ip4/127.0.0.1/tcp/1/p2p/{OTHER_PEER}"),
        Multiaddr(f"/ip4/127.0.0.1/udp/1/quic-v1/p2p/{b.local_peer}"),
        Multiaddr(b.addresses()[0]),
    ]

    async def look_up(_address):
        return answer

    monkeypatch.setattr(resolve, "resolve_multiaddr_with_retry", look_up)
    assert await a.connect(f"/dnsaddr/node.example/p2p/{b.local_peer}") == b.local_peer
    await a.disconnect(b.local_peer)
    del answer[2]
    with pytest.raises(DialFailed, match="no TCP address for the peer"):
        await a.connect(f"/dnsaddr/node.example/p2p/{b.local_peer}")


@pytest.mark.parametrize("broken", ["no answer", "no resolver"])
async def test_a_dnsaddr_that_cannot_be_looked_up_is_a_failed_dial(host, monkeypatch, broken):
    async def look_up(_address):
        if broken == "no resolver":
            raise OSError("no nameservers")

    monkeypatch.setattr(resolve, "resolve_multiaddr_with_retry", look_up)
    with pytest.raises(DialFailed, match="the name cannot be looked up"):
        await (await host()).connect(f"/dnsaddr/node.example/p2p/{OTHER_PEER}")


async def test_a_refused_dial_says_so_and_does_not_stand_in_the_way_of_the_next(host, make_host, nursery):
    with trio.socket.socket() as reserved:
        await reserved.bind(("127.0.0.1", 0))
        where = f"/ip4/127.0.0.1/tcp/{reserved.getsockname()[1]}"
    a, b = await host(), make_host(listen=[where])
    with pytest.raises(
        DialFailed, match=f"^cannot connect to {b.local_peer} at {where}: connection refused$"
    ):
        await a.connect(f"{where}/p2p/{b.local_peer}")
    await nursery.start(b.run)
    await a.connect(f"{where}/p2p/{b.local_peer}")
    assert a.peers() == [b.local_peer]


@pytest.mark.parametrize("security", ["noise", "tls"])
async def test_another_peer_than_the_one_named_is_refused(host, eventually, security):
    a, b = await host(security=[security]), await host(security=[security])
    with pytest.raises(DialFailed, match="another peer answers there"):
        await a.connect(b.addresses()[0].replace(b.local_peer, OTHER_PEER))
    assert a.peers() == []
    await eventually(lambda: b.peers() == [])


@pytest.mark.parametrize(("ours", "theirs"), [("noise", "tls"), ("tls", "noise")])
async def test_without_a_common_secure_channel_there_is_no_connection(host, ours, theirs):
    a, b = await host(security=[ours]), await host(security=[theirs])
    with pytest.raises(DialFailed, match="no common security protocol, we offer /"):
        await a.connect(b.addresses()[0])


async def test_a_listener_that_says_nothing_times_out(host, nursery):
    a = await host(limits=HostLimits(dial_timeout=0.3))
    silent = await trio.open_tcp_listeners(0, host="127.0.0.1")
    port = silent[0].socket.getsockname()[1]
    with trio.fail_after(2), pytest.raises(DialFailed, match=r"timed out after 0\.3 s$"):
        await a.connect(f"/ip4/127.0.0.1/tcp/{port}/p2p/{OTHER_PEER}")
    await silent[0].aclose()


@pytest.mark.parametrize("greeting", [b"SSH-2.0-OpenSSH_9.9\r\n", b"\x13/multistream/1.0.0\n\x04no!\n", b""])
async def test_a_listener_that_speaks_something_else_is_told_apart(host, nursery, greeting):
    a = await host(limits=HostLimits(dial_timeout=2))

    async def greet(stream):
        if greeting:
            await stream.send_all(greeting)
        await stream.receive_some()

    listeners = await nursery.start(trio.serve_tcp, greet, 0)
    port = listeners[0].socket.getsockname()[1]
    reason = "does not speak libp2p$|closed during the handshake$"
    with pytest.raises(DialFailed, match=reason):
        await a.connect(f"/ip4/127.0.0.1/tcp/{port}/p2p/{OTHER_PEER}")


@pytest.mark.parametrize(
    "address",
    [
        "",
        "/",
        "garbage",
        "127.0.0.1:4001",
        "/ip4/300.0.0.1/tcp/4001",
        "/ip4/127.0.0.1/tcp/70000",
        f"/ip4/127.0.0.1/p2p/{OTHER_PEER}",
        f"/ip4/127.0.0.1/udp/4001/quic-v1/p2p/{OTHER_PEER}",
        f"/ip4/127.0.0.1/tcp/4001/ws/p2p/{OTHER_PEER}",
        f"/ip4/127.0.0.1/tcp/4001/p2p/{OTHER_PEER}/p2p-circuit/p2p/{OTHER_PEER}",
        "/ip4/127.0.0.1/tcp/4001/p2p/not-a-peer",
        f"/p2p/{OTHER_PEER}",
        "/ip4/127.0.0.1/tcp/4001/p2p/\x1b[31m",
        "x" * 100_000,
    ],
)
async def test_what_is_no_address_of_a_peer_is_refused_in_one_printable_line(host, address):
    a = await host()
    with pytest.raises(InvalidAddress) as caught:
        await a.connect(address)
    assert str(caught.value).isprintable()
    assert len(str(caught.value)) < 400


async def test_an_address_without_a_peer_id_is_refused_with_advice(host):
    a = await host()
    with pytest.raises(InvalidAddress, match="append /p2p/ and the peer ID"):
        await a.connect("/ip4/127.0.0.1/tcp/4001")


async def test_a_name_that_does_not_exist_is_a_failed_dial(host):
    a = await host()
    with pytest.raises(DialFailed, match=r"the name nowhere\.invalid cannot be resolved"):
        await a.connect(f"/dns/nowhere.invalid/tcp/4001/p2p/{OTHER_PEER}")


async def test_a_host_does_not_connect_to_itself(host):
    a = await host()
    with pytest.raises(InvalidAddress, match="own peer ID"):
        await a.connect(a.addresses()[0])


async def test_a_peer_id_may_be_written_as_a_cid(host):
    a, b = await host(), await host()
    as_cid = str(Cid.v1(LIBP2P_KEY, ID.from_base58(b.local_peer).to_bytes()))
    assert await a.connect(b.addresses()[0].replace(b.local_peer, as_cid)) == b.local_peer


async def test_a_host_that_does_not_run_does_not_dial(make_host):
    with pytest.raises(LocalProtocolError, match="not running"):
        await make_host().connect(f"/ip4/127.0.0.1/tcp/4001/p2p/{OTHER_PEER}")
