"""Web pages get nothing from the local API."""

from __future__ import annotations

from typing import Any

import pytest

from peershelf.node.http.guard import is_own_host

PORT = 5001


@pytest.mark.parametrize("host", ["127.0.0.1:5001", "localhost:5001", "[::1]:5001", "127.8.9.1:5001"])
def test_loopback_names_with_the_own_port_are_own(host: str) -> None:
    assert is_own_host(host, PORT)


@pytest.mark.parametrize(
    "host",
    [
        "evil.example:5001",
        "127.0.0.1:5002",
        "127.0.0.1",
        "localhost.evil.example:5001",
        "evil.example@127.0.0.1:5001",
        "127.0.0.1:5001@evil.example",
        "127.0.0.1:5001/x",
        "0.0.0.0:5001",
        "192.168.1.7:5001",
        "[::1:5001",
        "localhost:",
        ":5001",
        "127.0.0.1:99999",
        "",
    ],
)
def test_any_other_host_is_foreign(host: str) -> None:
    assert not is_own_host(host, PORT)


def test_the_port_may_be_left_out_where_it_is_https_default() -> None:
    assert is_own_host("localhost", 80)


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("Host", "rebound.example:{port}"),
        ("Host", "127.0.0.1"),
        ("Origin", "http://evil.example"),
        ("Origin", "https://127.0.0.1:{port}"),
        ("Origin", "http://127.0.0.1:1"),
        ("Origin", "null"),
        ("Origin", ""),
        ("Referer", "http://evil.example/page"),
        ("Referer", "http://127.0.0.1:{port}@evil.example/"),
        ("Referer", "http://[::1"),
        ("Sec-Fetch-Site", "cross-site"),
        ("Sec-Fetch-Site", "same-site"),
    ],
)
async def test_a_request_that_comes_from_elsewhere_is_refused(api: Any, name: str, value: str) -> None:
    answer = await api.post("/api/v0/id", headers=[(name, value.format(port=api.port))])
    assert answer.status == 403
    assert answer.json == {
        "Message": f"requests of web pages are refused (header {name})",
        "Code": 4,
        "Type": "error",
    }


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("Origin", "http://127.0.0.1:{port}"),
        ("Origin", "http://localhost:{port}"),
        ("Referer", "http://localhost:{port}/page?x=y"),
        ("Sec-Fetch-Site", "same-origin"),
        ("Sec-Fetch-Site", "none"),
        ("Host", "localhost:{port}"),
    ],
)
async def test_a_request_of_our_own_is_let_through(api: Any, name: str, value: str) -> None:
    answer = await api.post("/api/v0/id", headers=[(name, value.format(port=api.port))])
    assert answer.status == 200


async def test_one_foreign_origin_among_several_is_enough(api: Any) -> None:
    own = ("Origin", f"http://127.0.0.1:{api.port}")
    answer = await api.post("/api/v0/id", headers=[own, ("Origin", "http://evil.example")])
    assert answer.status == 403


@pytest.mark.parametrize("method", ["GET", "PUT", "DELETE", "OPTIONS", "PATCH"])
async def test_only_post_is_allowed(api: Any, method: str) -> None:
    answer = await api.post("/api/v0/id", method=method)
    assert answer.status == 405
    assert answer.headers["allow"] == "POST"


async def test_a_preflight_gets_no_permission(api: Any) -> None:
    headers = [("Origin", "http://evil.example"), ("Access-Control-Request-Method", "POST")]
    answer = await api.post("/api/v0/id", headers=headers, method="OPTIONS")
    assert answer.status == 403
    assert not any(name.startswith("access-control-") for name in answer.headers)


async def test_head_is_not_allowed_either(api: Any) -> None:
    assert await status_line(api, b"HEAD /api/v0/id HTTP/1.1\r\nHost: %b\r\n\r\n") == b"405"


async def test_older_http_is_refused_since_it_hides_a_broken_answer(api: Any) -> None:
    assert await status_line(api, b"POST /api/v0/cat HTTP/1.0\r\nHost: %b\r\n\r\n") == b"505"


async def test_a_websocket_is_refused(api: Any) -> None:
    request = (
        b"GET /api/v0/id HTTP/1.1\r\nHost: %b\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n"
        b"Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: MDEyMzQ1Njc4OWFiY2RlZg==\r\n\r\n"
    )
    assert await status_line(api, request) == b"403"


async def test_a_request_without_a_host_is_malformed(api: Any) -> None:
    assert await status_line(api, b"POST /api/v0/id HTTP/1.1\r\n\r\n", with_host=False) == b"400"


async def status_line(api: Any, request: bytes, *, with_host: bool = True) -> bytes:
    connection = await api.connect()
    async with connection.stream:
        host = f"127.0.0.1:{api.port}".encode()
        await connection.stream.send_all(request % host if with_host else request)
        answer: bytes = await connection.stream.receive_some()
    return answer.split(b" ")[1]
