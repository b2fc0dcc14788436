from __future__ import annotations

import os
import pty
import subprocess
import threading
from collections.abc import Callable
from pathlib import Path
from types import ModuleType, SimpleNamespace
from typing import Any

import pytest

from peershelf.cli.progress import Progress

Launch = Callable[..., subprocess.Popen[bytes]]


class Terminal:
    """Stands for standard error on a terminal."""

    def __init__(self) -> None:
        self.text = ""

    def isatty(self) -> bool:
        return True

    def fileno(self) -> int:
        raise OSError

    def write(self, text: str) -> None:
        self.text += text

    def flush(self) -> None:
        pass


@pytest.fixture
def terminal(monkeypatch: pytest.MonkeyPatch) -> Terminal:
    fake = Terminal()
    monkeypatch.setenv("TERM", "xterm")
    monkeypatch.setattr("peershelf.cli.progress.sys", SimpleNamespace(stderr=fake))
    return fake


@pytest.fixture
def columns(monkeypatch: pytest.MonkeyPatch, terminal: Terminal) -> Callable[[int], None]:
    """Sets how wide the terminal says it is."""

    def claim(count: int) -> None:
        monkeypatch.setattr(terminal, "fileno", lambda: 2)
        monkeypatch.setattr("os.get_terminal_size", lambda _: os.terminal_size((count, 24)))

    return claim


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """The time in seconds; a test sets it."""
    now = [0.0]
    monkeypatch.setattr("time.monotonic", lambda: now[0])
    return now


def test_a_bar_shows_share_speed_and_rest(terminal: Terminal, clock: list[float]) -> None:
    progress = Progress(enabled=True, total=100 << 20)
    clock[0] = 2.0
    progress.update(50 << 20)
    assert "50.0 MiB / 100.0 MiB [==========>         ]  50%  25.0 MiB/s  0:02" in terminal.text
    assert len(terminal.text.removeprefix("\r").removesuffix("\x1b[K")) < 80


@pytest.mark.parametrize(
    ("count", "shown"),
    [
        (0, " 50.0 MiB / 100.0 MiB [==========>         ]  50%  25.0 MiB/s  0:02 left"),
        (60, " 50.0 MiB / 100.0 MiB  50%  0:02 left"),
        (20, "  50%"),
        (4, "  5"),
    ],
)
def test_a_narrow_terminal_is_shown_less_and_one_that_knows_no_width_all(
    terminal: Terminal, columns: Callable[[int], None], clock: list[float], count: int, shown: str
) -> None:
    columns(count)
    progress = Progress(enabled=True, total=100 << 20)
    clock[0] = 2.0
    progress.update(50 << 20)
    assert terminal.text == f"\r{shown}\x1b[K"


def test_without_a_total_there_is_no_bar(terminal: Terminal, clock: list[float]) -> None:
    progress = Progress(enabled=True)
    clock[0] = 1.0
    progress.update(1 << 20)
    assert terminal.text == "\r 1.0 MiB  1.0 MiB/s\x1b[K"


def test_it_is_redrawn_ten_times_a_second_at_most_and_cleared(terminal: Terminal, clock: list[float]) -> None:
    progress = Progress(enabled=True, total=10)
    progress.clear()
    for clock[0] in (0.01, 0.02, 0.11, 0.12, 0.2):
        progress.update(5)
    assert terminal.text.count("\r") == 1
    progress.clear()
    progress.clear()
    assert terminal.text.endswith("\x1b[K\r\x1b[K")


def test_the_last_word_of_one_who_tells_at_this_pace_is_shown(terminal: Terminal, clock: list[float]) -> None:
    progress = Progress(enabled=True)
    for clock[0], done in ((0.05, 1), (0.11, 2), (0.2, 3)):
        progress.told(done << 20)
    assert [line.split("  ")[0] for line in terminal.text.split("\r")] == ["", " 2.0 MiB", " 3.0 MiB"]


def test_more_than_the_total_is_shown_as_whole(terminal: Terminal, clock: list[float]) -> None:
    progress = Progress(enabled=True, total=10)
    clock[0] = 1.0
    progress.update(20)
    assert "100%" in terminal.text


def test_a_disabled_one_draws_nothing(terminal: Terminal, clock: list[float]) -> None:
    progress = Progress(enabled=False, total=10)
    clock[0] = 1.0
    progress.update(5)
    progress.clear()
    assert terminal.text == ""


def add_on_a_terminal(
    launch: Launch, api: ModuleType, daemon: Any, file: Path, *words: str
) -> tuple[str, str]:
    """Standard output and what a terminal at standard error shows."""
    ready = threading.Event()
    early = api.head(200, "Transfer-Encoding: chunked") + api.chunk(b'{"Name":"f","Bytes":2}\n')
    late = api.chunk(b'{"Name":"f","Bytes":4}\n{"Name":"f","Hash":"bafy","Size":"4"}\n') + b"0\r\n\r\n"
    daemon.answers["add"] = api.Answer(late, early=early, waits=ready)
    threading.Timer(0.3, ready.set).start()
    controller, terminal = pty.openpty()
    process = launch(["add", file, "--api", daemon.address, *words], stdout=subprocess.PIPE, stderr=terminal)
    os.close(terminal)
    out, _ = process.communicate(timeout=20)
    shown = b""
    try:
        while piece := os.read(controller, 4096):
            shown += piece
    except OSError:
        pass  # how Linux says that the other end is closed
    os.close(controller)
    return out.decode(), shown.decode()


def test_add_shows_a_bar_on_a_terminal_and_takes_it_away(
    launch: Launch, api: ModuleType, daemon: Any, tmp_path: Path
) -> None:
    (tmp_path / "f").write_bytes(b"1234")
    out, shown = add_on_a_terminal(launch, api, daemon, tmp_path / "f")
    assert out == "added bafy f\n"
    assert "4 B / 4 B" in shown
    assert shown.endswith("\r\x1b[K")
    assert daemon.last.options["progress"] == "true"


@pytest.mark.parametrize("word", ["--progress=false", "-q", "-Q", "--json"])
def test_add_shows_no_bar_where_none_is_wanted(
    launch: Launch, api: ModuleType, daemon: Any, tmp_path: Path, word: str
) -> None:
    (tmp_path / "f").write_bytes(b"1234")
    assert add_on_a_terminal(launch, api, daemon, tmp_path / "f", word)[1] == ""
    assert daemon.last.options["progress"] == "false"


def test_a_terminal_that_knows_no_cursor_gets_no_bar(
    terminal: Terminal, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TERM", "dumb")
    assert not Progress(enabled=True, total=10).enabled
