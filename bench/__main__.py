"""`python -m bench`: runs rows, prints the table, writes the JSON."""

from __future__ import annotations

import argparse
import json
import shutil
import signal
import sys
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from bench.bench import Bench, Options, one_line
from bench.machine import describe, load
from bench.results import Result, Verdict, failed
from bench.rows.registry import ROWS
from bench.rows.row import Row
from bench.sink import Sink
from bench.table import as_json, render, tally

_QUICK_SPACE = 1.5
_SHARED_MEMORY = Path("/dev/shm")
_LARGEST_OUTPUT = 4 << 30


def main() -> int:
    """Run the bench; the exit code is 1 if any row failed, 2 for a wrong call, 130 after Ctrl-C."""
    parser = _parser()
    arguments = parser.parse_args()
    if arguments.list:
        print("\n".join(f"{row.name:16} {row.work} ({row.space:g} GB)" for row in ROWS))
        return 0
    known = {row.name: row for row in ROWS}
    if unknown := [name for name in arguments.rows if name not in known]:
        parser.error(f"no row is called {', '.join(unknown)}; --list shows them all")
    rows = [known[name] for name in arguments.rows] or list(ROWS)
    if complaint := _no_space(arguments.work, rows, quick=arguments.quick):
        parser.error(complaint)
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    return _run(arguments, rows)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m bench", description="Measure peershelf beside Kubo.")
    parser.add_argument(
        "--rows", nargs="+", default=[], metavar="NAME", help="only these rows, in this order"
    )
    parser.add_argument("--list", action="store_true", help="list the rows")
    parser.add_argument("--repeats", type=_positive, metavar="N", help="rounds of each row (default 3)")
    parser.add_argument("--quick", action="store_true", help="small sizes and one round: does it work?")
    parser.add_argument("--json", type=Path, metavar="FILE", help="write every sample there")
    parser.add_argument(
        "--work", type=Path, metavar="DIR", help="where to write (default: a temporary place)"
    )
    parser.add_argument(
        "--kubo-security", choices=("noise", "tls"), help="let Kubo offer this alone (default: both)"
    )
    return parser


def _positive(text: str) -> int:
    number = int(text)
    if number < 1:
        raise ValueError
    return number


def _no_space(work: Path | None, rows: Sequence[Row], *, quick: bool) -> str | None:
    place = work or Path(tempfile.gettempdir())
    needed = _QUICK_SPACE if quick else max(row.space for row in rows)
    free = shutil.disk_usage(place).free / 1e9 if place.is_dir() else 0.0
    if not place.is_dir():
        return f"{place} is no directory"
    return f"{place} has {free:.1f} GB free and {needed:g} are needed" if free < needed else None


def _run(arguments: argparse.Namespace, rows: Sequence[Row]) -> int:
    repeats = arguments.repeats or (1 if arguments.quick else 3)
    security = (arguments.kubo_security,) if arguments.kubo_security else ("tls", "noise")
    results: list[Result] = []
    with tempfile.TemporaryDirectory(prefix="bench-", dir=arguments.work) as work:
        options = Options(Path(work), repeats, arguments.quick, security)
        sink = Sink(_sink_folder(Path(work)) / Path(work).name)
        bench = Bench(options, sink)
        about = describe(options)
        _print_head(about)
        started = time.monotonic()
        try:
            interrupted = _run_rows(bench, rows, results)
        finally:
            sink.remove()
    about["took"] = f"{time.monotonic() - started:.0f} s"
    about["load after"] = load()
    _report(results, about, bench.log, arguments.json, interrupted)
    if interrupted:
        return 130
    return int(any(result.verdict is Verdict.FAIL for result in results))


def _sink_folder(work: Path) -> Path:
    """Memory where there is enough of it: a disk would be measured with every command."""
    roomy = _SHARED_MEMORY.is_dir() and shutil.disk_usage(_SHARED_MEMORY).free > 2 * _LARGEST_OUTPUT
    return _SHARED_MEMORY if roomy else work


def _run_rows(bench: Bench, rows: Sequence[Row], results: list[Result]) -> bool:
    """Run all rows; returns whether somebody stopped them."""
    for row in rows:
        try:
            with bench.row(row.name):
                for result in row.run(bench):
                    results.append(result)
        except KeyboardInterrupt:
            bench.interrupted = True
        except Exception as error:
            results.append(failed(row.name, row.work, one_line(error)))
        if bench.interrupted:
            print("stopped: this is what was measured until now", file=sys.stderr)
            break
    return bench.interrupted


def _print_head(about: dict[str, str]) -> None:
    for name, value in about.items():
        print(f"{name:10} {value}")
    print(flush=True)


def _report(
    results: Sequence[Result],
    about: dict[str, str],
    log: Sequence[dict[str, Any]],
    path: Path | None,
    interrupted: bool,
) -> None:
    print(render(results) if results else "nothing was measured")
    print(f"\n{tally(results)}; took {about['took']}, load now {about['load after']}")
    if interrupted:
        print("interrupted: rows are missing, and the last one may be short of samples")
    if path is not None:
        everything = {
            "about": about,
            "interrupted": interrupted,
            "results": [as_json(result) for result in results],
            "samples": list(log),
        }
        path.write_text(json.dumps(everything, indent=1, ensure_ascii=False) + "\n")


if __name__ == "__main__":
    sys.exit(main())
