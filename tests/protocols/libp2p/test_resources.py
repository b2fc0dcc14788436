"""What a host says of its streams and buffers, while they are in use."""

from __future__ import annotations

import trio

DEAF = "/test/deaf/1.0.0"


def used(host):
    return {(one.scope, one.name): one for one in host.resources()}


async def test_streams_and_unread_bytes_are_counted_by_who_opened_them(host, eventually):
    a, b = await host(), await host()

    async def never_read(stream):
        await trio.sleep_forever()

    b.handle([DEAF], never_read)
    await a.connect(b.addresses()[0])
    await eventually(lambda: used(b)["streams", "all"].used == 0 == used(a)["streams", "all"].used)
    streams = [await a.open_stream(b.local_peer, [DEAF]) for _ in range(3)]
    await eventually(lambda: used(b)["streams", "inbound"].used == 3)
    assert used(b)["streams", "outbound"].used == 0
    assert (used(a)["streams", "outbound"].used, used(a)["streams", "all"].used) == (3, 3)
    assert used(b)["streams", "of one connection"].used == 3
    assert used(b)["streams", "of one connection"].whose == a.local_peer
    assert used(a)["streams", "of one connection"].used == 0  # the bound is for those of a peer
    assert used(b)["yamux", "windows granted"].used > 3 * 262_000
    await streams[0].send_all(bytes(100_000))
    await eventually(lambda: used(b)["yamux", "unread"].used == 100_000)
    fullest = used(b)["yamux", "unread of one connection"]
    assert (fullest.used, fullest.whose) == (100_000, a.local_peer)
    for stream in streams:
        await stream.reset()
    await eventually(lambda: used(b)["streams", "all"].used == 0 == used(b)["yamux", "unread"].used)


async def never_answer(tcp):
    await trio.sleep_forever()


async def test_dials_under_way_are_counted(host, eventually):
    a = await host()
    async with trio.open_nursery() as nursery:
        listeners = await nursery.start(trio.serve_tcp, never_answer, 0)
        port = listeners[0].socket.getsockname()[1]
        peer = "12D3KooWDF6DnKoZdnpLtiegUTLguGJtow2RXjxBNQ8uFcB6QvkV"
        nursery.start_soon(a.connect, f"/ip4/127.0.0.1/tcp/{port}/p2p/{peer}")
        await eventually(lambda: used(a)["dials", "asked for by users"].used == 1)
        assert used(a)["dials", "by the node itself"].used == 0
        nursery.cancel_scope.cancel()
    assert used(a)["dials", "asked for by users"].used == 0


async def test_the_address_nearest_to_its_bound_is_named(host):
    a, b, c = await host(), await host(), await host()
    assert used(a)["connections", "of one address"].whose == ""
    for other in (b, c):
        await other.connect(a.addresses()[0])
    fullest = used(a)["connections", "of one address"]
    assert (fullest.used, fullest.limit, fullest.whose) == (2, 128, "127.0.0.1")
