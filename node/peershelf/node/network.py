"""The part of a node that talks to peers: the libp2p host and the exchange over it.

Imported only by a node that goes online: py-libp2p costs a second and 80 MB.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial

import structlog
import trio

from peershelf.blockstore.store.base import Blockstore
from peershelf.node._version import __version__
from peershelf.node.config import Config
from peershelf.node.denylists.denylists import Denylists
from peershelf.node.denylists.served import ServedBlocks
from peershelf.node.dialing_back import BackDialer
from peershelf.node.errors import ConfigError, UsageError
from peershelf.node.finding_peers import connect_by_id
from peershelf.node.keeping_connected import KeptConnections
from peershelf.node.peer_addresses import PeerAddress, by_peer, parse_peer_address
from peershelf.node.private_network import key_to_use, within_network
from peershelf.node.reachability import Reachability
from peershelf.node.remembering import Notes, remember
from peershelf.node.repo import Repo
from peershelf.node.routing import Routing, routing_of
from peershelf.protocols.bitswap import Bitswap, BitswapLimits
from peershelf.protocols.errors import CannotListen
from peershelf.protocols.filters import Mask
from peershelf.protocols.libp2p import HostLimits, Libp2pNetwork
from peershelf.protocols.multiaddrs import from_text
from peershelf.protocols.reachability.service import DialService
from peershelf.protocols.traffic import Rates
from peershelf.protocols.transport import PeerId

AGENT = f"peershelf/{__version__}"

log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class Online:
    """The running network services of one node."""

    host: Libp2pNetwork
    exchange: Bitswap
    routing: Routing
    connections: KeptConnections
    swarm_key_fingerprint: str | None
    """Of the private network that all this is held to, if it is."""
    notes: Notes
    """Where peers were reached."""
    reachability: Reachability | None
    """None where nothing is to be found out about it: without routing, briefly, or in private."""

    async def connect_by_id(self, peer: PeerId) -> None:
        """Connect to a peer of whom nothing else was told. Raises NetworkError, NodeError."""
        await self.notes.complete.wait()
        known = (*self.connections.addresses_of(peer), *self.notes.book.addresses_of(peer))
        await connect_by_id(self.host, peer, known, self.routing)


async def go_online(
    nursery: trio.Nursery, repo: Repo, store: Blockstore, denylists: Denylists, *, briefly: bool = False
) -> Online:
    """Start host and exchange as tasks of `nursery`; both listen once this returns.

    A node that is there `briefly` asks others and tells nobody of itself: who heard of it would look for it
    in vain, and taking leave of the local network takes half a second. Raises NetworkError, ConfigError.
    """
    config = repo.config
    key = key_to_use(repo.swarm_key_file)
    if key is not None:
        config = within_network(config)
        log.info("limited to the private network of peers with the swarm key", fingerprint=key.fingerprint)
    host = Libp2pNetwork(
        private_key=repo.identity.seed,
        listen=config.strings("Addresses.Swarm"),
        agent=AGENT,
        limits=_host_limits(config),
        rates=_rates(config),
        websocket=config.flag("Swarm.Transports.Network.Websocket"),
        key=key,
        filters=[Mask(text) for text in config.strings("Swarm.AddrFilters")],
    )
    served = ServedBlocks(store, denylists)
    exchange = Bitswap(host, store, served=served, limits=_bitswap_limits(config), seen_at=host.seen_at)
    unnoticed = briefly or config.flag("Private")
    routers = config.strings("Routing.DelegatedRouters")
    routing = routing_of(config.text("Routing.Type"), host, routers, serve=not unnoticed)
    await nursery.start(exchange.run)
    await nursery.start(routing.run)
    try:
        await nursery.start(host.run)
    except CannotListen as error:
        raise CannotListen(f"{error}; end what listens there, or set Addresses.Swarm to others") from error
    reachability = None
    # The world does not reach into a private network, whoever says so.
    if routing.parts and not unnoticed and key is None:
        reachability = await _find_out_who_is_reached(nursery, host, routing, config)
    notes = Notes(host)
    connections = KeptConnections(nursery, host)
    for peer, addresses in _usable("Bootstrap", config).items():
        connections.meet(peer, addresses)
    for peer, addresses in _usable("Peering.Peers", config).items():
        connections.keep(peer, addresses)
    # Whoever takes all bootstrap peers away wants to meet only those that he names. And peers of the public
    # network, remembered from before there was a key, are not to hear from a private node.
    if config.strings("Bootstrap") and key is None:
        nursery.start_soon(partial(remember, host, repo.peers_file, notes, briefly=briefly))
    else:
        notes.complete.set()
    if config.flag("Discovery.MDNS.Enabled"):
        from peershelf.node.neighbours import find_neighbours

        nursery.start_soon(partial(find_neighbours, host, announce=not unnoticed))
    fingerprint = key.fingerprint if key else None
    return Online(host, exchange, routing, connections, fingerprint, notes, reachability)


async def _find_out_who_is_reached(
    nursery: trio.Nursery, host: Libp2pNetwork, routing: Routing, config: Config
) -> Reachability:
    """Ask others whether the world reaches this node, and tell them whether it reaches them."""
    if config.text("AutoNAT.ServiceMode") == "enabled":
        back_dialer = BackDialer(AGENT, host.filters)
        await nursery.start(back_dialer.run)
        DialService(host, back_dialer.dial_back).start()
    given = map(from_text, config.strings("Addresses.AppendAnnounce"))
    reachability = Reachability(host, [one for one in given if one is not None], routing.reachable)
    await nursery.start(reachability.run)
    return reachability


def _usable(key: str, config: Config) -> dict[PeerId, list[str]]:
    """The addresses of a setting by their peers; those that cannot be dialed are logged and left out."""
    usable: list[PeerAddress] = []
    for text in config.strings(key):
        try:
            usable.append(parse_peer_address(text))
        except UsageError as error:
            log.warning("address left out", setting=key, address=text, reason=str(error))
    return by_peer(usable)


def _host_limits(config: Config) -> HostLimits:
    low, high = config.count("Swarm.ConnMgr.LowWater"), config.count("Swarm.ConnMgr.HighWater")
    if low > high:
        raise ConfigError(f"Swarm.ConnMgr.LowWater is {low}, above Swarm.ConnMgr.HighWater, which is {high}")
    return HostLimits(
        low_water=low,
        high_water=high,
        headroom=config.count("Swarm.ConnMgr.Headroom"),
        grace=config.duration("Swarm.ConnMgr.GracePeriod"),
        outbound_reserve=config.count("Swarm.ConnMgr.OutboundReserve"),
        connections_per_peer=config.count("Swarm.ConnMgr.MaxPerPeer"),
        connections_per_address=config.count("Swarm.ConnMgr.MaxPerAddress"),
        connections_per_local_address=config.count("Swarm.ConnMgr.MaxPerLocalAddress"),
        half_open_per_address=config.count("Swarm.ConnMgr.MaxHalfOpenPerAddress"),
        dials=config.count("Swarm.MaxDials"),
        addresses_per_dial=config.count("Swarm.MaxAddressesPerDial"),
        dial_timeout=config.duration("Swarm.DialTimeout"),
    )


def _rates(config: Config) -> Rates:
    return Rates(
        upload=config.rate("Swarm.UploadRate"),
        download=config.rate("Swarm.DownloadRate"),
        peer_upload=config.rate("Swarm.PeerUploadRate"),
        peer_download=config.rate("Swarm.PeerDownloadRate"),
        low_priority=config.flag("Swarm.LowPriority"),
        limit_local=config.flag("Swarm.LimitLocal"),
    )


def _bitswap_limits(config: Config) -> BitswapLimits:
    return BitswapLimits(
        wants_per_peer=config.count("Bitswap.MaxWantsPerPeer"),
        buffered_per_peer=config.size("Bitswap.MaxBufferedPerPeer"),
        buffered_total=config.size("Bitswap.MaxBuffered"),
        stall=config.duration("Bitswap.StallTimeout"),
    )
