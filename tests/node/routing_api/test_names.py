"""Records of names over the routing API: gotten and put."""

from __future__ import annotations

import httpx
import trio
from fake_router import NAME, OWNER, RECORD, RECORD_TYPE
from ipns_records import ed25519


async def test_the_best_record_of_a_name_is_answered(client, router) -> None:
    router.values = [OWNER.record(2), RECORD, OWNER.record(1)]
    response = await client.get(f"/routing/v1/ipns/{NAME}", headers={"Accept": RECORD_TYPE})
    assert response.content == RECORD
    assert response.headers["Content-Type"] == RECORD_TYPE
    assert response.headers["Expires"] == "Fri, 01 Jan 2100 00:00:00 GMT"
    assert response.headers["Etag"].startswith('"')
    assert "max-age=60," in response.headers["Cache-Control"]


async def test_without_a_record_the_answer_is_of_another_type(client) -> None:
    response = await client.get(f"/routing/v1/ipns/{NAME}", headers={"Accept": RECORD_TYPE})
    assert response.status_code == 200
    assert response.headers["Content-Type"].startswith("text/plain")


async def put(client: httpx.AsyncClient, data: bytes) -> int:
    headers = {"Content-Type": RECORD_TYPE}
    return (await client.put(f"/routing/v1/ipns/{NAME}", content=data, headers=headers)).status_code


async def test_a_record_is_put_if_it_is_valid_and_new(client, router) -> None:
    assert await put(client, RECORD) == 200
    assert router.put == [(OWNER.key, RECORD)]
    for bad in (
        b"",
        b"nonsense",
        ed25519(2).record(),
        OWNER.record(ends=b"2000-01-01T00:00:00Z"),
        bytes(1 << 20),
    ):
        assert await put(client, bad) == 400
    assert len(router.put) == 1
    router.taken = 0
    assert await put(client, RECORD) == 503
    router.values = [OWNER.record(9)]
    assert await put(client, RECORD) == 400


async def test_a_record_that_does_not_end_is_not_waited_for(url) -> None:
    stream = await trio.open_tcp_stream("127.0.0.1", int(url.rpartition(":")[2]))
    head = f"PUT /routing/v1/ipns/{NAME} HTTP/1.1\r\nHost: x\r\nContent-Type: {RECORD_TYPE}\r\n"
    await stream.send_all(f"{head}Content-Length: 1000000000\r\n\r\n".encode() + bytes(20_000))
    with trio.fail_after(5):
        assert (await stream.receive_some()).startswith(b"HTTP/1.1 400")
    await stream.aclose()


async def test_a_name_as_long_as_none_is_not_read(client) -> None:
    response = await client.get(f"/routing/v1/peers/{'1' * 5_000}")
    assert response.text == "no CID and no name is as long as this\n"
