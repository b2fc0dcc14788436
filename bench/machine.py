"""What the run was done with: versions, settings, cores and load. It stands above the table."""

from __future__ import annotations

import os
import platform
import sys
from collections.abc import Callable
from importlib import metadata
from pathlib import Path

from bench.bench import Options, one_line
from bench.process import clean_environment, run_command
from bench.programs.kubo import PROFILE, kubo_program
from bench.programs.repo import program_on_path


def describe(options: Options) -> dict[str, str]:
    """The head of the report, in its order."""
    return {
        "machine": f"{_cores()} cores, {_memory()}, {platform.system()} {platform.release()}",
        "load": _load(),
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


def _memory() -> str:
    line = Path("/proc/meminfo").read_text().splitlines()[0]
    return f"{int(line.split()[1]) / (1 << 20):.0f} GiB of memory"


def _load() -> str:
    return " ".join(f"{value:.2f}" for value in os.getloadavg())
