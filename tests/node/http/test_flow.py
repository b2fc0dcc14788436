"""Nothing piles up and nothing is left running: slow clients, stopped clients, clients that leave."""

from __future__ import annotations

from typing import Any

import pytest
import trio
from trio.testing import wait_all_tasks_blocked

QUIET = 0.05
"""Seconds of nothing happening after which a transfer counts as stopped."""

IN_FLIGHT = 24
"""MiB that sockets and buffers on both sides may hold between them."""


async def begin(connection: Any, path: str, *headers: tuple[str, str]) -> None:
    await connection.send_head(path, headers or [("Content-Length", "0")])
    if not headers:
        await connection.end()


async def test_a_client_that_does_not_read_stops_the_operation_from_making_more(api: Any) -> None:
    connection = await api.connect()
    async with connection.stream:
        await begin(connection, "/api/v0/cat?chunks=100")
        await api.node.started.wait()
        await wait_all_tasks_blocked(QUIET)
        assert 0 < api.node.chunks_made < IN_FLIGHT
        answer = await connection.receive()
    assert answer.complete
    assert api.node.chunks_made == 100


async def test_an_operation_that_does_not_read_stops_the_client_from_sending_more(
    api: Any, multipart_header: Any, make_multipart: Any, chunk: bytes, nursery: trio.Nursery
) -> None:
    sent = 0
    whole = make_multipart(("a", chunk * 200))

    async def send() -> None:
        nonlocal sent
        for start in range(0, len(whole), len(chunk)):
            await connection.send_body(whole[start : start + len(chunk)])
            sent += 1
        await connection.end()

    connection = await api.connect()
    async with connection.stream:
        await begin(connection, "/api/v0/hold", multipart_header, ("Content-Length", str(len(whole))))
        nursery.start_soon(send)
        await api.node.started.wait()
        await wait_all_tasks_blocked(QUIET)
        assert sent < IN_FLIGHT
        api.node.may_read.set()
        answer = await connection.receive()
    assert answer.json == {"Read": 200 * len(chunk)}


async def test_a_client_that_leaves_cancels_an_operation_that_waits(api: Any) -> None:
    connection = await api.connect()
    await begin(connection, "/api/v0/wait")
    await api.node.started.wait()
    await connection.stream.aclose()
    with trio.fail_after(2):
        await api.node.ended.wait()


async def test_a_client_that_leaves_between_records_cancels_the_operation(api: Any) -> None:
    connection = await api.connect()
    await begin(connection, "/api/v0/refs/local?n=1&wait=true")
    assert await connection.stream.receive_some()
    await connection.stream.aclose()
    with trio.fail_after(2):
        await api.node.ended.wait()


async def test_a_client_that_leaves_in_the_middle_of_a_download_cancels_it(api: Any) -> None:
    connection = await api.connect()
    await begin(connection, "/api/v0/cat?chunks=1000")
    assert await connection.stream.receive_some()
    await connection.stream.aclose()
    with trio.fail_after(2):
        await api.node.ended.wait()
    assert api.node.chunks_made < 1000


async def test_a_client_that_leaves_in_the_middle_of_an_upload_ends_it(
    api: Any, multipart_header: Any, make_multipart: Any
) -> None:
    connection = await api.connect()
    await begin(connection, "/api/v0/add", multipart_header, ("Content-Length", "1000000"))
    await connection.send_body(make_multipart(("a", bytes(500_000)))[:400_000])
    await connection.stream.aclose()
    with trio.fail_after(2):
        await api.node.ended.wait()


async def test_a_client_that_neither_sends_the_rest_nor_leaves_is_cut_off_after_an_error(
    api: Any, multipart_header: Any, make_multipart: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("peershelf.node.http.reply.LINGER", 0.05)
    connection = await api.connect()
    async with connection.stream:
        head = [multipart_header, ("Content-Length", "1000000")]
        await connection.send_head("/api/v0/add?progress=true&fail-early=true", head)
        await connection.send_body(make_multipart(("a", bytes(500_000)))[:400_000])
        with trio.fail_after(2):
            answer = await connection.receive()
    assert answer.records[-1]["Message"] == "the store is full"
    assert not answer.complete


async def test_a_client_that_sends_for_ever_is_cut_off_after_an_error(
    api: Any, multipart_header: Any, make_multipart: Any, monkeypatch: pytest.MonkeyPatch, chunk: bytes
) -> None:
    monkeypatch.setattr("peershelf.node.http.reply.LINGER", 0.05)
    connection = await api.connect()
    async with connection.stream:
        head = [multipart_header, ("Transfer-Encoding", "chunked")]
        await connection.send_head("/api/v0/add?progress=true&fail-early=true", head)
        await connection.send_body(make_multipart(("a", chunk))[: len(chunk)])
        with trio.fail_after(5), pytest.raises(trio.BrokenResourceError):
            while True:
                await connection.send_body(chunk)
    assert api.node.ended.is_set()


async def test_one_client_that_does_nothing_does_not_hinder_another(api: Any) -> None:
    idle, stalled = await api.connect(), await api.connect()
    async with idle.stream, stalled.stream:
        await begin(stalled, "/api/v0/cat?chunks=1000")
        await api.node.started.wait()
        with trio.fail_after(2):
            answer = await api.post("/api/v0/id")
    assert answer.status == 200


async def test_clients_that_have_left_leave_nothing_behind(api: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("peershelf.node.http.connection.LEAVING", 0)
    await wait_all_tasks_blocked(QUIET)
    before = trio.lowlevel.current_statistics().tasks_living
    for number in range(20):
        connection = await api.connect()
        async with connection.stream:
            if number % 2:
                await begin(connection, "/api/v0/id")
                await connection.receive()
    await wait_all_tasks_blocked(QUIET)
    assert trio.lowlevel.current_statistics().tasks_living == before
