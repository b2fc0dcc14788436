"""Shows what a tree of many files takes until its directories are written: bytes an entry, and seconds.

    python bench/tree_memory.py            # 1,000,000 files in one directory, and 100 in each of 10,000
    python bench/tree_memory.py --files 100000 --profile unixfs-v0-2015

Each run is a process of its own. Files are entered under names of 21 bytes, not read; blocks are dropped.
"""

from __future__ import annotations

import argparse
import resource
import subprocess
import sys
import time
from pathlib import Path

from peershelf.blockstore.cid import RAW, Cid
from peershelf.blockstore.unixfs.importer import Imported
from peershelf.blockstore.unixfs.profiles import PROFILES
from peershelf.blockstore.unixfs.tree import TreeImporter

MIB = 1 << 20


def run(files: int, each: int, profile: str) -> None:
    """Build one tree and print what it took."""
    tree = TreeImporter(lambda _: None, PROFILES[profile])
    before, start = resident(), time.perf_counter()
    for number in range(files):
        cid = Cid.v1(RAW, b"\x12\x20" + number.to_bytes(32, "big"))
        path = (b"%d" % (number // each), b"file-%012d.txt" % number)
        tree.add_file(path, Imported(cid, 4096, 4096, 1))
    entered, kept = time.perf_counter() - start, resident() - before
    start = time.perf_counter()
    directories = sum(1 for _ in tree.finish())
    finished = time.perf_counter() - start
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024
    print(
        f"{files} files in {directories - 1} directories: {kept / files:.0f} bytes each, peak {peak} MiB; "
        f"entered in {entered:.2f} s, written in {finished:.2f} s"
    )


def resident() -> int:
    """Return the bytes of memory that this process has now (Linux)."""
    return int(Path("/proc/self/statm").read_text().split()[1]) * resource.getpagesize()


def main() -> None:
    parser = argparse.ArgumentParser(description="Measure the memory of a tree that is being imported.")
    parser.add_argument("--files", type=int, default=1_000_000)
    parser.add_argument("--profile", choices=list(PROFILES), default="unixfs-v1-2025")
    parser.add_argument("--each", type=int, help=argparse.SUPPRESS)
    args = parser.parse_args()
    if args.each:
        run(args.files, args.each, args.profile)
        return
    for each in (args.files, 100):
        options = ["--files", str(args.files), "--profile", args.profile, "--each", str(each)]
        subprocess.run([sys.executable, __file__, *options], check=True)


if __name__ == "__main__":
    main()
