"""Every configuration key: its default, what values it takes, its unit, and what it is for.

Keys are Kubo's where the thing is the same, so that habits carry over. This table is all that knows them:
the file, the environment, `config set`, the help and docs/configuration.md follow from it.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any

from peershelf.node import setting_checks as checks
from peershelf.node.errors import ConfigError
from peershelf.node.public_peers import PUBLIC_BOOTSTRAP_PEERS

Value = bool | int | float | str | list[str]


@dataclass(frozen=True, slots=True)
class Setting:
    """One key of the configuration."""

    default: Value
    check: Callable[[Any], str | None]
    """Says what is wrong with a value, or None."""
    help: str


SETTINGS: Mapping[str, Setting] = MappingProxyType(
    {
        "Addresses.Swarm": Setting(
            ["/ip4/0.0.0.0/tcp/4001", "/ip6/::/tcp/4001"],
            checks.listen_addresses,
            "multiaddrs to listen on for peers; port 0 is any free one",
        ),
        "Addresses.API": Setting(
            "/ip4/127.0.0.1/tcp/5001", checks.api_address, "multiaddr of the local API; loopback only"
        ),
        "Addresses.Routing": Setting(
            "",
            checks.routing_address,
            "multiaddr to serve the delegated routing API at, to anybody who reaches it; empty: not at all",
        ),
        "Addresses.AppendAnnounce": Setting(
            [],
            checks.announced_addresses,
            "further multiaddrs at which this node is reached: told to others as they are",
        ),
        "AutoNAT.ServiceMode": Setting(
            "enabled",
            checks.one_of("enabled", "disabled"),
            "whether to dial peers that ask whether the world reaches them",
        ),
        "Bootstrap": Setting(
            list(PUBLIC_BOOTSTRAP_PEERS),
            checks.strings,
            "multiaddrs of peers to connect to when the daemon starts; `node bootstrap` edits them",
        ),
        "Bitswap.MaxBuffered": Setting(
            "128MiB", checks.size, "bytes on their way to, or from, all peers together"
        ),
        "Bitswap.MaxBufferedPerPeer": Setting(
            "16MiB", checks.size, "bytes on their way to, or from, one peer"
        ),
        "Bitswap.MaxWantsPerPeer": Setting(1024, checks.count, "wants remembered for one peer"),
        "Bitswap.StallTimeout": Setting(
            "60s", checks.duration, "how long a message may stand still before its stream is cut"
        ),
        "Datastore.StorageGCWatermark": Setting(
            90,
            checks.percent,
            "percent of StorageMax above which a daemon removes what no pin needs; 0: never by itself",
        ),
        "Datastore.StorageMax": Setting(
            "10GB",
            checks.size,
            "how much the repo means to hold; adds beyond it are not refused, but garbage is collected",
        ),
        "Denylists.Directories": Setting(
            ["/etc/ipfs/denylists", "$XDG_CONFIG_HOME/ipfs/denylists"],
            checks.strings,
            "where files named *.deny are read, besides denylists/ in the repo; those of later ones prevail",
        ),
        "Discovery.MDNS.Enabled": Setting(
            True, checks.one_of(True, False), "find peers on the local network by multicast DNS, and be found"
        ),
        "Import.Profile": Setting(
            "unixfs-v1-2025",
            checks.one_of("unixfs-v1-2025", "unixfs-v0-2015"),
            "how `add` cuts files up: unixfs-v1-2025, or unixfs-v0-2015 for the CIDs of old",
        ),
        "Log.Format": Setting(
            "console", checks.one_of("console", "json"), "the daemon's logs: for people, or for programs"
        ),
        "Log.Level": Setting(
            "info",
            checks.one_of("debug", "info", "warning", "error"),
            "the least serious message that is logged",
        ),
        "Peering.Peers": Setting(
            [], checks.peer_addresses, "multiaddrs, with /p2p/ and the ID, of peers to stay connected to"
        ),
        "Private": Setting(
            False,
            checks.one_of(False, True),
            "announce nothing: neither blocks in the DHT nor this node on the local network; connected peers"
            " who ask still get what they name",
        ),
        "Provide.Enabled": Setting(
            True, checks.one_of(True, False), "whether to announce what this node has"
        ),
        "Provide.Interval": Setting(
            "22h", checks.duration, "how often everything is announced again; others forget it after 48 hours"
        ),
        "Provide.Strategy": Setting(
            "roots",
            checks.one_of("all", "pinned", "roots"),
            "what is announced: every block, all that is pinned, or its roots",
        ),
        "Routing.DelegatedRouters": Setting(
            [],
            checks.router_urls,
            "URLs of HTTP routers that are asked, too, with Routing.Type auto or delegated",
        ),
        "Routing.Type": Setting(
            "auto",
            checks.one_of("auto", "delegated", "dhtclient", "dhtserver", "none"),
            "how providers are found: in the DHT, as a client or a server of it; delegated: by asking routers"
            " alone; none: ask connected peers",
        ),
        "Swarm.AddrFilters": Setting(
            [],
            checks.masks,
            "masks of addresses, such as /ip4/10.0.0.0/ipcidr/8, that are neither taken in from nor dialed;"
            " `node swarm filters` edits them",
        ),
        "Swarm.ConnMgr.GracePeriod": Setting(
            "20s", checks.duration, "how long a new connection is not closed for being too many"
        ),
        "Swarm.ConnMgr.Headroom": Setting(
            32,
            checks.count,
            "places above the high water mark, for handshakes and newcomers; nothing is taken beyond",
        ),
        "Swarm.ConnMgr.HighWater": Setting(
            96, checks.count, "connections above which those of least use are closed"
        ),
        "Swarm.ConnMgr.LowWater": Setting(32, checks.count, "connections to keep when there are too many"),
        "Swarm.ConnMgr.MaxHalfOpenPerAddress": Setting(
            16, checks.count, "inbound connections of one IP address (IPv6: /64) that are still shaking hands"
        ),
        "Swarm.ConnMgr.MaxPerAddress": Setting(
            16, checks.count, "inbound connections of one IP address (IPv6: /64)"
        ),
        "Swarm.ConnMgr.MaxPerLocalAddress": Setting(
            128, checks.count, "the same for loopback and private addresses, which many nodes may share"
        ),
        "Swarm.ConnMgr.MaxPerPeer": Setting(
            4, checks.count, "connections of one peer, also those that only wait for their last streams"
        ),
        "Swarm.ConnMgr.OutboundReserve": Setting(
            16, checks.count, "places that inbound connections cannot take"
        ),
        "Swarm.DialTimeout": Setting(
            "10s", checks.duration, "how long connecting to one peer may take, at all its addresses"
        ),
        "Swarm.DownloadRate": Setting(
            "unlimited",
            checks.rate,
            "how fast to read from all peers together at most, except nearby (Swarm.LimitLocal)",
        ),
        "Swarm.LimitLocal": Setting(
            False,
            checks.one_of(True, False),
            "whether the rates bind towards this machine and private networks too",
        ),
        "Swarm.LowPriority": Setting(
            True,
            checks.one_of(True, False),
            "whether what is sent is marked so that routers let other traffic go first",
        ),
        "Swarm.MaxAddressesPerDial": Setting(16, checks.count, "addresses of one peer that are tried"),
        "Swarm.MaxDials": Setting(32, checks.count, "addresses that are dialed at a time"),
        "Swarm.PeerDownloadRate": Setting(
            "unlimited",
            checks.rate,
            "how fast to read from each peer at most, except nearby (Swarm.LimitLocal)",
        ),
        "Swarm.PeerUploadRate": Setting(
            "unlimited",
            checks.rate,
            "how fast to send to each peer at most, except nearby (Swarm.LimitLocal)",
        ),
        "Swarm.Transports.Network.Websocket": Setting(
            False, checks.one_of(False, True), "dial and listen on addresses with /ws"
        ),
        "Swarm.UploadRate": Setting(
            "unlimited",
            checks.rate,
            "how fast to send to all peers together at most, except nearby (Swarm.LimitLocal)",
        ),
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
