"""The command: see scripts/fuzz."""

from __future__ import annotations

import argparse
import logging
import sys

from campaign import main
from targets import TARGETS, target


def command() -> int:
    """Run what the words say; 1 if anything was found."""
    parser = argparse.ArgumentParser(prog="scripts/fuzz", description="Damaged input for every parser.")
    parser.add_argument("parser", nargs="*", help=f"all unless named: {', '.join(TARGETS)}")
    parser.add_argument("--inputs", type=int, default=1_000_000, help="for each parser (1000000)")
    parser.add_argument("--seed", type=int, default=0, help="another one gives other inputs (0)")
    parser.add_argument("--first", type=int, default=0, help="number of the first input, to repeat one")
    asked = parser.parse_args()
    unknown = [name for name in asked.parser if name not in TARGETS]
    if unknown:
        parser.error(f"there is no parser {', '.join(unknown)}")
    logging.disable()
    failed = False
    for name in asked.parser or TARGETS:
        found = main(target(name), asked.seed, range(asked.first, asked.first + asked.inputs))
        print(f"{name}: {found}", *found.failures, sep="\n  ", flush=True)
        failed = failed or bool(found.failures)
    return int(failed)


if __name__ == "__main__":
    sys.exit(command())
