"""The routing API over real sockets: what it answers, and to whom."""

from __future__ import annotations

import json

import pytest
import trio
from fake_router import CID, FAR, LINES, NAME, NEAR, OTHER, OWN, OWNER, PEER, RECORD, RECORD_TYPE, lines

from peershelf.blockstore.cid import LIBP2P_KEY, Cid
from peershelf.protocols.routing.base import PeerInfo
from peershelf.protocols.routing.delegated import DelegatedRouter
from peershelf.protocols.routing.kad.keys import peer_bytes
from peershelf.protocols.routing.records.value import Value


async def test_providers_come_as_a_document_or_as_lines(client, router) -> None:
    router.infos = [PeerInfo(PEER, (NEAR, FAR)), PeerInfo(PEER, (FAR,)), PeerInfo(OTHER)]
    records = [
        {"Schema": "peer", "ID": PEER, "Addrs": [NEAR, FAR], "Protocols": []},
        {"Schema": "peer", "ID": OTHER, "Addrs": [], "Protocols": []},
    ]
    document = await client.get(f"/routing/v1/providers/{CID}")
    assert document.json() == {"Providers": records}
    assert document.headers["Content-Type"] == "application/json"
    streamed = await client.get(f"/routing/v1/providers/{CID}", headers=LINES)
    assert lines(streamed) == records
    assert streamed.headers["Content-Type"] == "application/x-ndjson"
    for response in (document, streamed):
        assert response.status_code == 200
        assert response.headers["Cache-Control"].startswith("public, max-age=300,")
        assert response.headers["Vary"] == "Accept"
        assert response.headers["Access-Control-Allow-Origin"] == "*"
        assert response.headers["Last-Modified"].endswith("GMT")


async def test_nothing_is_an_answer_that_is_soon_asked_for_again(client) -> None:
    response = await client.get(f"/routing/v1/providers/{CID}")
    assert (response.status_code, response.json()) == (200, {"Providers": []})
    assert "max-age=15," in response.headers["Cache-Control"]
    response = await client.get(f"/routing/v1/providers/{CID}", headers=LINES)
    assert (response.status_code, response.text) == (200, "")
    assert "max-age=15," in response.headers["Cache-Control"]


@pytest.mark.parametrize("name", [PEER, str(Cid.v1(LIBP2P_KEY, peer_bytes(PEER)))])
async def test_where_a_peer_is_told_by_any_of_its_names(client, router, name) -> None:
    router.infos = [PeerInfo(OTHER, (FAR,)), PeerInfo(PEER, (FAR,))]
    response = await client.get(f"/routing/v1/peers/{name}")
    assert [one["ID"] for one in response.json()["Peers"]] == [PEER]


@pytest.mark.parametrize("name", ["Forwarded", "X-Forwarded-For", "Via"])
async def test_through_a_proxy_no_private_addresses_are_told(client, router, name) -> None:
    router.infos = [PeerInfo(PEER, (NEAR, FAR)), PeerInfo(OTHER, (NEAR,))]
    response = await client.get(f"/routing/v1/providers/{CID}", headers={name: "x"})
    assert [(one["ID"], one["Addrs"]) for one in response.json()["Providers"]] == [(PEER, [FAR])]


async def test_filters_are_kept_to(client, router) -> None:
    router.infos = [PeerInfo(PEER, (NEAR, "/ip4/8.8.8.8/udp/4001/quic-v1"))]
    response = await client.get(f"/routing/v1/providers/{CID}?filter-addrs=tcp")
    assert response.json()["Providers"][0]["Addrs"] == [NEAR]
    response = await client.get(f"/routing/v1/providers/{CID}?filter-protocols=transport-bitswap")
    assert response.json() == {"Providers": []}


async def test_a_line_comes_as_soon_as_its_peer_is_found(client, router) -> None:
    router.infos, router.ends = [PeerInfo(PEER, (FAR,))], trio.Event()
    with trio.fail_after(5):
        async with client.stream("GET", f"/routing/v1/providers/{CID}", headers=LINES) as response:
            async for line in response.aiter_lines():
                assert json.loads(line)["ID"] == PEER
                router.ends.set()


BAD = [
    ("GET", "/routing/v1/providers/nonsense", {}, 400),
    ("GET", f"/routing/v1/providers/{'1' * 5_000}", {}, 400),
    ("GET", f"/routing/v1/peers/{CID}", {}, 400),
    ("GET", f"/routing/v1/ipns/{CID}", {"Accept": RECORD_TYPE}, 400),
    ("GET", "/routing/v1/ipns/example.com", {"Accept": RECORD_TYPE}, 400),
    ("GET", f"/routing/v1/ipns/{NAME}", {"Accept": "application/json"}, 406),
    ("GET", f"/routing/v1/ipns/{NAME}", {"Accept": f"{RECORD_TYPE};q=0"}, 406),
    ("PUT", f"/routing/v1/ipns/{NAME}", {"Content-Type": "text/plain"}, 406),
    ("PUT", f"/routing/v1/ipns/{NAME}", {"Content-Type": RECORD_TYPE}, 400),
    ("GET", "/", {}, 400),
    ("GET", "/api/v0/id", {}, 400),
    ("POST", "/api/v0/shutdown", {}, 400),
    ("GET", "/routing/v1/other/x", {}, 400),
    ("PUT", f"/routing/v1/providers/{CID}", {}, 501),
    ("POST", f"/routing/v1/ipns/{NAME}", {}, 501),
    ("GET", f"/routing/v1/dht/closest/peers/{CID}", {}, 501),
]


@pytest.mark.parametrize(("method", "path", "headers", "status"), BAD)
async def test_what_cannot_be_answered_is_told_in_a_line(
    client, router, method, path, headers, status
) -> None:
    response = await client.request(method, path, headers=headers)
    assert response.status_code == status
    assert response.headers["Content-Type"].startswith("text/plain")
    assert response.headers["Cache-Control"] == "no-store"
    assert len(response.text.splitlines()) == 1
    assert router.put == []


async def test_browsers_may_ask_before_they_ask(client) -> None:
    response = await client.options(f"/routing/v1/providers/{CID}", headers={"Origin": "https://example.com"})
    assert response.status_code == 200
    assert response.headers["Access-Control-Allow-Origin"] == "*"
    assert "GET" in response.headers["Access-Control-Allow-Methods"]


async def test_our_own_client_understands_it(url, router, nursery) -> None:
    router.infos, router.values = [PeerInfo(PEER, (FAR,))], [RECORD]
    asking = DelegatedRouter(url, OWN)
    await nursery.start(asking.run)
    found: list[object] = []
    assert await asking.find_providers(CID, found.append) == 1
    assert await asking.find_peer(PEER, found.append) == 1
    assert found == [PeerInfo(PEER, (FAR,))] * 2
    values: list[Value] = []
    assert await asking.get_value(OWNER.key, values.append) == 1
    assert [one.data for one in values] == [RECORD]
    router.values = []
    assert await asking.get_value(OWNER.key, values.append) == 1
    assert await asking.put_value(OWNER.key, values[0], values.append) == 1
    assert router.put == [(OWNER.key, RECORD)]
