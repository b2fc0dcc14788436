"""Where the API may listen."""

from __future__ import annotations

import pytest

from peershelf.node.errors import ServerError
from peershelf.node.http.address import ApiAddress


@pytest.mark.parametrize(
    ("text", "host", "port"),
    [
        ("/ip4/127.0.0.1/tcp/5001", "127.0.0.1", 5001),
        ("/ip4/127.1.2.3/tcp/0", "127.1.2.3", 0),
        ("/ip6/::1/tcp/65535", "::1", 65535),
    ],
)
def test_a_loopback_multiaddr_is_read_and_written(text: str, host: str, port: int) -> None:
    address = ApiAddress.parse(text)
    assert (address.host, address.port) == (host, port)
    assert str(address) == text


@pytest.mark.parametrize("text", ["/ip4/0.0.0.0/tcp/5001", "/ip4/192.168.1.2/tcp/5001", "/ip6/::/tcp/5001"])
def test_an_address_that_others_could_reach_is_refused(text: str) -> None:
    with pytest.raises(ServerError, match="listens on loopback only"):
        ApiAddress.parse(text)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "127.0.0.1:5001",
        "/ip4/127.0.0.1",
        "/ip4/127.0.0.1/udp/5001",
        "/ip4/127.0.0.1/tcp/x",
        "/ip4/127.0.0.1/tcp/-1",
        "/ip4/127.0.0.1/tcp/²",
        "/ip4/127.0.0.1/tcp/5001/http/x",
        "/ip4/::1/tcp/5001",
        "/ip4/localhost/tcp/5001",
        "/ip4/127.0.0.1/tcp/65536",
        "/ip4/127.0.0.1/tcp/000000000000000000001",
        "/unix/run/api.sock",
    ],
)
def test_anything_else_is_one_clear_error(text: str) -> None:
    with pytest.raises(ServerError) as caught:
        ApiAddress.parse(text)
    assert "\n" not in str(caught.value)
