from __future__ import annotations

import pytest

from peershelf.cli import values
from peershelf.cli.address import Address
from peershelf.cli.quoting import percent_encode, query
from peershelf.node.units import parse_duration


@pytest.mark.parametrize("text", ["30s", "2m30s", "500ms", "1.5h", "1h1m1s1ms"])
def test_durations_mean_what_the_node_takes_them_for(text: str) -> None:
    assert values.duration(text) == parse_duration(text)


@pytest.mark.parametrize("text", ["", "30", "s", "-1s", "1 s", "0s", "1s2", "x1s"])
def test_what_is_no_duration_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="needed"):
        values.duration(text)


@pytest.mark.parametrize("text", ["", "-1", "1.0", "0x1", "١", "1 "])
def test_what_is_no_whole_number_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="whole number"):
        values.whole_number(text)


@pytest.mark.parametrize(
    ("text", "host", "port", "authority"),
    [
        ("/ip4/127.0.0.1/tcp/5001", "127.0.0.1", 5001, "127.0.0.1:5001"),
        ("/ip6/::1/tcp/1\n", "::1", 1, "[::1]:1"),
        ("/dns4/localhost/tcp/65535/http", "localhost", 65535, "localhost:65535"),
    ],
)
def test_an_api_address_is_a_multiaddr_of_host_and_tcp_port(
    text: str, host: str, port: int, authority: str
) -> None:
    address = Address.parse(text)
    assert (address.host, address.port, address.authority) == (host, port, authority)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "127.0.0.1:5001",
        "/ip4/127.0.0.1",
        "/ip4/127.0.0.1/udp/1",
        "/ip4/127.0.0.1/tcp/0",
        "/ip4/127.0.0.1/tcp/65536",
        "/ip4/127.0.0.1/tcp/x",
        "/ip4//tcp/1",
        "x/ip4/127.0.0.1/tcp/1",
        "/ip4/a/tcp/1/p2p/x",
    ],
)
def test_other_addresses_are_refused(text: str) -> None:
    with pytest.raises(ValueError, match=r"needed|port"):
        Address.parse(text)


def test_percent_encoding_keeps_unreserved_characters_and_bytes_that_are_no_utf8() -> None:
    assert percent_encode("a-b_c.d~9") == "a-b_c.d~9"
    assert percent_encode('/"é+ \udcff') == "%2F%22%C3%A9%2B%20%FF"
    assert query(["a/b", "c"], {"pin": "false"}) == "arg=a%2Fb&arg=c&pin=false"
