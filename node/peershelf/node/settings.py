"""Every configuration key: its default, what values it takes, its unit, and what it is for.

Keys are Kubo's where the thing is the same, so that habits carry over. This table is all that knows them:
the file, the environment, `config set`, the help and docs/configuration.md follow from it.
"""

from __future__ import annotations

import contextlib
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any

from peershelf.node.errors import ConfigError, ServerError, UsageError
from peershelf.node.public_peers import PUBLIC_BOOTSTRAP_PEERS

Value = bool | int | float | str | list[str]

_UNITS = {"": 1, "B": 1, "KB": 10**3, "MB": 10**6, "GB": 10**9, "TB": 10**12}
_UNITS |= {"KIB": 1 << 10, "MIB": 1 << 20, "GIB": 1 << 30, "TIB": 1 << 40}
_DURATION_PART = re.compile(r"(\d+(?:\.\d+)?)(ms|s|m|h)")
_NAMED = re.compile(r"/dns[46]?/[A-Za-z0-9_-]+(\.[A-Za-z0-9_-]+)*\.?/tcp/\d{1,5}(/ws)?")
LEAST_RATE = 1_000
_SECONDS = {"ms": 0.001, "s": 1.0, "m": 60.0, "h": 3600.0}


def parse_size(text: str) -> int:
    """Return the bytes that a size such as "10GB" or "64MiB" stands for. Raises ValueError."""
    match = re.fullmatch(r"\s*(\d+(?:\.\d+)?)\s*([A-Za-z]*)\s*", text)
    if match is None or match[2].upper() not in _UNITS:
        raise ValueError(f"{text!a} is no size; write one as 10GB or 64MiB")
    return int(float(match[1]) * _UNITS[match[2].upper()])


def parse_rate(text: str) -> int:
    """Return the bytes per second of "2MB/s" or "500KB"; 0 for "0" and "unlimited". Raises ValueError."""
    if text.strip().lower() == "unlimited":
        return 0
    try:
        rate = parse_size(text.strip().removesuffix("/s"))
    except ValueError:
        raise ValueError(f"{text!a} is no rate; write one as 2MB/s or 500KB/s") from None
    if 0 < rate < LEAST_RATE:
        raise ValueError(f"{text!a} is too slow to be of any use; 1KB/s is the least")
    return rate


def parse_duration(text: str) -> float:
    """Return the seconds of a duration such as "30s", "1m30s" or "250ms". Raises ValueError."""
    parts = _DURATION_PART.findall(text)
    if not parts or "".join(number + unit for number, unit in parts) != text:
        raise ValueError(f"{text!a} is no duration; write one as 30s, 1m30s or 250ms")
    return sum(float(number) * _SECONDS[unit] for number, unit in parts)


@dataclass(frozen=True, slots=True)
class Setting:
    """One key of the configuration."""

    default: Value
    check: Callable[[Any], str | None]
    """Says what is wrong with a value, or None."""
    help: str


def _strings(value: Any) -> str | None:
    good = isinstance(value, list) and all(isinstance(item, str) for item in value)
    return None if good else 'takes a list of texts, such as ["/ip4/127.0.0.1/tcp/0"]'


def _listen_addresses(value: Any) -> str | None:
    if complaint := _strings(value):
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


def _peer_addresses(value: Any) -> str | None:
    from peershelf.node.peer_addresses import parse_peer_address

    if complaint := _strings(value):
        return complaint
    try:
        for text in value:
            parse_peer_address(text)
    except UsageError as error:
        return f"takes addresses of peers: {error}"
    return None


def _masks(value: Any) -> str | None:
    from peershelf.protocols.filters import InvalidMask, Mask

    if complaint := _strings(value):
        return complaint
    try:
        for text in value:
            Mask(text)
    except InvalidMask as error:
        return f"takes masks of addresses: {error}"
    return None


def _router_urls(value: Any) -> str | None:
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


def _announced_addresses(value: Any) -> str | None:
    if complaint := _strings(value):
        return complaint
    bad = next((text for text in value if not (is_tcp_address(text) or _NAMED.fullmatch(text))), None)
    example = "/ip4/192.0.2.1/tcp/4001 or /dns4/node.example/tcp/4001"
    return bad and f"takes addresses with a TCP port and without /p2p/, such as {example}, not {bad[:80]!a}"


def _api_address(value: Any) -> str | None:
    from peershelf.node.http.address import ApiAddress

    try:
        ApiAddress.parse(value if isinstance(value, str) else "")
    except ServerError:
        return "takes a loopback address such as /ip4/127.0.0.1/tcp/5001: the API has no passwords"
    return None


def _routing_address(value: Any) -> str | None:
    good = isinstance(value, str) and (not value or (is_tcp_address(value) and not value.endswith("/ws")))
    return None if good else "takes an address such as /ip4/127.0.0.1/tcp/8090, or an empty text"


def _size(value: Any) -> str | None:
    return _parsed(parse_size, value, "takes a size such as 10GB or 64MiB")


def _rate(value: Any) -> str | None:
    text = str(value) if isinstance(value, int) and not isinstance(value, bool) else value
    return _parsed(parse_rate, text, "takes a rate such as 2MB/s, at least 1KB/s, or unlimited")


def _duration(value: Any) -> str | None:
    return _parsed(parse_duration, value, "takes a duration such as 30s or 1m30s")


def _parsed(parse: Callable[[str], float], value: Any, complaint: str) -> str | None:
    if not isinstance(value, str):
        return complaint
    try:
        parse(value)
    except ValueError:
        return complaint
    return None


def _percent(value: Any) -> str | None:
    good = isinstance(value, int) and not isinstance(value, bool) and 0 <= value <= 100
    return None if good else "takes a percentage from 0 to 100"


def _one_of(*choices: object) -> Callable[[Any], str | None]:
    known = ", ".join(map(str, choices)).replace("True", "true").replace("False", "false")
    return lambda value: None if value in choices else f"takes one of: {known}"


def _count(value: Any) -> str | None:
    good = isinstance(value, int) and not isinstance(value, bool) and value > 0
    return None if good else "takes a whole number above 0"


SETTINGS: Mapping[str, Setting] = MappingProxyType(
    {
        "Addresses.Swarm": Setting(
            ["/ip4/0.0.0.0/tcp/4001", "/ip6/::/tcp/4001"],
            _listen_addresses,
            "multiaddrs to listen on for peers; port 0 is any free one",
        ),
        "Addresses.API": Setting(
            "/ip4/127.0.0.1/tcp/5001", _api_address, "multiaddr of the local API; loopback only"
        ),
        "Addresses.Routing": Setting(
            "",
            _routing_address,
            "multiaddr to serve the delegated routing API at, to anybody who reaches it; empty: not at all",
        ),
        "Addresses.AppendAnnounce": Setting(
            [],
            _announced_addresses,
            "further multiaddrs at which this node is reached: told to others as they are",
        ),
        "AutoNAT.ServiceMode": Setting(
            "enabled",
            _one_of("enabled", "disabled"),
            "whether to dial peers that ask whether the world reaches them",
        ),
        "Bootstrap": Setting(
            list(PUBLIC_BOOTSTRAP_PEERS),
            _strings,
            "multiaddrs of peers to connect to when the daemon starts; `node bootstrap` edits them",
        ),
        "Bitswap.MaxBuffered": Setting("128MiB", _size, "bytes on their way to, or from, all peers together"),
        "Bitswap.MaxBufferedPerPeer": Setting("16MiB", _size, "bytes on their way to, or from, one peer"),
        "Bitswap.MaxWantsPerPeer": Setting(1024, _count, "wants remembered for one peer"),
        "Bitswap.StallTimeout": Setting(
            "60s", _duration, "how long a message may stand still before its stream is cut"
        ),
        "Datastore.StorageGCWatermark": Setting(
            90,
            _percent,
            "percent of StorageMax above which a daemon removes what no pin needs; 0: never by itself",
        ),
        "Datastore.StorageMax": Setting(
            "10GB",
            _size,
            "how much the repo means to hold; adds beyond it are not refused, but garbage is collected",
        ),
        "Denylists.Directories": Setting(
            ["/etc/ipfs/denylists", "$XDG_CONFIG_HOME/ipfs/denylists"],
            _strings,
            "where files named *.deny are read, besides denylists/ in the repo; those of later ones prevail",
        ),
        "Discovery.MDNS.Enabled": Setting(
            True, _one_of(True, False), "find peers on the local network by multicast DNS, and be found"
        ),
        "Import.Profile": Setting(
            "unixfs-v1-2025",
            _one_of("unixfs-v1-2025", "unixfs-v0-2015"),
            "how `add` cuts files up: unixfs-v1-2025, or unixfs-v0-2015 for the CIDs of old",
        ),
        "Log.Format": Setting(
            "console", _one_of("console", "json"), "the daemon's logs: for people, or for programs"
        ),
        "Log.Level": Setting(
            "info", _one_of("debug", "info", "warning", "error"), "the least serious message that is logged"
        ),
        "Peering.Peers": Setting(
            [], _peer_addresses, "multiaddrs, with /p2p/ and the ID, of peers to stay connected to"
        ),
        "Private": Setting(
            False,
            _one_of(False, True),
            "announce nothing: neither blocks in the DHT nor this node on the local network; connected peers"
            " who ask still get what they name",
        ),
        "Provide.Enabled": Setting(True, _one_of(True, False), "whether to announce what this node has"),
        "Provide.Interval": Setting(
            "22h", _duration, "how often everything is announced again; others forget it after 48 hours"
        ),
        "Provide.Strategy": Setting(
            "roots",
            _one_of("all", "pinned", "roots"),
            "what is announced: every block, all that is pinned, or its roots",
        ),
        "Routing.DelegatedRouters": Setting(
            [], _router_urls, "URLs of HTTP routers that are asked, too, with Routing.Type auto or delegated"
        ),
        "Routing.Type": Setting(
            "auto",
            _one_of("auto", "delegated", "dhtclient", "dhtserver", "none"),
            "how providers are found: in the DHT, as a client or a server of it; delegated: by asking routers"
            " alone; none: ask connected peers",
        ),
        "Swarm.AddrFilters": Setting(
            [],
            _masks,
            "masks of addresses, such as /ip4/10.0.0.0/ipcidr/8, that are neither taken in from nor dialed;"
            " `node swarm filters` edits them",
        ),
        "Swarm.ConnMgr.GracePeriod": Setting(
            "20s", _duration, "how long a new connection is not closed for being too many"
        ),
        "Swarm.ConnMgr.Headroom": Setting(
            32,
            _count,
            "places above the high water mark, for handshakes and newcomers; nothing is taken beyond",
        ),
        "Swarm.ConnMgr.HighWater": Setting(
            96, _count, "connections above which those of least use are closed"
        ),
        "Swarm.ConnMgr.LowWater": Setting(32, _count, "connections to keep when there are too many"),
        "Swarm.ConnMgr.MaxHalfOpenPerAddress": Setting(
            16, _count, "inbound connections of one IP address (IPv6: /64) that are still shaking hands"
        ),
        "Swarm.ConnMgr.MaxPerAddress": Setting(
            16, _count, "inbound connections of one IP address (IPv6: /64)"
        ),
        "Swarm.ConnMgr.MaxPerLocalAddress": Setting(
            128, _count, "the same for loopback and private addresses, which many nodes may share"
        ),
        "Swarm.ConnMgr.MaxPerPeer": Setting(
            4, _count, "connections of one peer, also those that only wait for their last streams"
        ),
        "Swarm.ConnMgr.OutboundReserve": Setting(16, _count, "places that inbound connections cannot take"),
        "Swarm.DialTimeout": Setting(
            "10s", _duration, "how long connecting to one peer may take, at all its addresses"
        ),
        "Swarm.DownloadRate": Setting("unlimited", _rate, "how fast to read from all peers together at most"),
        "Swarm.LimitLocal": Setting(
            False,
            _one_of(True, False),
            "whether the rates bind towards this machine and private networks too",
        ),
        "Swarm.LowPriority": Setting(
            True,
            _one_of(True, False),
            "whether what is sent is marked so that routers let other traffic go first",
        ),
        "Swarm.MaxAddressesPerDial": Setting(16, _count, "addresses of one peer that are tried"),
        "Swarm.MaxDials": Setting(32, _count, "addresses that are dialed at a time"),
        "Swarm.PeerDownloadRate": Setting("unlimited", _rate, "how fast to read from each peer at most"),
        "Swarm.PeerUploadRate": Setting("unlimited", _rate, "how fast to send to each peer at most"),
        "Swarm.Transports.Network.Websocket": Setting(
            False, _one_of(False, True), "dial and listen on addresses with /ws"
        ),
        "Swarm.UploadRate": Setting("unlimited", _rate, "how fast to send to all peers together at most"),
    }
)


def check(key: str, value: Any) -> Value:
    """Return `value` if `key` may have it.

    Raises ConfigError, which names the nearest key, or says what the key takes.
    """
    setting = SETTINGS.get(key)
    if setting is None:
        raise ConfigError(f"unknown configuration key {key[:80]!a}{_nearest(key)}")
    complaint = setting.check(value)
    if complaint is not None:
        raise ConfigError(f"{key} {complaint}")
    return value  # type: ignore[no-any-return]


def _nearest(key: str) -> str:
    import difflib

    names = {name.lower(): name for name in SETTINGS}
    close = difflib.get_close_matches(key.lower(), names, n=1, cutoff=0.5)
    return f"; did you mean {names[close[0]]}?" if close else "; `node config show` lists them all"
