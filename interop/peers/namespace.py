"""Networks of their own: a network namespace, in which only a test and the nodes that it starts are."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

import pytest

# A namespace for users too, so that it takes no root; where that is not allowed, root needs none.
_WAYS = (["unshare", "--user", "--map-root-user", "--net"], ["unshare", "--net"])


def run_tests(tests: Path, set_up: str) -> None:
    """Run the tests in a file on a network that the shell commands `set_up` have made."""
    problem = ""
    for way in _WAYS:
        try:
            problem = _run(way, set_up, "true").stderr
        except FileNotFoundError as error:
            problem = str(error)
        if not problem:
            break
    else:
        refuse = pytest.fail if os.environ.get("CI") else pytest.skip
        refuse(f"no network namespace to be had (needs Linux, util-linux and iproute2): {problem}")
    done = _run(way, set_up, sys.executable, "-m", "pytest", "-p", "no:cacheprovider", str(tests))
    assert done.returncode == 0, done.stdout + done.stderr
    assert " passed" in done.stdout
    assert "skipped" not in done.stdout


def _run(way: Sequence[str], set_up: str, *command: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [*way, "sh", "-c", f'{set_up} && exec "$@"', "sh", *command],
        capture_output=True,
        text=True,
        check=False,
    )
