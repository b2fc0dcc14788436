"""Bandwidth as Kubo's clients ask for it, between two nodes of one program."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import aclosing
from pathlib import Path
from typing import Any

import pytest
import trio

from peershelf.node import Node
from peershelf.node.errors import NotOnline, UsageError
from peershelf.node.operations.base import validate
from peershelf.node.operations.request import Request
from peershelf.node.operations.table import OPERATIONS

BW = OPERATIONS["stats/bw"]
LOOPBACK: dict[str, Any] = {"Addresses.Swarm": ["/ip4/127.0.0.1/tcp/0"], "Bootstrap": []}
PING = "/ipfs/ping/1.0.0"
STRANGER = "12D3KooWDF6DnKoZdnpLtiegUTLguGJtow2RXjxBNQ8uFcB6QvkV"


async def bandwidth(node: Node, most: int = 100, **options: str) -> list[Any]:
    request, records = Request(options=options), []
    validate(BW, request)
    async with aclosing(BW.handler(node, request)) as answer:
        async for record in answer:
            records.append(record)
            if len(records) == most:
                break
    return records


@pytest.fixture
async def pinged(tmp_path: Path) -> AsyncIterator[Node]:
    """A node that has pinged another one once."""
    async with (
        Node(tmp_path / "a", settings=LOOPBACK) as node,
        Node(tmp_path / "b", settings=LOOPBACK) as other,
    ):
        await node.connect(other.addresses()[0])
        await node.online.host.ping(node.online.host.peers()[0])
        yield node


async def test_one_record_by_default_and_a_filter_narrows_it(pinged: Node) -> None:
    (everything,) = await bandwidth(pinged)
    assert set(everything) == {"TotalIn", "TotalOut", "RateIn", "RateOut"}
    (pings,) = await bandwidth(pinged, proto=PING)
    assert (pings["TotalIn"], pings["TotalOut"]) == (32, 32)
    assert 0 < pings["RateIn"] <= 32
    (of_peer,) = await bandwidth(pinged, peer=pinged.peers()[0])
    assert of_peer["TotalOut"] >= 32
    assert everything["TotalOut"] >= of_peer["TotalOut"]


async def test_strangers_and_unknown_protocols_have_used_nothing(pinged: Node) -> None:
    nothing = {"TotalIn": 0, "TotalOut": 0, "RateIn": 0.0, "RateOut": 0.0}
    assert await bandwidth(pinged, peer=STRANGER) == [nothing]
    assert await bandwidth(pinged, proto="/nope") == [nothing]


async def test_tables_name_each_and_begin_with_the_busiest(pinged: Node) -> None:
    (peer,) = await bandwidth(pinged, peers="true")
    assert peer["Peer"] == pinged.peers()[0]
    protocols = await bandwidth(pinged, protocols="true")
    assert PING in [record["Protocol"] for record in protocols]
    sizes = [record["TotalIn"] + record["TotalOut"] for record in protocols]
    assert sizes == sorted(sizes, reverse=True)


async def test_polling_goes_on_until_the_client_has_enough(pinged: Node) -> None:
    with trio.fail_after(5):
        assert len(await bandwidth(pinged, most=4, poll="true", interval="10ms")) == 4


@pytest.mark.parametrize(
    "options",
    [
        {"peer": STRANGER, "proto": PING},
        {"peers": "true", "protocols": "true"},
        {"peer": "nonsense"},
        {"interval": "abc"},
        {"interval": "0s"},
    ],
)
async def test_what_makes_no_sense_is_refused(pinged: Node, options: dict[str, str]) -> None:
    with pytest.raises(UsageError) as raised:
        await bandwidth(pinged, **options)
    assert "\n" not in str(raised.value)


async def test_without_a_network_there_is_nothing_to_tell(tmp_path: Path) -> None:
    async with Node(tmp_path / "repo", online=False) as node:
        with pytest.raises(NotOnline):
            await bandwidth(node)
