"""Kubo 0.43.0, built once by the interop tests and kept in their cache."""

from __future__ import annotations

import importlib
import json
import re
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from bench.process import ProgramFailed, clean_environment
from bench.programs.repo import Repo

_PEERS = Path(__file__).resolve().parents[2] / "interop" / "peers"
PROFILE = "unixfs-v1-2025"


def kubo_program() -> Path:
    """Where `ipfs` is, built now if it never was. Raises ProgramFailed."""
    cache = _interop("peer_cache")
    try:
        return Path(cache.installed(_interop("kubo_peer").RECIPE), "ipfs")
    except cache.PeerUnavailable as error:
        raise ProgramFailed(str(error)) from None


def _interop(module: str) -> Any:
    """A module of the interop tests' peers, which are no package."""
    if str(_PEERS) not in sys.path:
        sys.path.insert(0, str(_PEERS))
    return importlib.import_module(module)


class KuboRepo(Repo):
    """A repo with 1 MiB chunks, loopback TCP only, and no peer that it was not told of.

    Args:
        security: what to offer of "tls" and "noise". Which of both comes first is Kubo's choice.
    """

    name = "kubo"

    def __init__(self, directory: Path, security: Sequence[str] = ("tls", "noise")) -> None:
        self._security = security
        super().__init__(directory)

    @property
    def program(self) -> Path:
        return kubo_program()

    @property
    def environment(self) -> Mapping[str, str]:
        own = {"HOME": str(self.directory), "IPFS_PATH": str(self.path), "IPFS_TELEMETRY": "off"}
        return {**clean_environment(), **own}

    def _initialise(self) -> None:
        self.run("init", "--empty-repo", f"--profile={PROFILE}")
        path = self.path / "config"
        config = json.loads(path.read_text())
        _interop("kubo_peer").isolate(config, self._security)
        path.write_text(json.dumps(config))

    def securities(self) -> list[str]:
        metrics = self.rpc("/debug/metrics/prometheus", "GET").decode()
        opened = [line for line in metrics.splitlines() if line.startswith("libp2p_swarm_connections_opened")]
        found = (re.search(r'security="/?(\w+)', line) for line in opened)
        return sorted({match[1] for match in found if match})
