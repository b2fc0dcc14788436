"""The daemon: a node online, its local API, and a clean end."""

from __future__ import annotations

import signal
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

import structlog
import trio

from peershelf.node import durable
from peershelf.node.api import Node
from peershelf.node.errors import ConfigError
from peershelf.node.http.rpc import build_app
from peershelf.node.http.server import HttpServer
from peershelf.node.observe import logs
from peershelf.node.operations.table import OPERATIONS
from peershelf.node.repo import Repo
from peershelf.node.settings import Value
from peershelf.node.tasks import single_error

log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class Ready:
    """What a daemon says once it can be used."""

    peer_id: str
    addresses: list[str]
    """Where peers reach it."""
    api: str
    """The multiaddr of its local API."""
    routing: str
    """The multiaddr of the routing API that it serves; empty for none."""
    swarm_key_fingerprint: str | None
    """Of the private network that it is in; None where it is in none."""


async def run(
    repo: Path, on_ready: Callable[[Ready], None], *, settings: Mapping[str, Value] | None = None
) -> None:
    """Run until SIGINT, SIGTERM, SIGHUP or a shutdown request, then end every connection and sync the store.

    SIGHUP is a terminal that closes; where it is ignored (nohup) it stays so.

    Makes the repo where there is none. `on_ready` is called once, when peers and commands can connect.
    Raises what entering a Node raises, and ServerError if the API's address cannot be had.
    """
    config = Repo.load_or_init(repo).config.overridden(settings or {})
    # Before anything else: py-libp2p would set up the standard module's logging its own way.
    logs.configure(config.text("Log.Level"), "json" if config.text("Log.Format") == "json" else "console")
    with single_error():
        async with trio.open_nursery() as nursery:
            await nursery.start(_end_on_signal, nursery.cancel_scope)
            async with Node(repo, settings=settings) as node:
                await _run(node, on_ready)
            nursery.cancel_scope.cancel()


async def _run(node: Node, on_ready: Callable[[Ready], None]) -> None:
    async with trio.open_nursery() as nursery:
        nursery.start_soon(_end_on_request, node, nursery.cancel_scope)
        await _serve(node, nursery, on_ready)


async def _serve(node: Node, nursery: trio.Nursery, on_ready: Callable[[Ready], None]) -> None:
    address = node.repo.config.text("Addresses.API")
    server = HttpServer(build_app(node, OPERATIONS), address, unix_socket=node.repo.api_socket)
    api: str = await nursery.start(server.run)
    routing = await _serve_routing(node, nursery)
    durable.write_file(node.repo.api_file, f"{api}\n".encode())
    try:
        key = node.swarm_key_fingerprint()
        on_ready(Ready(node.repo.identity.peer_id, node.addresses(), api, routing, key))
        await trio.sleep_forever()
    finally:
        node.repo.api_file.unlink(missing_ok=True)


async def _serve_routing(node: Node, nursery: trio.Nursery) -> str:
    """Serve the routing API if it has an address; returns that. Raises ConfigError, ServerError."""
    address = node.repo.config.text("Addresses.Routing")
    if not address:
        return ""
    from peershelf.node.routing_api import build_routing_app

    router = node.online.routing.own()
    if not router.parts:
        raise ConfigError(
            "Addresses.Routing needs the DHT: set Routing.Type to auto, or Addresses.Routing to an empty text"
        )
    server = HttpServer(build_routing_app(router), address, "Addresses.Routing", for_strangers=True)
    bound: str = await nursery.start(server.run)
    return bound


async def _end_on_signal(
    scope: trio.CancelScope, *, task_status: trio.TaskStatus[None] = trio.TASK_STATUS_IGNORED
) -> None:
    hangup = [signal.SIGHUP] if signal.getsignal(signal.SIGHUP) is signal.SIG_DFL else []
    with trio.open_signal_receiver(signal.SIGINT, signal.SIGTERM, *hangup) as signals:
        task_status.started()
        async for number in signals:
            log.info("ending", signal=signal.Signals(number).name)
            scope.cancel()
            return


async def _end_on_request(node: Node, scope: trio.CancelScope) -> None:
    await node.shutdown_requested.wait()
    # The answer to the request itself is still on its way out; the server waits for it when it is cancelled.
    log.info("ending", reason="shutdown was asked for")
    scope.cancel()
