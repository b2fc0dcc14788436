"""Reading what routers answer, and what strangers had them pass on."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from peershelf.blockstore.cid import LIBP2P_KEY, RAW, Cid
from peershelf.protocols.routing.base import PeerInfo
from peershelf.protocols.routing.delegated.records import (
    MAX_ADDRESS,
    MAX_ADDRESSES,
    MAX_DOCUMENT,
    MAX_RECORD,
    MAX_RECORDS,
    DocumentReader,
    LineReader,
    read_peer,
    read_records,
    reader_of,
)
from peershelf.protocols.routing.kad.keys import peer_bytes
from peershelf.protocols.transport import PeerId

PEER = PeerId("12D3KooWDpJ7As7BWAwRMfu1VU2WCqNjvq387JEYKDBj4kx6nXTN")
OTHER = PeerId("12D3KooWDF6DnKoZdnpLtiegUTLguGJtow2RXjxBNQ8uFcB6QvkV")
RSA = PeerId("QmYyQSo1c1Ym7orWxLYvCrM2EmxFTANf8wXmmE7DWjhx5N")
ADDRESS = "/ip4/192.0.2.7/tcp/4001"
GOOD = {"Schema": "peer", "ID": PEER, "Addrs": [ADDRESS]}
FOUND = PeerInfo(PEER, (ADDRESS,))


def as_cid(peer: PeerId, codec: int = LIBP2P_KEY) -> str:
    return str(Cid.v1(codec, peer_bytes(peer)))


def line(record: Any) -> bytes:
    return json.dumps(record).encode() + b"\n"


@pytest.mark.parametrize("schema", ["peer", "bitswap", "graphsync", "graphsync-filecoinv1"])
def test_schemas_of_now_and_of_old_are_read(schema: str) -> None:
    assert read_records([{**GOOD, "Schema": schema, "Protocol": "transport-x"}]) == [FOUND]


def test_unknown_fields_are_ignored_and_addresses_may_be_missing() -> None:
    bare = {"Schema": "peer", "ID": PEER}
    assert read_records([{**GOOD, "Protocols": ["x"], "x": {"y": [None]}}]) == [FOUND]
    assert read_records([bare, {**bare, "Addrs": None}, {**bare, "Addrs": []}]) == [PeerInfo(PEER)] * 3


@pytest.mark.parametrize(
    "record",
    [
        None,
        [],
        "peer",
        {},
        {**GOOD, "Schema": "announcement"},
        {**GOOD, "Schema": ["peer"]},
        {**GOOD, "Schema": None},
        {"Schema": "peer", "Addrs": [ADDRESS]},
        {**GOOD, "ID": ""},
        {**GOOD, "ID": "1"},
        {**GOOD, "ID": 7},
        {**GOOD, "ID": "Qm"},
        {**GOOD, "ID": "12D3KooW0OIl"},
        {**GOOD, "ID": PEER + "é"},
        {**GOOD, "ID": "1" * 100_000},
        {**GOOD, "ID": as_cid(PEER, RAW)},
        {**GOOD, "Addrs": ADDRESS},
        {**GOOD, "Addrs": {"0": ADDRESS}},
        {**GOOD, "Addrs": 7},
    ],
)
def test_malformed_records_are_left_out(record: Any) -> None:
    assert read_records([GOOD, record, GOOD]) == [FOUND, FOUND]


@pytest.mark.parametrize("peer", [PEER, RSA])
def test_a_peer_is_named_in_base58_or_by_its_cid(peer: PeerId) -> None:
    assert read_peer(peer) == peer
    assert read_peer(as_cid(peer)) == peer


@pytest.mark.parametrize(
    ("address", "read"),
    [
        (ADDRESS, ADDRESS),
        (f"{ADDRESS}/p2p/{PEER}", ADDRESS),
        (f"{ADDRESS}/p2p/{as_cid(PEER)}", ADDRESS),
        (f"{ADDRESS}/p2p/{OTHER}/p2p-circuit", f"{ADDRESS}/p2p/{OTHER}/p2p-circuit"),
        (f"{ADDRESS}/p2p/{OTHER}/p2p-circuit/p2p/{PEER}", f"{ADDRESS}/p2p/{OTHER}/p2p-circuit"),
        ("/dns4/example.com/tcp/443/tls/ws", "/dns4/example.com/tcp/443/tls/ws"),
        (f"{ADDRESS}/p2p/{OTHER}", None),
        (f"{ADDRESS}/p2p/nobody", None),
        ("", None),
        ("192.0.2.7:4001", None),
        ("/ip4/192.0.2.777/tcp/1", None),
        ("/from-the-future/1", None),
        ("/dns4/\x1b[31mred/tcp/1", None),
        ("/dns4/exämple.com/tcp/1", None),
        ("/dns4/" + MAX_ADDRESS * "a" + "/tcp/1", None),
        (None, None),
        ([ADDRESS], None),
    ],
)
def test_addresses_are_taken_one_by_one(address: Any, read: str | None) -> None:
    last = "/ip6/2001:db8::7/tcp/4001"
    wanted = (last,) if read is None else (read, last)
    assert read_records([{**GOOD, "Addrs": [address, last]}]) == [PeerInfo(PEER, wanted)]


def test_only_so_many_addresses_are_taken() -> None:
    many = [f"/ip4/192.0.2.7/tcp/{port}" for port in range(1, 1000)]
    assert read_records([{**GOOD, "Addrs": many}]) == [PeerInfo(PEER, tuple(many[:MAX_ADDRESSES]))]


@pytest.mark.parametrize("size", [1, 7, 1000])
def test_lines_come_in_any_pieces(size: int) -> None:
    body = line(GOOD) + b"\r\n\n" + b'{"Schema"\n' + line(GOOD)[:-1]
    reader, found = LineReader(), []
    for start in range(0, len(body), size):
        found += reader.feed(body[start : start + size])
    assert found == [FOUND]
    assert reader.end() == [FOUND]


def test_a_line_is_read_as_soon_as_it_has_come() -> None:
    reader = LineReader()
    assert reader.feed(line(GOOD)[:-1]) == []
    assert reader.feed(b"\n") == [FOUND]


@pytest.mark.parametrize("size", [1000, MAX_RECORD, 10 * MAX_RECORD])
def test_a_line_that_is_too_long_is_passed_over(size: int) -> None:
    body = line({**GOOD, "x": MAX_RECORD * "x"}) + line(GOOD)
    reader, found = LineReader(), []
    for start in range(0, len(body), size):
        found += reader.feed(body[start : start + size])
    assert found == [FOUND]


def test_only_so_many_lines_are_looked_at() -> None:
    reader = LineReader()
    assert reader.feed(b"junk\n" * (MAX_RECORDS - 2)) == []
    assert not reader.full
    assert reader.feed(line(GOOD) * 5) == [FOUND] * 2
    assert reader.full
    assert reader.end() == []


def test_a_document_has_its_records_in_a_list() -> None:
    reader = DocumentReader("Providers")
    body = json.dumps({"Providers": [GOOD, None, GOOD], "Peers": []}).encode()
    assert reader.feed(body[:9]) == reader.feed(body[9:]) == []
    assert reader.end() == [FOUND, FOUND]


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"null",
        b"[]",
        b"{",
        b'{"Providers": null}',
        b'{"Providers": {"0": {}}}',
        b'{"Peers": []}',
        b"\xff\xfe",
        b'{"Providers": [NaN]}',
        b"[" * 500_000,
        b'{"Providers": ' + b"9" * 100_000 + b"}",
    ],
)
def test_what_is_no_such_document_has_nothing(body: bytes) -> None:
    reader = DocumentReader("Providers")
    reader.feed(body)
    assert reader.end() == []


def test_a_document_is_bounded_in_records_and_bytes() -> None:
    reader = DocumentReader("Providers")
    reader.feed(json.dumps({"Providers": [None] * (MAX_RECORDS - 1) + [GOOD] * 5}).encode())
    assert reader.end() == [FOUND]
    reader = DocumentReader("Providers")
    reader.feed(json.dumps({"Providers": [GOOD], "x": MAX_DOCUMENT * "x"}).encode())
    assert reader.full
    assert reader.end() == []


def test_the_content_type_says_how_to_read() -> None:
    assert isinstance(reader_of("application/x-ndjson", "Peers"), LineReader)
    assert isinstance(reader_of("Application/JSON; charset=utf-8", "Peers"), DocumentReader)
    assert reader_of("text/html", "Peers") is None
    assert reader_of("", "Peers") is None


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text() | st.sampled_from([PEER, ADDRESS]),
    lambda inner: st.lists(inner) | st.dictionaries(st.text() | st.sampled_from(["Schema", "ID"]), inner),
    max_leaves=6,
)
near_records = st.fixed_dictionaries(
    {},
    optional={
        "Schema": st.sampled_from(["peer", "bitswap"]) | json_values,
        "ID": st.sampled_from([PEER, as_cid(RSA)]) | st.text("1Qmzbkf ", max_size=60) | json_values,
        "Addrs": st.lists(st.text("/ip46dnscrut2:.01 ", max_size=40) | st.just(ADDRESS) | json_values)
        | json_values,
    },
)


@given(st.lists(near_records | json_values))
def test_whatever_json_comes_nothing_is_raised(records: list[Any]) -> None:
    for info in read_records(records):
        assert read_peer(info.peer) == info.peer
        assert len(info.addresses) <= MAX_ADDRESSES


@given(st.lists(st.binary() | near_records.map(line) | st.just(line(GOOD)[:-3])), st.booleans())
def test_whatever_bytes_come_nothing_is_raised(pieces: list[bytes], lines: bool) -> None:
    reader = LineReader() if lines else DocumentReader("Peers")
    for piece in pieces:
        reader.feed(piece)
    reader.end()
