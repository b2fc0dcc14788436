"""What values settings take: each check says what is wrong with a value, or returns None."""

from __future__ import annotations

import contextlib
import re
from collections.abc import Callable
from typing import Any

from peershelf.node.errors import ServerError, UsageError
from peershelf.node.units import parse_duration, parse_rate, parse_size

_NAMED = re.compile(r"/dns[46]?/[A-Za-z0-9_-]+(\.[A-Za-z0-9_-]+)*\.?/tcp/\d{1,5}(/ws)?")


def strings(value: Any) -> str | None:
    good = isinstance(value, list) and all(isinstance(item, str) for item in value)
    return None if good else 'takes a list of texts, such as ["/ip4/127.0.0.1/tcp/0"]'


def listen_addresses(value: Any) -> str | None:
    if complaint := strings(value):
        return complaint
    bad = next((text for text in value if not is_tcp_address(text)), None)
    return bad and f"takes IP addresses with a TCP port, such as /ip4/0.0.0.0/tcp/4001, not {bad[:80]!a}"


def is_tcp_address(text: str) -> bool:
    """Whether this is an IP address with a TCP port, and perhaps /ws, as a multiaddr."""
    import ipaddress

    match text.removesuffix("/ws").split("/"):
        case ["", "ip4" | "ip6" as family, host, "tcp", port] if port.isascii() and port.isdecimal():
            with contextlib.suppress(ValueError):
                return f"ip{ipaddress.ip_address(host).version}" == family and int(port) < 65_536
    return False


def peer_addresses(value: Any) -> str | None:
    from peershelf.node.peer_addresses import parse_peer_address

    if complaint := strings(value):
        return complaint
    try:
        for text in value:
            parse_peer_address(text)
    except UsageError as error:
        return f"takes addresses of peers: {error}"
    return None


def masks(value: Any) -> str | None:
    from peershelf.protocols.filters import InvalidMask, Mask

    if complaint := strings(value):
        return complaint
    try:
        for text in value:
            Mask(text)
    except InvalidMask as error:
        return f"takes masks of addresses: {error}"
    return None


def router_urls(value: Any) -> str | None:
    good = isinstance(value, list) and all(isinstance(item, str) and is_router_url(item) for item in value)
    return None if good else 'takes a list of URLs, such as ["https://example.com"], without /routing/v1'


def is_router_url(text: str) -> bool:
    """Whether this is the URL of a host, http or https, perhaps with a path that /routing/v1 follows."""
    from urllib.parse import urlsplit

    if not text.isascii() or not text.isprintable() or set(text) & set(" ?#@\\"):
        return False
    with contextlib.suppress(ValueError):
        url = urlsplit(text)
        named = bool(url.hostname) and url.port != 0
        return url.scheme in ("http", "https") and named and "/routing/v1" not in url.path
    return False


def announced_addresses(value: Any) -> str | None:
    if complaint := strings(value):
        return complaint
    bad = next((text for text in value if not (is_tcp_address(text) or _NAMED.fullmatch(text))), None)
    example = "/ip4/192.0.2.1/tcp/4001 or /dns4/node.example/tcp/4001"
    return bad and f"takes addresses with a TCP port and without /p2p/, such as {example}, not {bad[:80]!a}"


def api_address(value: Any) -> str | None:
    from peershelf.node.http.address import ApiAddress

    try:
        ApiAddress.parse(value if isinstance(value, str) else "")
    except ServerError:
        return "takes a loopback address such as /ip4/127.0.0.1/tcp/5001: the API has no passwords"
    return None


def routing_address(value: Any) -> str | None:
    from peershelf.node.http.address import ApiAddress

    try:
        if value != "":
            ApiAddress.parse_any(value if isinstance(value, str) else "")
    except ServerError:
        return "takes an address such as /ip4/127.0.0.1/tcp/8090, or an empty text"
    return None


def size(value: Any) -> str | None:
    return _parsed(parse_size, value, "takes a size such as 10GB or 64MiB")


def rate(value: Any) -> str | None:
    text = str(value) if isinstance(value, int) and not isinstance(value, bool) else value
    return _parsed(parse_rate, text, "takes a rate such as 2MB/s, at least 1KB/s, or unlimited")


def duration(value: Any) -> str | None:
    return _parsed(parse_duration, value, "takes a duration such as 30s or 1m30s")


def _parsed(parse: Callable[[str], float], value: Any, complaint: str) -> str | None:
    if not isinstance(value, str):
        return complaint
    try:
        parse(value)
    except ValueError:
        return complaint
    return None


def percent(value: Any) -> str | None:
    good = isinstance(value, int) and not isinstance(value, bool) and 0 <= value <= 100
    return None if good else "takes a percentage from 0 to 100"


def one_of(*choices: object) -> Callable[[Any], str | None]:
    known = ", ".join(map(str, choices)).replace("True", "true").replace("False", "false")
    return lambda value: None if value in choices else f"takes one of: {known}"


def count(value: Any) -> str | None:
    good = isinstance(value, int) and not isinstance(value, bool) and value > 0
    return None if good else "takes a whole number above 0"
