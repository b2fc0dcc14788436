"""What a repo's files tell by themselves, in the keys of Kubo's RPC: no lock is taken and no node runs.

Without trio, whose import would cost more than all of this.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from peershelf.node import config
from peershelf.node._version import __version__
from peershelf.node.peer_ids import public_key_text
from peershelf.node.repo import VERSION, Repo, load_settings

BOOTSTRAP = "Bootstrap"


def answer(path: Path, operation: str, *args: str) -> dict[str, Any] | None:
    """What a node on the repo at `path` would answer; None where it takes more than the files.

    Raises RepoMissing, RepoError, ConfigError, IdentityError.
    """
    match operation, *args:
        case ["id"]:
            repo = Repo.load(path)
            return identity(repo, swarm_key_fingerprint(repo))
        case ["config/show"]:
            return load_settings(path).tree()
        case ["config", key]:
            return setting(load_settings(path), key)
        case ["bootstrap/list"]:
            load_settings(path)
            return bootstrap_peers(path / "config.toml")
    return None


def version() -> dict[str, Any]:
    """Which program this is, what layout of repos it uses, and what it runs on."""
    return {
        "Version": __version__,
        "Commit": "",
        "Repo": str(VERSION),
        "System": f"{_machine()}/{sys.platform}",
        "Golang": "",
    }


def _machine() -> str:
    if hasattr(os, "uname"):
        return os.uname().machine
    import platform  # 4 ms, and only Windows needs it

    return platform.machine()


def identity(
    repo: Repo, fingerprint: str | None, addresses: Sequence[str] = (), protocols: Sequence[str] = ()
) -> dict[str, Any]:
    """Who the repo's node is; where it can be reached and what it speaks is known while it runs.

    `fingerprint` tells its private network, if it is in one.
    """
    peer = repo.identity.peer_id
    return {
        "ID": peer,
        "PublicKey": public_key_text(peer),
        "Addresses": list(addresses),
        "AgentVersion": f"peershelf/{__version__}",
        "Protocols": sorted(protocols),
        **({"SwarmKeyFingerprint": fingerprint} if fingerprint else {}),
    }


def swarm_key_fingerprint(repo: Repo) -> str | None:
    """What tells the private network of a node on the repo; None where it is in none. Raises ConfigError."""
    if not repo.swarm_key_file.exists():
        return None
    from peershelf.node.private_network import read_key  # its cipher takes 50 ms to import

    key = read_key(repo.swarm_key_file)
    return key.fingerprint if key else None


def setting(settings: config.Config, key: str) -> dict[str, Any]:
    """One setting in force, or the tree below a group of them. Raises ConfigError."""
    return {"Key": key, "Value": settings.lookup(key)}


def bootstrap_peers(path: Path) -> dict[str, Any]:
    """The peers to meet first, in the order of the configuration file. Raises ConfigError."""
    return {"Peers": config.list_in_file(path, BOOTSTRAP)}
