"""The text of mDNS records: what we say in them, and what we believe of others'."""

from __future__ import annotations

import random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from peershelf.protocols.routing.base import PeerInfo
from peershelf.protocols.routing.mdns_records import MAX_ADDRESSES, encode_txt, packed_ips, parse_txt
from peershelf.protocols.transport import PeerId

PEER = PeerId("12D3KooWDpJ7As7BWAwRMfu1VU2WCqNjvq387JEYKDBj4kx6nXTN")
OTHER = PeerId("12D3KooWDF6DnKoZdnpLtiegUTLguGJtow2RXjxBNQ8uFcB6QvkV")
RSA = PeerId("QmYyQSo1c1Ym7orWxLYvCrM2EmxFTANf8wXmmE7DWjhx5N")
LAN = "/ip4/192.0.2.7/tcp/4001"


def txt(*strings: str | bytes) -> bytes:
    encoded = [one.encode() if isinstance(one, str) else one for one in strings]
    return b"".join(bytes([len(one)]) + one for one in encoded)


def test_each_address_is_a_string_of_its_own_that_ends_in_the_peer() -> None:
    text = encode_txt(PEER, [LAN, f"/ip6/2001:db8::7/tcp/4001/p2p/{PEER}"])
    assert text == txt(f"dnsaddr={LAN}/p2p/{PEER}", f"dnsaddr=/ip6/2001:db8::7/tcp/4001/p2p/{PEER}")
    assert parse_txt(text) == PeerInfo(PEER, (LAN, "/ip6/2001:db8::7/tcp/4001"))


def test_what_no_neighbour_could_use_is_not_announced() -> None:
    useless = [
        "/ip4/127.0.0.1/tcp/4001",
        "/ip6/::1/tcp/4001",
        "/ip6/fe80::1/tcp/4001",
        "/ip4/0.0.0.0/tcp/4001",
        "/dns4/example.com/tcp/4001",
        "/ip4/192.0.2.7/tcp/4002/ws",
        "/ip4/192.0.2.9/tcp/4001/p2p-circuit",
    ]
    assert parse_txt(encode_txt(PEER, [*useless, LAN])) == PeerInfo(PEER, (LAN,))


def test_loopback_addresses_are_announced_where_there_is_nothing_else() -> None:
    assert parse_txt(encode_txt(PEER, ["/ip4/127.0.0.1/tcp/1"])) == PeerInfo(PEER, ("/ip4/127.0.0.1/tcp/1",))


def test_nothing_is_said_without_an_address() -> None:
    assert encode_txt(PEER, []) == b""
    assert encode_txt(PEER, ["/dns4/example.com/tcp/1", "nonsense", ""]) == b""


def test_what_is_said_fits_a_packet() -> None:
    many = [f"/ip6/2001:db8:aaaa:bbbb:cccc:dddd:eeee:{number:x}/tcp/40001" for number in range(1, 100)]
    text = encode_txt(PEER, many)
    assert len(text) <= 1_200
    info = parse_txt(text)
    assert info is not None
    assert info.addresses == tuple(many[: len(info.addresses)])
    assert len(info.addresses) > 8


def test_addresses_are_packed_one_of_each_family() -> None:
    text = encode_txt(PEER, [LAN, "/ip4/192.0.2.8/tcp/1", "/ip6/2001:db8::7/tcp/1"])
    assert list(packed_ips(text)) == [bytes([192, 0, 2, 7]), bytes.fromhex("20010db8" + "0" * 22 + "07")]
    assert list(packed_ips(b"")) == []


def test_kubos_record_is_read_with_all_its_transports_but_without_its_loopback_addresses() -> None:
    quic = "/ip4/192.0.2.7/udp/4001/quic-v1"
    text = txt(*(f"dnsaddr={one}/p2p/{RSA}" for one in ["/ip4/127.0.0.1/tcp/4001", LAN, quic]))
    assert parse_txt(text) == PeerInfo(RSA, (LAN, quic))


def test_strings_that_are_something_else_are_passed_over() -> None:
    text = txt("", "id=7", "dnsaddr=", b"dnsaddr=\xff", "dnsaddr=nonsense", f"dnsaddr={LAN}/p2p/{PEER}")
    assert parse_txt(text) == PeerInfo(PEER, (LAN,))


@pytest.mark.parametrize(
    "address",
    [
        "",
        "nonsense",
        f"/p2p/{PEER}",
        LAN,
        f"{LAN}/p2p/",
        f"{LAN}/p2p/{PEER}x0",
        f"{LAN}/p2p/{'1' * 60}",
        f"{LAN}/p2p/{PEER}{PEER}",
        f"{LAN}/p2p/bafybeihdwdcefgh4dqkjv67uzcmw7ojee6xedzdetojuzjevtenxquvyku",
        f"{LAN}/p2p/{OTHER}/p2p-circuit/p2p/{PEER}",
        f"{LAN}/p2p/{PEER}/",
        f"/dns4/example.com/tcp/1/p2p/{PEER}",
        f"/dnsaddr/example.com/p2p/{PEER}",
        f"/ip4/256.0.0.1/tcp/1/p2p/{PEER}",
        f"/ip4/2001:db8::1/tcp/1/p2p/{PEER}",
        f"/ip4/0.0.0.0/tcp/1/p2p/{PEER}",
        f"/ip4/224.0.0.251/tcp/1/p2p/{PEER}",
        f"/ip6/fe80::1%eth0/tcp/1/p2p/{PEER}",
        f"/ip4/192.0.2.7/p2p/{PEER}",
        f"/ip4/192.0.2.7/tcp/\x1b[2J/p2p/{PEER}",
    ],
)
def test_an_address_that_could_not_be_dialed_is_nobodys(address: str) -> None:
    assert parse_txt(txt(f"dnsaddr={address}")) is None


def test_a_record_is_about_the_first_peer_that_it_names() -> None:
    text = txt(f"dnsaddr={LAN}/p2p/{PEER}", f"dnsaddr=/ip4/192.0.2.9/tcp/1/p2p/{OTHER}")
    assert parse_txt(text) == PeerInfo(PEER, (LAN,))


def test_lengths_that_do_not_add_up_spoil_the_record() -> None:
    whole = encode_txt(PEER, [LAN])
    assert parse_txt(whole[:-1]) is None
    assert parse_txt(whole + b"\xff") is None


def test_of_many_addresses_a_few_are_taken_each_once() -> None:
    addresses = [f"/ip4/192.0.2.{number}/tcp/1" for number in range(1, 60)]
    info = parse_txt(txt(*(f"dnsaddr={one}/p2p/{PEER}" for one in [LAN, LAN, *addresses])))
    assert info == PeerInfo(PEER, (LAN, *addresses)[:MAX_ADDRESSES])


def test_a_record_as_large_as_a_packet_is_read_no_further_than_a_few_strings() -> None:
    text = txt(*(f"x={number}" for number in range(64)), f"dnsaddr={LAN}/p2p/{PEER}")
    assert parse_txt(text) is None


@given(st.binary(max_size=600))
def test_no_bytes_make_the_parser_fail(text: bytes) -> None:
    parse_txt(text)


@given(st.lists(st.text(max_size=80)))
def test_no_addresses_make_it_fail(addresses: list[str]) -> None:
    parse_txt(txt(*(f"dnsaddr={one}/p2p/{PEER}".encode()[:255] for one in addresses)))
    assert len(encode_txt(PEER, addresses)) <= 1_200


@given(st.integers(0, 2**32 - 1))
def test_no_damage_makes_the_parser_fail(seed: int) -> None:
    source = random.Random(seed)
    text = bytearray(encode_txt(PEER, [LAN, "/ip6/2001:db8::7/tcp/4001"]))
    for _ in range(source.randrange(1, 8)):
        text[source.randrange(len(text))] = source.randrange(256)
    info = parse_txt(bytes(text))
    assert info is None or 0 < len(info.addresses) <= 2
