"""Binding, and ending in good order."""

from __future__ import annotations

from contextlib import suppress
from typing import Any

import pytest
import trio
from trio.testing import wait_all_tasks_blocked

from peershelf.node.errors import ServerError
from peershelf.node.http.server import GRACE

HTTP2_PING = b"\x00\x00\x08\x06\x00\x00\x00\x00\x00whoareyo"
"""The answer is the same with another flag."""


async def test_port_zero_is_bound_to_a_free_port_and_reported(
    make_server: Any, nursery: trio.Nursery
) -> None:
    server, _ = make_server("/ip4/127.0.0.1/tcp/0")
    address = await nursery.start(server.run)
    prefix, port = address.rsplit("/", 1)
    assert prefix == "/ip4/127.0.0.1/tcp"
    assert int(port) > 0
    stream = await trio.open_tcp_stream("127.0.0.1", int(port))
    await stream.aclose()


async def test_ip6_loopback_can_be_listened_on(make_server: Any, nursery: trio.Nursery) -> None:
    server, _ = make_server("/ip6/::1/tcp/0")
    address = await nursery.start(server.run)
    assert address.startswith("/ip6/::1/tcp/")


async def test_an_address_in_use_is_one_clear_error(make_server: Any, api: Any) -> None:
    server, _ = make_server(api.address)
    with pytest.raises(ServerError) as caught:
        await server.run()
    assert str(caught.value).startswith(
        f"the API cannot listen on {api.address}: Address already in use; end"
    )


async def test_a_cancelled_server_lets_an_answer_under_way_finish(
    make_server: Any, make_api: Any, nursery: trio.Nursery
) -> None:
    server, node = make_server()
    scope = trio.CancelScope()
    address = await nursery.start(run_in(server, scope))
    api = make_api(node, address)
    connection = await api.connect()
    async with connection.stream:
        await connection.send_head("/api/v0/cat?chunks=20", [("Content-Length", "0")])
        await connection.end()
        await node.started.wait()
        scope.cancel()
        with trio.fail_after(2):
            answer = await connection.receive()
    assert answer.complete


async def test_an_idle_connection_does_not_delay_the_end(make_server: Any, make_api: Any) -> None:
    server, node = make_server()
    async with trio.open_nursery() as running:
        api = make_api(node, await running.start(server.run))
        connection = await api.connect()
        await connection.send_head("/api/v0/id", [("Content-Length", "0")])
        await connection.end()
        await connection.receive()
        ending = trio.current_time()
        running.cancel_scope.cancel()
    assert trio.current_time() - ending < GRACE
    await connection.stream.aclose()


@pytest.mark.parametrize("path", ["/api/v0/wait", "/api/v0/cat?chunks=1000"])
async def test_a_waiting_operation_and_a_client_that_does_not_read_are_cut_off_within_a_second(
    make_server: Any, make_api: Any, path: str
) -> None:
    server, node = make_server()
    async with trio.open_nursery() as running:
        api = make_api(node, await running.start(server.run))
        connection = await api.connect()
        await connection.send_head(path, [("Content-Length", "0")])
        await connection.end()
        await node.started.wait()
        await wait_all_tasks_blocked(0.05)
        ending = trio.current_time()
        running.cancel_scope.cancel()
    assert trio.current_time() - ending < 1
    assert node.ended.is_set()
    await connection.stream.aclose()


async def test_no_connection_is_accepted_once_the_server_has_ended(make_server: Any, make_api: Any) -> None:
    server, node = make_server()
    async with trio.open_nursery() as running:
        api = make_api(node, await running.start(server.run))
        running.cancel_scope.cancel()
    with pytest.raises(OSError):
        await api.connect()


@pytest.mark.parametrize(
    "garbage",
    [
        b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03",
        b"POST /api/v0/id HTTP/1.1\r\nHost: a\r\nHost: b\r\n\r\n",
        b"POST /api/v0/id HTTP/1.1\r\n" + b"X: " + b"x" * 200_000,
        b"POST /api/v0/add HTTP/1.1\r\nHost: %b\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n",
        b"POST /api/v0/add HTTP/1.1\r\nHost: %b\r\nContent-Length: -1\r\n\r\n",
        b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\nxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx",
        b"\r\n\r\n\r\n",
        b"",
    ],
)
async def test_garbage_costs_a_client_its_connection_and_nobody_else_anything(
    api: Any, garbage: bytes, capfd: pytest.CaptureFixture[str]
) -> None:
    stream = await trio.open_tcp_stream("127.0.0.1", api.port)
    async with stream:
        await stream.send_all(garbage.replace(b"%b", f"127.0.0.1:{api.port}".encode()))
        await stream.send_eof()
        with trio.move_on_after(2) as limit:
            await read_all(stream)
        assert not limit.cancelled_caught
    answer = await api.post("/api/v0/id")
    assert answer.status == 200
    assert capfd.readouterr() == ("", "")


@pytest.mark.parametrize(
    "opening",
    [
        b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n",
        b"POST /api/v0/id HTTP/1.1\r\nHost: %b\r\nConnection: Upgrade, HTTP2-Settings\r\nUpgrade: h2c\r\n"
        b"HTTP2-Settings: \r\n\r\nPRI * HTTP/2.0\r\n\r\nSM\r\n\r\n",
    ],
)
async def test_no_frame_of_http_2_is_dealt_with(api: Any, opening: bytes) -> None:
    """A MiB of them is 60,000 pings, and would hold up the node for seconds."""
    stream = await trio.open_tcp_stream("127.0.0.1", api.port)
    answer = b""
    async with stream:
        await stream.send_all(opening.replace(b"%b", f"127.0.0.1:{api.port}".encode()) + HTTP2_PING)
        with trio.fail_after(2), suppress(trio.BrokenResourceError):
            while piece := await stream.receive_some():
                answer += piece
    assert answer.startswith(b"HTTP/1.1 ")
    assert not answer.startswith(b"HTTP/1.1 101 ")
    assert b"whoareyo" not in answer


async def read_all(stream: trio.SocketStream) -> None:
    try:
        while await stream.receive_some():
            pass
    except trio.BrokenResourceError:
        pass


def run_in(server: Any, scope: trio.CancelScope) -> Any:
    async def run(*, task_status: Any) -> None:
        with scope:
            await server.run(task_status=task_status)

    return run
