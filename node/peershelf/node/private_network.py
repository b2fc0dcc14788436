"""The private network that a node is in: its key in the repo's `swarm.key`, and what else follows from it.

Nothing of a private node goes to the public network: its bootstrap peers are not dialed, no router is asked.
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path

from peershelf.node import durable
from peershelf.node.config import Config
from peershelf.node.errors import ConfigError
from peershelf.node.observe import later
from peershelf.node.public_peers import PUBLIC_BOOTSTRAP_PEERS
from peershelf.protocols.private import MalformedKey, SwarmKey

FORCE = "LIBP2P_FORCE_PNET"
"""The environment variable that, as 1, forbids to go online without a key: Kubo's, too."""

_MOST = 65_536
"""Bytes that are read of a file; a key takes about a hundred."""

_MEND = "mend it (without the file the node is in the public network)"

log = later.Logger(__name__)


def read_key(path: Path) -> SwarmKey | None:
    """Return the key in a file; None where there is no such file.

    Raises ConfigError for a file that cannot be read or holds no key: it must not make a public node.
    """
    try:
        with path.open("rb") as file:
            return SwarmKey.decode(file.read(_MOST))
    except FileNotFoundError:
        return None
    except MalformedKey as error:
        raise ConfigError(f"{path} is no key of a private network: {error}; {_MEND}") from None
    except OSError as error:
        raise ConfigError(f"{path} cannot be read: {error.strerror}; {_MEND}") from None


def key_to_use(path: Path, environment: Mapping[str, str] = os.environ) -> SwarmKey | None:
    """The same for a node that goes online. Raises ConfigError also where it must have a key and has none."""
    key = read_key(path)
    if key is None and environment.get(FORCE) == "1":
        raise ConfigError(
            f"{FORCE}=1 forbids to go online without a private network, and there is no {path}: "
            "put the network's key there, or make one with `node swarm genkey`"
        )
    return key


def generate_key(path: Path) -> SwarmKey:
    """Make the key of a new network, durably; a file that is there is never replaced. Raises ConfigError."""
    key = SwarmKey.generate()
    try:
        durable.create_file(path, key.encode())
    except FileExistsError:
        raise ConfigError(
            f"there is a {path} already; whoever loses a network's key is out of it: move it away first"
        ) from None
    return key


def within_network(config: Config) -> Config:
    """Return the settings as they hold in a private network. Raises ConfigError for what it cannot have."""
    listen = config.strings("Addresses.Swarm")
    if over_websocket := [address for address in listen if address.endswith("/ws")]:
        raise ConfigError(
            f"a private network has no WebSocket: take {over_websocket[0]} out of Addresses.Swarm"
        )
    if config.text("Routing.Type") == "delegated":
        raise ConfigError(
            "Routing.Type is delegated, and a private network's nodes ask no routers: "
            "`node config set Routing.Type auto`"
        )
    if config.strings("Routing.DelegatedRouters"):
        log.warning("no router is asked in a private network", setting="Routing.DelegatedRouters")
    return config.overridden(
        {
            "Bootstrap": [text for text in config.strings("Bootstrap") if not _is_public(text)],
            "Routing.DelegatedRouters": [],
            "Swarm.Transports.Network.Websocket": False,
        }
    )


def _is_public(address: str) -> bool:
    """Whether this is one of the public bootstrap peers, wherever it is said to be."""
    return address.rpartition("/p2p/")[2] in _PUBLIC


_PUBLIC = frozenset(address.rpartition("/p2p/")[2] for address in PUBLIC_BOOTSTRAP_PEERS)
