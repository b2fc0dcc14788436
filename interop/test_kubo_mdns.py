"""Kubo and our node find each other by multicast DNS, on a network with nobody else.

That network is the loopback interface of a network namespace. The one outside would have other people's
nodes on it, and Kubo passes over interfaces that do not say they take multicast.
"""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

# A namespace for users too, so that it takes no root.
UNSHARE = ["unshare", "--user", "--map-root-user", "--net", "sh", "-c"]
SET_UP = "ip link set lo up multicast on && ip route add 224.0.0.0/4 dev lo"
TESTS = Path(__file__).with_name("mdns_on_a_lan.py")


def on_a_lan(*command: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [*UNSHARE, f'{SET_UP} && exec "$@"', "sh", *command], capture_output=True, text=True, check=False
    )


@pytest.fixture
def a_lan() -> None:
    try:
        problem = on_a_lan("true").stderr
    except FileNotFoundError as error:
        problem = str(error)
    if problem:
        refuse = pytest.fail if os.environ.get("CI") else pytest.skip
        refuse(f"no network namespace to be had (needs Linux, util-linux and iproute2): {problem}")


def test_on_a_network_of_their_own(a_lan, kubo):
    done = on_a_lan(sys.executable, "-m", "pytest", "-p", "no:cacheprovider", str(TESTS))
    assert done.returncode == 0, done.stdout + done.stderr
    assert " passed" in done.stdout
    assert "skipped" not in done.stdout
