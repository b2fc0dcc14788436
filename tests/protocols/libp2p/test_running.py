"""Listening, and ending: in time and without a trace."""

from __future__ import annotations

import time
from pathlib import Path

import base58
import pytest
import trio
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from peershelf.protocols.errors import DialFailed, InvalidAddress, LocalProtocolError, TransportError
from peershelf.protocols.libp2p import keeper

PEER = "12D3KooWDpJ7As7BWAwRMfu1VU2WCqNjvq387JEYKDBj4kx6nXTN"


NOISE_OVERHEAD = 2 + 16
YAMUX_HEADER = 12


async def hang(*_):
    await trio.sleep_forever()


def open_descriptors():
    return len(list(Path("/proc/self/fd").iterdir()))


def living_tasks():
    return trio.lowlevel.current_statistics().tasks_living


async def test_several_addresses_are_listened_on_and_ports_resolved(host):
    a = await host(listen=["/ip4/127.0.0.1/tcp/0", "/ip4/127.0.0.2/tcp/0", "/ip6/::1/tcp/0"])
    b = await host()
    assert len(a.addresses()) == 3
    for address in a.addresses():
        assert "/tcp/0/" not in address
        assert await b.connect(address) == a.local_peer
        await b.disconnect(a.local_peer)


@pytest.mark.parametrize(
    ("wildcard", "loopback"), [("/ip4/0.0.0.0", "/ip4/127.0.0.1"), ("/ip6/::", "/ip6/::1")]
)
async def test_a_wildcard_stands_for_the_addresses_of_the_interfaces(host, wildcard, loopback):
    a, b = await host(listen=[f"{wildcard}/tcp/0"]), await host()
    assert not [address for address in a.addresses() if address.startswith(f"{wildcard}/")]
    (local,) = [address for address in a.addresses() if address.startswith(f"{loopback}/")]
    assert await b.connect(local) == a.local_peer


async def test_a_port_that_is_taken_is_an_error_that_says_so(host, make_host):
    a = await host()
    where = a.addresses()[0].partition("/p2p/")[0]
    with pytest.raises(TransportError, match=f"^cannot listen on {where}: address already in use$"):
        await make_host(listen=["/ip4/127.0.0.1/tcp/0", where]).run()


@pytest.mark.parametrize("address", ["nonsense", "/ip4/127.0.0.1/udp/0/quic-v1", "/dns/localhost/tcp/0"])
def test_only_tcp_on_an_ip_address_is_listened_on(make_host, address):
    with pytest.raises(InvalidAddress):
        make_host(listen=[address])


@pytest.mark.parametrize("security", [[], ["plaintext"], ["noise", "secio"]])
def test_no_other_security_than_noise_and_tls_exists(make_host, security):
    with pytest.raises(LocalProtocolError, match="one or more of noise, tls"):
        make_host(security=security)


def test_a_seed_of_the_wrong_length_is_refused(network_class):
    with pytest.raises(LocalProtocolError, match="32 bytes, not 64"):
        network_class(private_key=bytes(64), listen=[], agent="test")


async def test_without_addresses_it_dials_but_does_not_listen(host):
    a, b = await host(listen=[]), await host()
    assert a.addresses() == []
    await a.connect(b.addresses()[0])


async def test_cancelled_it_ends_within_a_second_and_leaves_no_task_and_no_socket(
    make_host, host, eventually
):
    other = await host()
    other.handle(["/test/hang"], hang)
    await trio.testing.wait_all_tasks_blocked()
    before = living_tasks(), open_descriptors()
    async with trio.open_nursery() as running:
        hosts = [make_host() for _ in range(5)]
        for one in hosts:
            one.handle(["/test/hang"], hang)
            await running.start(one.run)
            await one.connect(other.addresses()[0])
            await one.open_stream(other.local_peer, ["/test/hang"])
            await other.open_stream(one.local_peer, ["/test/hang"])
        start = time.perf_counter()
        running.cancel_scope.cancel()
    assert time.perf_counter() - start < 1
    await eventually(lambda: (living_tasks(), open_descriptors()) == before)


async def test_its_peers_are_told_before_the_sockets_are_closed(make_host, host, eventually):
    a, b = make_host(), await host()
    async with trio.open_nursery() as running:
        await running.start(a.run)
        await a.connect(b.addresses()[0])
        (socket,) = b._transport._streams
        sizes, read = [], socket.read

        async def count(n):
            data = await read(n)
            sizes.append(len(data))
            return data

        socket.read = count
        await a.ping(b.local_peer)
        await trio.testing.wait_all_tasks_blocked(0.05)
        sizes.clear()
        running.cancel_scope.cancel()
    await eventually(lambda: not b.peers())
    assert sum(sizes) == NOISE_OVERHEAD + YAMUX_HEADER


async def test_a_host_that_has_ended_does_not_dial(make_host, host):
    a, b = make_host(), await host()
    async with trio.open_nursery() as running:
        await running.start(a.run)
        running.cancel_scope.cancel()
    with pytest.raises(LocalProtocolError, match="not running"):
        await a.connect(b.addresses()[0])


async def test_a_dial_in_progress_ends_with_the_host(make_host, nursery):
    a = make_host()
    (listener,) = await trio.open_tcp_listeners(0, host="127.0.0.1")
    where = f"/ip4/127.0.0.1/tcp/{listener.socket.getsockname()[1]}"
    failed = trio.Event()

    async def dial():
        with pytest.raises(DialFailed):
            await a.connect(f"{where}/p2p/{PEER}")
        failed.set()

    async with trio.open_nursery() as running:
        await running.start(a.run)
        nursery.start_soon(dial)
        accepted = await listener.accept()
        await trio.testing.wait_all_tasks_blocked()
        running.cancel_scope.cancel()
    async with listener, accepted:
        with trio.fail_after(1):
            await failed.wait()


async def test_it_ends_in_time_though_a_peer_reads_nothing(make_host, host):
    a, b = make_host(), await host()
    b.handle(["/test/hang"], hang)
    async with trio.open_nursery() as running:
        await running.start(a.run)
        await a.connect(b.addresses()[0])
        stream = await a.open_stream(b.local_peer, ["/test/hang"])
        (socket,) = b._transport._streams
        socket.read = hang
        running.start_soon(stream.send_all, bytes(20_000_000))
        await trio.testing.wait_all_tasks_blocked(0.05)
        start = time.perf_counter()
        running.cancel_scope.cancel()
    assert time.perf_counter() - start < 1


def test_its_peer_id_is_the_identity_multihash_of_its_public_key(network_class):
    seed = bytes(range(32))
    public = Ed25519PrivateKey.from_private_bytes(seed).public_key().public_bytes_raw()
    multihash = b"\x00\x24" + b"\x08\x01\x12\x20" + public
    expected = base58.b58encode(multihash).decode()
    assert network_class(private_key=seed, listen=[], agent="test").local_peer == expected


async def test_a_stream_on_a_connection_that_is_being_closed_does_not_bring_it_back(
    host, eventually, monkeypatch
):
    """The peer has not heard yet that it is to go, and opens one stream more."""
    a, b = await host(), await host()
    may_close = trio.Event()
    close = keeper.close_connection

    async def close_later(*arguments):
        await may_close.wait()
        await close(*arguments)

    monkeypatch.setattr(keeper, "close_connection", close_later)
    await a.connect(b.addresses()[0])
    await eventually(b.peers)
    await b.disconnect(a.local_peer)
    with pytest.raises(TransportError):
        await a.ping(b.local_peer)
    assert b.peers() == []
    may_close.set()
    await eventually(lambda: not a.peers())
    await a.connect(b.addresses()[0])
    await eventually(lambda: b.peers() == [a.local_peer])
