"""Bytes over one stream and nothing else: a libp2p stream of ours, or a plain TCP socket.

usage: stream serve KIND BYTES          KIND libp2p or tcp; prints {"address"}, serves until its input ends
       stream take KIND BYTES ADDRESS   prints {"seconds", "cpu", "security"}
"""

from __future__ import annotations

import json
import resource
import secrets
import socket
import sys
import threading
import time

import trio

from peershelf.node.observe import logs
from peershelf.protocols.libp2p import Libp2pNetwork
from peershelf.protocols.transport import Stream

PROTOCOL = "/peershelf/bench/stream/1.0.0"
_PIECE = bytes(1 << 20)
_READ = 1 << 18


def network() -> Libp2pNetwork:
    """A host on loopback."""
    return Libp2pNetwork(
        private_key=secrets.token_bytes(32), listen=["/ip4/127.0.0.1/tcp/0"], agent="peershelf/bench"
    )


async def serve_libp2p(size: int) -> None:
    """Send `size` bytes down each stream that is opened."""
    host = network()

    async def send(stream: Stream) -> None:
        for _ in range(size // len(_PIECE)):
            await stream.send_all(_PIECE)
        await stream.aclose()

    host.handle([PROTOCOL], send)
    async with trio.open_nursery() as nursery:
        await nursery.start(host.run)
        print(json.dumps({"address": host.addresses()[0]}), flush=True)
        await trio.to_thread.run_sync(sys.stdin.read, abandon_on_cancel=True)
        nursery.cancel_scope.cancel()


async def take_libp2p(size: int, address: str) -> None:
    """Read one stream to its end."""
    host = network()
    async with trio.open_nursery() as nursery:
        await nursery.start(host.run)
        peer = await host.connect(address)
        security = ", ".join(sorted({one.security for one in host.connections()}))
        before, start, got = _cpu(), time.perf_counter(), 0
        stream = await host.open_stream(peer, [PROTOCOL])
        while data := await stream.receive_some(_READ):
            got += len(data)
        _report(start, before, got == size, security)
        await stream.aclose()
        nursery.cancel_scope.cancel()


def serve_tcp(size: int) -> None:
    """The same with sockets."""
    listener = socket.create_server(("127.0.0.1", 0))

    def accept() -> None:
        while True:
            peer, _ = listener.accept()
            with peer:
                for _ in range(size // len(_PIECE)):
                    peer.sendall(_PIECE)

    threading.Thread(target=accept, daemon=True).start()
    print(json.dumps({"address": str(listener.getsockname()[1])}), flush=True)
    sys.stdin.read()


def take_tcp(size: int, port: int) -> None:
    """Read one socket to its end."""
    before, start, got = _cpu(), time.perf_counter(), 0
    buffer = bytearray(_READ)
    with socket.create_connection(("127.0.0.1", port)) as peer:
        while count := peer.recv_into(buffer):
            got += count
    _report(start, before, got == size, "plain")


def _report(start: float, cpu_before: float, complete: bool, security: str) -> None:
    if not complete:
        sys.exit("the stream ended early")
    figures = {"seconds": time.perf_counter() - start, "cpu": _cpu() - cpu_before, "security": security}
    print(json.dumps(figures), flush=True)


def _cpu() -> float:
    usage = resource.getrusage(resource.RUSAGE_SELF)
    return usage.ru_utime + usage.ru_stime


def main(role: str, kind: str, size: int, *address: str) -> None:
    """Be one side of one kind."""
    logs.use_standard_module()  # structlog by itself would print to standard output
    match role, kind:
        case "serve", "libp2p":
            trio.run(serve_libp2p, size)
        case "take", "libp2p":
            trio.run(take_libp2p, size, address[0])
        case "serve", "tcp":
            serve_tcp(size)
        case "take", "tcp":
            take_tcp(size, int(address[0]))
        case _:
            sys.exit(__doc__)


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2], int(sys.argv[3]), *sys.argv[4:])
