"""What the run was done with: versions, settings, cores and load. It stands above the table."""

from __future__ import annotations

import hashlib
import os
import platform
import sys
import time
from collections.abc import Callable
from importlib import metadata
from pathlib import Path

from bench.bench import Options, one_line
from bench.process import clean_environment, run_command
from bench.programs.kubo import PROFILE, kubo_program
from bench.programs.repo import program_on_path

_PIECE = os.urandom(1 << 20)  # zeros are no work for some disks
_PROBE_PIECES = 256


def describe(options: Options) -> dict[str, str]:
    """The head of the report, in its order."""
    return {
        "machine": f"{_cores()} cores ({_model()}), {_memory()}, {platform.system()} {platform.release()}",
        "load": load(),
        "speed": f"disk {_disk(options.work):.0f} MB/s with a sync, SHA-256 {_hashing():.0f} MB/s on a core",
        "peershelf": _or_reason(_ours),
        "kubo": _or_reason(_kubo),
        "libtorrent": _or_reason(lambda: metadata.version("libtorrent")),
        "python": f"{platform.python_version()}, {sys.executable}",
        "settings": _settings(options),
    }


def _settings(options: Options) -> str:
    rounds = f"{options.repeats} rounds, medians, sync before each run"
    kubo = f"Kubo: {PROFILE}, loopback TCP, offers {' and '.join(options.kubo_security)}"
    ours = "peershelf: profile test, 1 MiB chunks"
    size = "; QUICK: small sizes, the figures mean nothing" if options.quick else ""
    return f"{rounds}; {ours}; {kubo}; work in {options.work}{size}"


def _ours() -> str:
    program = program_on_path("peershelf")
    return f"{run_command([program, 'version'], clean_environment()).text}, {program}"


def _kubo() -> str:
    program = kubo_program()
    return f"{run_command([program, 'version'], clean_environment()).text}, {program}"


def _or_reason(describe_program: Callable[[], str]) -> str:
    try:
        return describe_program()
    except Exception as error:
        return f"missing: {one_line(error)}"


def _cores() -> int:
    return len(os.sched_getaffinity(0))


def _disk(folder: Path) -> float:
    """What a durable write can reach at most, so that figures of two machines can be compared."""
    path = folder / "disk"
    start = time.perf_counter()
    with path.open("wb", buffering=0) as file:
        for _ in range(_PROBE_PIECES):
            file.write(_PIECE)
        os.fsync(file.fileno())
    seconds = time.perf_counter() - start
    path.unlink()
    return _PROBE_PIECES * len(_PIECE) / 1e6 / seconds


def _hashing() -> float:
    digest = hashlib.sha256()
    start = time.perf_counter()
    for _ in range(_PROBE_PIECES):
        digest.update(_PIECE)
    return _PROBE_PIECES * len(_PIECE) / 1e6 / (time.perf_counter() - start)


def _model() -> str:
    lines = Path("/proc/cpuinfo").read_text().splitlines()
    return next(
        (line.partition(":")[2].strip() for line in lines if line.startswith("model name")), "unknown"
    )


def _memory() -> str:
    line = Path("/proc/meminfo").read_text().splitlines()[0]
    return f"{int(line.split()[1]) / (1 << 20):.0f} GiB of memory"


def load() -> str:
    """The load averages of the last minute, five and fifteen."""
    return " ".join(f"{value:.2f}" for value in os.getloadavg())
