"""Logging is set up when it is needed, and not before. Each in a process of its own: it is set up once."""

from __future__ import annotations

import subprocess
import sys

import pytest


def run(code: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)


def test_a_node_that_stays_offline_and_has_nothing_to_say_imports_no_structlog(tmp_path) -> None:
    code = f"""
import sys, trio
from peershelf.node import Node

async def main():
    async with Node({str(tmp_path / "repo")!r}, online=False) as node:
        await node.add(b"some bytes")

trio.run(main)
print("structlog" in sys.modules)
"""
    assert run(code).stdout == "False\n"


@pytest.mark.parametrize(("level", "lines"), [("warning", 0), ("info", 1)])
def test_what_was_configured_holds_from_the_first_line_on(level: str, lines: int) -> None:
    code = f"""
from peershelf.node.observe import later
log = later.Logger("peershelf.test")
later.configure({level!r})
log.info("told")
import sys
print("structlog" in sys.modules)
"""
    done = run(code)
    assert done.stdout == f"{lines == 1}\n"
    assert done.stderr.count("told") == lines


def test_what_is_configured_once_something_was_logged_holds_too() -> None:
    code = """
from peershelf.node.observe import later
log = later.Logger("peershelf.test")
later.configure("info")
log.info("first")
later.configure("error")
log.info("second")
"""
    done = run(code)
    assert "first" in done.stderr
    assert "second" not in done.stderr
