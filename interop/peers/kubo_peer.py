"""Kubo, the IPFS node in Go: how it is built, and one running daemon of it."""

from __future__ import annotations

import json
import os
import subprocess
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import trio
from peer_cache import INTEROP, Recipe, copy_inputs, installed, run_tool
from peer_process import PeerFailed, PeerProcess

_INPUTS = tuple(INTEROP / "kubo" / name for name in ("go.mod", "go.sum", "tools.go"))
_PROGRAM = "ipfs"
START_TIMEOUT = 30.0
COMMAND_TIMEOUT = 90.0


def _build(directory: Path) -> None:
    copy_inputs(_INPUTS, directory)
    run_tool(
        ["go", "build", "-trimpath", "-o", _PROGRAM, "github.com/ipfs/kubo/cmd/ipfs"],
        directory,
        GOFLAGS="-mod=readonly -buildvcs=false",
    )


RECIPE = Recipe(name="kubo", tool="go", inputs=_INPUTS, build=_build)


async def run_ipfs(repo: Path, *arguments: str, data: bytes | None = None) -> bytes:
    """Run one `ipfs` command on `repo`, or with --api on any node's API; return what it printed.

    Raises PeerFailed with the command's own words.
    """
    shown = f"ipfs {' '.join(arguments)}"
    with trio.move_on_after(COMMAND_TIMEOUT):
        done = await trio.run_process(
            [str(installed(RECIPE) / _PROGRAM), *arguments],
            env=_environment(repo),
            stdin=data if data is not None else subprocess.DEVNULL,
            capture_stdout=True,
            capture_stderr=True,
            check=False,
        )
        if done.returncode:
            raise PeerFailed(f"{shown}: {done.stderr.decode(errors='replace').strip()}")
        return done.stdout
    raise PeerFailed(f"{shown}: no end after {COMMAND_TIMEOUT:.0f} s")


def _environment(repo: Path) -> dict[str, str]:
    kept = {name: os.environ[name] for name in ("PATH", "HOME", "TMPDIR") if name in os.environ}
    return {**kept, "IPFS_PATH": str(repo), "IPFS_TELEMETRY": "off"}


class Kubo:
    """A Kubo daemon on loopback that knows nobody: no bootstrap, no mDNS, no routing, no relay.

    Args:
        directory: empty; becomes its repo.
        profile: import profile for `ipfs add`, such as unixfs-v1-2025; None for Kubo's default.
        security: secure channels that it offers, of "noise" and "tls".
        configure: changes the configuration, as read from JSON, before the daemon starts.
        swarm_key: the content of its swarm.key; it is in that private network then, or does not start.
    """

    def __init__(
        self,
        directory: Path,
        *,
        profile: str | None = None,
        security: Sequence[str] = ("noise", "tls"),
        configure: Callable[[dict[str, Any]], None] | None = None,
        swarm_key: bytes | None = None,
    ) -> None:
        self._repo = directory / "kubo"
        self._profile = profile
        self._security = security
        self._configure = configure
        self._swarm_key = swarm_key
        self._daemon: PeerProcess | None = None
        self.peer_id = ""
        self.addresses: list[str] = []

    @property
    def address(self) -> str:
        """Where its libp2p host can be dialed over TCP, with the peer ID; WebSocket if that is all."""
        return self.addresses[0]

    @property
    def api(self) -> str:
        """The multiaddr of its RPC API."""
        return (self._repo / "api").read_text().strip()

    @property
    def gateway(self) -> str:
        """The URL of its gateway."""
        return (self._repo / "gateway").read_text().strip()

    @property
    def log(self) -> str:
        """What its daemon has written so far."""
        return (self._repo / "daemon.log").read_text(errors="replace")

    async def start(self) -> None:
        """Make the repo unless it is there, and run the daemon until stop()."""
        if not self._repo.exists():
            await self._initialise()
        log = self._repo / "daemon.log"
        log.unlink(missing_ok=True)
        environment = _environment(self._repo)
        if self._swarm_key is not None:
            environment["LIBP2P_FORCE_PNET"] = "1"
        self._daemon = PeerProcess([installed(RECIPE) / _PROGRAM, "daemon"], environment, log)
        await self._daemon.wait_for_log("Daemon is ready", START_TIMEOUT)
        identity = json.loads(await self.cli("id"))
        self.peer_id = identity["ID"]
        over_tcp = [one for one in identity["Addresses"] if "/tcp/" in one]
        self.addresses = sorted(over_tcp, key=lambda address: "/ws" in address)

    def stop(self) -> None:
        """Stop the daemon; the repo stays."""
        if self._daemon is not None:
            self._daemon.stop()
            self._daemon = None

    async def cli(self, *arguments: str, data: bytes | None = None) -> str:
        """Run one `ipfs` command against the daemon; return what it printed, stripped. Raises PeerFailed."""
        return (await self.cli_bytes(*arguments, data=data)).decode().strip()

    async def cli_bytes(self, *arguments: str, data: bytes | None = None) -> bytes:
        """The same, for output that is not text."""
        return await run_ipfs(self._repo, *arguments, data=data)

    async def add(self, path: Path, *options: str) -> str:
        """Add a file; return its CID."""
        return await self.cli("add", "--quieter", *options, str(path))

    async def cat(self, cid: str) -> bytes:
        """Return a file's bytes, fetched from its peers if need be."""
        return await self.cli_bytes("cat", cid)

    async def connect(self, address: str) -> None:
        """Dial a peer."""
        await self.cli("swarm", "connect", address)

    async def peers(self) -> list[str]:
        """Return the IDs of the peers it is connected to."""
        lines = (await self.cli("swarm", "peers")).splitlines()
        return [line.rpartition("/p2p/")[2] for line in lines]

    async def _initialise(self) -> None:
        profile = [f"--profile={self._profile}"] if self._profile else []
        await self.cli("init", "--empty-repo", *profile)
        path = self._repo / "config"
        config = json.loads(path.read_text())
        isolate(config, self._security)
        if self._configure is not None:
            self._configure(config)
        if self._swarm_key is not None:
            config["Swarm"]["Transports"]["Network"] = {"Websocket": False}
            (self._repo / "swarm.key").write_bytes(self._swarm_key)
        path.write_text(json.dumps(config))


def isolate(config: dict[str, Any], security: Sequence[str]) -> None:
    """Loopback only, and no peer that it was not told of."""
    config["Bootstrap"] = []
    config["AutoTLS"] = {"Enabled": False}
    config["AutoConf"] = {"Enabled": False}
    config["DNS"] = {"Resolvers": {}}
    config["Routing"] = {"Type": "none", "DelegatedRouters": []}
    config["Ipns"]["DelegatedPublishers"] = []
    config["Provide"] = {"Enabled": False}
    config["Discovery"]["MDNS"]["Enabled"] = False
    config["Plugins"] = {"Plugins": {"telemetry": {"Disabled": True}}}
    config["Swarm"]["DisableNatPortMap"] = True
    config["Swarm"]["RelayClient"] = {"Enabled": False}
    offered = {name: None if name.lower() in security else False for name in ("TLS", "Noise")}
    config["Swarm"]["Transports"] = {
        "Network": {},
        "Multiplexers": {},
        "Security": {name: setting for name, setting in offered.items() if setting is not None},
    }
    loopback = "/ip4/127.0.0.1/tcp/0"
    config["Addresses"].update(Swarm=[loopback], API=loopback, Gateway=loopback)
