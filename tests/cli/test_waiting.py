"""Who waits at a terminal for what nobody sends is told so, once."""

from __future__ import annotations

import os
import pty
import signal
import subprocess
import sys
import threading
from collections.abc import Iterator
from types import ModuleType
from typing import Any

import pytest

from peershelf.blockstore.block import Block

SOON = """
import sys
from peershelf.cli import waiting
from peershelf.cli.start import entry
waiting.SECONDS = 0.2
sys.argv[0] = "peershelf"
entry()
"""
TOLD = (
    "Nobody has sent it yet; still looking (Ctrl-C gives up, `peershelf routing explain CID` says more)\r\n"
)


class Command:
    """A command whose standard error is a terminal."""

    def __init__(self, *words: str, **environment: str) -> None:
        self._controller, terminal = pty.openpty()
        self.process = subprocess.Popen(
            [sys.executable, "-c", SOON, *words],
            stdout=subprocess.PIPE,
            stderr=terminal,
            env={**os.environ, **environment},
        )
        os.close(terminal)

    def shown(self) -> str:
        """The next of what the terminal shows; "" at the end."""
        try:
            return os.read(self._controller, 4096).decode()
        except OSError:
            return ""  # how Linux says that the other end is closed

    def output(self) -> bytes:
        """What it wrote to its end."""
        return self.process.communicate(timeout=20)[0]


@pytest.fixture
def held(daemon: Any, api: ModuleType) -> Iterator[threading.Event]:
    """A daemon that looks for what it is asked for until the event is set."""
    event = threading.Event()
    head = api.head(200, "Transfer-Encoding: chunked")
    daemon.answers["cat"] = api.Answer(api.chunk(b"here") + b"0\r\n\r\n", early=head, waits=event)
    yield event
    event.set()


def test_a_terminal_is_told_and_the_command_goes_on(daemon: Any, held: threading.Event) -> None:
    command = Command("cat", "--progress=false", "bafy", "--api", daemon.address)
    assert command.shown() == TOLD
    held.set()
    assert command.output() == b"here"
    assert command.process.returncode == 0
    assert command.shown() == ""


@pytest.mark.parametrize("words", [["cat"], ["ls"], ["refs"], ["pin", "add"]])
def test_a_command_that_looks_by_itself_tells_too(shelf: Any, words: list[str]) -> None:
    """Without a daemon it looks here first, and that has an alarm of its own."""
    shelf("config", "set", "Routing.Type", "auto")
    command = Command(*words, str(Block.create(b"nobody has this").cid), **shelf.environment)
    assert command.shown() == TOLD
    command.process.send_signal(signal.SIGINT)
    assert command.output() == b""
    assert command.process.returncode == 130


def test_ctrl_c_ends_it_after_that_too(daemon: Any, held: threading.Event) -> None:
    command = Command("cat", "bafy", "--api", daemon.address)
    assert command.shown() == TOLD
    command.process.send_signal(signal.SIGINT)
    assert command.output() == b""
    assert command.process.returncode == 130


def test_what_has_begun_to_come_is_not_spoken_of(daemon: Any, api: ModuleType) -> None:
    never = threading.Event()
    early = api.head(200, "Transfer-Encoding: chunked") + api.chunk(b"first")
    daemon.answers["cat"] = api.Answer(b"", early=early, waits=never)
    command = Command("cat", "--progress=false", "bafy", "--api", daemon.address)
    assert command.process.stdout.read(5) == b"first"
    with pytest.raises(subprocess.TimeoutExpired):
        command.process.wait(0.5)
    command.process.send_signal(signal.SIGINT)
    assert command.shown() == ""
    command.output()
    never.set()


def test_a_dumb_terminal_is_left_alone(daemon: Any, held: threading.Event) -> None:
    command = Command("cat", "bafy", "--api", daemon.address, TERM="dumb")
    with pytest.raises(subprocess.TimeoutExpired):
        command.process.wait(0.7)
    held.set()
    assert command.output() == b"here"
    assert command.shown() == ""
