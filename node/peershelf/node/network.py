"""The part of a node that talks to peers: the libp2p host and the exchange over it.

Imported only by a node that goes online: py-libp2p costs a second and 80 MB.
"""

from __future__ import annotations

from dataclasses import dataclass

import structlog
import trio

from peershelf.blockstore.store.base import Blockstore
from peershelf.node._version import __version__
from peershelf.node.config import Config
from peershelf.node.repo import Repo
from peershelf.protocols.bitswap import Bitswap, BitswapLimits
from peershelf.protocols.errors import NetworkError
from peershelf.protocols.libp2p import HostLimits, Libp2pNetwork
from peershelf.protocols.traffic import Rates

AGENT = f"peershelf/{__version__}"
_RECONNECT_AFTER = (5.0, 300.0)

log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class Online:
    """The running network services of one node."""

    host: Libp2pNetwork
    exchange: Bitswap


async def go_online(nursery: trio.Nursery, repo: Repo, store: Blockstore) -> Online:
    """Start host and exchange as tasks of `nursery`; both listen once this returns. Raises NetworkError."""
    config = repo.config
    host = Libp2pNetwork(
        private_key=repo.identity.seed,
        listen=config.strings("Addresses.Swarm"),
        agent=AGENT,
        limits=_host_limits(config),
        rates=_rates(config),
    )
    exchange = Bitswap(host, store, limits=_bitswap_limits(config))
    await nursery.start(exchange.run)
    await nursery.start(host.run)
    for address in config.strings("Bootstrap"):
        nursery.start_soon(_keep_trying, host, address)
    return Online(host, exchange)


async def _keep_trying(host: Libp2pNetwork, address: str) -> None:
    """Connect to a bootstrap peer, however long it takes to come up."""
    pause, longest = _RECONNECT_AFTER
    while True:
        try:
            await host.connect(address)
        except NetworkError as error:
            log.info("bootstrap peer not reached", address=address, reason=str(error), retry_seconds=pause)
        else:
            return
        await trio.sleep(pause)
        pause = min(2 * pause, longest)


def _host_limits(config: Config) -> HostLimits:
    return HostLimits(
        low_water=config.count("Swarm.ConnMgr.LowWater"),
        high_water=config.count("Swarm.ConnMgr.HighWater"),
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
