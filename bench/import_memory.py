"""Shows that importing takes constant memory: peak RSS of a small and a large import, side by side.

    python bench/import_memory.py                         # 256 MiB and 10 GiB, hashed only and stored
    python bench/import_memory.py --small 64 --large 1024 --mode hash-only

Each run is a process of its own, whose peak is its ru_maxrss, and reads the same synthetic stream. The stored
runs write to a pack store in a temporary directory, which needs the large size in free space. Exits 1 if the
peaks differ by 8 MiB or more.
"""

from __future__ import annotations

import argparse
import json
import resource
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

from peershelf.blockstore.store.pack.store import PackStore
from peershelf.blockstore.unixfs.batch import Sink
from peershelf.blockstore.unixfs.importer import Importer
from peershelf.blockstore.unixfs.profiles import PROFILES, profile_named

MIB = 1024 * 1024
ALLOWED_GROWTH = 8 * MIB


def source(size: int) -> Iterator[bytes]:
    """Yield `size` bytes in new pieces of 1 MiB that all differ."""
    for number in range(size // MIB):
        yield number.to_bytes(8) * (MIB // 8)


def import_once(size: int, mode: str, profile: str, directory: str) -> None:
    """Import into this process and print its peak RSS."""
    if mode == "stored":
        with PackStore.open(Path(directory)) as store:
            report(size, profile, lambda blocks: store.put_many(blocks, durable=False))
    else:
        report(size, profile, lambda _: None)


def report(size: int, profile: str, sink: Sink) -> None:
    start = time.perf_counter()
    with Importer(sink, profile_named(profile)) as importer:
        for piece in source(size):
            importer.write(piece)
        imported = importer.finish()
    seconds = time.perf_counter() - start
    # ru_maxrss counts KiB on Linux and bytes on macOS.
    unit = 1 if sys.platform == "darwin" else 1024
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * unit
    print(json.dumps({"cid": str(imported.cid), "peak": peak, "seconds": seconds}))


def measure(size: int, mode: str, profile: str, scratch: str | None) -> int:
    """Run one import in a process of its own; return its peak RSS in bytes."""
    with tempfile.TemporaryDirectory(dir=scratch) as directory:
        command = [sys.executable, __file__, "--run", str(size // MIB), "--mode", mode, "--profile", profile]
        done = subprocess.run([*command, "--scratch", directory], stdout=subprocess.PIPE, check=True)
    result = json.loads(done.stdout)
    peak, speed = result["peak"] / MIB, size / result["seconds"] / 1e6
    print(f"{mode:9} {size // MIB:6} MiB: peak {peak:6.1f} MiB, {speed:5.0f} MB/s, {result['cid']}")
    return int(result["peak"])


def main() -> int:
    parser = argparse.ArgumentParser(description="Compare the peak RSS of a small and a large import.")
    parser.add_argument("--small", type=int, default=256, help="MiB (default 256)")
    parser.add_argument("--large", type=int, default=10_240, help="MiB (default 10240)")
    parser.add_argument("--mode", choices=["hash-only", "stored", "both"], default="both")
    parser.add_argument("--profile", choices=list(PROFILES), default="unixfs-v1-2025")
    parser.add_argument("--scratch", help="where stored runs keep their temporary directories")
    parser.add_argument("--run", type=int, help=argparse.SUPPRESS)
    args = parser.parse_args()
    if args.run is not None:
        import_once(args.run * MIB, args.mode, args.profile, args.scratch)
        return 0
    growths = []
    for mode in ["hash-only", "stored"] if args.mode == "both" else [args.mode]:
        small, large = (
            measure(size * MIB, mode, args.profile, args.scratch) for size in (args.small, args.large)
        )
        growths.append(large - small)
        print(f"{mode:9} the large import's peak differs by {(large - small) / MIB:+.1f} MiB")
    return int(max(map(abs, growths)) >= ALLOWED_GROWTH)


if __name__ == "__main__":
    raise SystemExit(main())
