"""One stream of bytes, without blocks, store or hashes: ours against a plain TCP socket."""

from __future__ import annotations

import json
from collections.abc import Iterator
from functools import partial

from bench.bench import MIB, Bench
from bench.process import Background
from bench.results import Result
from bench.rows.row import Row

LIBP2P, TCP = "libp2p", "tcp"


def one_stream(bench: Bench) -> Iterator[Result]:
    """The same bytes through both, between two processes."""
    size = bench.size(1024, 32)

    def take(kind: str, server: Background, address: str) -> dict[str, float]:
        before = server.cpu()
        answer = json.loads(bench.run_worker("stream", "take", kind, str(size), address).text)
        megabytes = size / 1e6
        return {
            "MB/s": megabytes / answer["seconds"],
            "MB/CPU-s from": megabytes / max(server.cpu() - before, 0.01),
            "MB/CPU-s to": megabytes / max(answer["cpu"], 0.01),
        }

    contenders = {}
    for kind in (LIBP2P, TCP):
        server = bench.worker("stream", "serve", kind, str(size))
        address = json.loads(server.wait_for('"address"'))["address"]
        contenders[kind] = partial(take, kind, server, address)
    measured = bench.take_turns(contenders)
    for figure, work, unit in (
        ("MB/s", f"{size // MIB} MiB over one stream, bytes only", "MB/s"),
        ("MB/CPU-s from", "… MB per CPU second of the sender", "MB/CPU-s"),
        ("MB/CPU-s to", "… MB per CPU second of the receiver", "MB/CPU-s"),
    ):
        ours, plain = measured.series(LIBP2P, figure), measured.series(TCP, figure, "TCP socket")
        yield Result("stream", work, unit, ours, plain)


ROWS = (Row("stream", "one stream of bytes against a plain TCP socket", one_stream),)
