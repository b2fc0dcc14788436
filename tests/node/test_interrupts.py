"""Ctrl-C waits for the end of an import; the import system swallowed it now and then, and all went on."""

from __future__ import annotations

import os
import signal
import sys
import threading
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType

import pytest

from peershelf.node import Node
from peershelf.node.interrupts import Uninterrupted


@pytest.fixture(autouse=True)
def the_handler_is_put_back() -> Iterator[None]:
    before = signal.getsignal(signal.SIGINT)
    yield
    assert signal.getsignal(signal.SIGINT) is before


def test_ctrl_c_is_heard_at_the_end() -> None:
    went_on = False
    with pytest.raises(KeyboardInterrupt), Uninterrupted():
        signal.raise_signal(signal.SIGINT)
        went_on = True
    assert went_on


def test_so_it_is_where_another_thread_takes_the_signal() -> None:
    """Blocked in the main thread alone it was still raised there."""
    went_on = False
    thread = threading.Thread(target=lambda: signal.pthread_kill(threading.get_ident(), signal.SIGINT))
    with pytest.raises(KeyboardInterrupt), Uninterrupted():
        thread.start()
        thread.join()
        went_on = True
    assert went_on


def test_who_ignores_it_goes_on_ignoring_it() -> None:
    before = signal.signal(signal.SIGINT, signal.SIG_IGN)
    try:
        with Uninterrupted():
            os.kill(os.getpid(), signal.SIGINT)
    finally:
        signal.signal(signal.SIGINT, before)


def test_in_other_threads_nothing_is_changed() -> None:
    changed = []

    def work() -> None:
        with Uninterrupted():
            changed.append(signal.getsignal(signal.SIGINT))

    thread = threading.Thread(target=work)
    thread.start()
    thread.join()
    assert changed == [signal.getsignal(signal.SIGINT)]


async def test_a_node_that_goes_online_hears_it_when_that_is_imported(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked = []

    class Interrupted(ModuleType):
        def __getattr__(self, name: str) -> object:
            asked.append(name)
            signal.raise_signal(signal.SIGINT)
            return name

    for name in ("peershelf.node.network", "peershelf.node.searching"):
        monkeypatch.setitem(sys.modules, name, Interrupted(name))
    with pytest.raises(KeyboardInterrupt):
        async with Node(tmp_path / "repo"):
            pytest.fail("it went online")
    assert "go_online" in asked
    assert "ProviderSearch" in asked
