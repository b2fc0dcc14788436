"""Processes that never outlive the tests, whatever becomes of these."""

from __future__ import annotations

import contextlib
import ctypes
import os
import signal
import subprocess
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import IO

import trio

STOP_TIMEOUT = 10.0
_PR_SET_PDEATHSIG = 1
_LIBC = ctypes.CDLL(None) if sys.platform == "linux" else None


class PeerFailed(Exception):
    """A peer's program ended, or did not do in time what was asked."""


class PeerProcess:
    """One running program in a process group of its own; its standard error goes to a file.

    Start it from the main thread: the kernel kills it when that thread's process dies, even by SIGKILL.
    """

    def __init__(
        self, command: Sequence[str | Path], environment: Mapping[str, str], log: Path, *, pipes: bool = False
    ) -> None:
        self.log = log
        pipe = subprocess.PIPE if pipes else None
        with log.open("ab") as errors:
            self._process = subprocess.Popen(
                [str(part) for part in command],
                env=dict(environment),
                stdin=pipe or subprocess.DEVNULL,
                stdout=pipe or errors,
                stderr=errors,
                start_new_session=True,
                preexec_fn=_die_with_parent,
            )

    @property
    def pipes(self) -> tuple[IO[bytes], IO[bytes]]:
        """Standard input and output, where they were asked for."""
        stdin, stdout = self._process.stdin, self._process.stdout
        assert stdin is not None
        assert stdout is not None
        return stdin, stdout

    async def wait_for_log(self, text: str, timeout: float) -> None:
        """Wait until the program has written `text`. Raises PeerFailed with the end of its log."""
        with trio.move_on_after(timeout):
            while text.encode() not in self.log.read_bytes():
                if self._process.poll() is not None:
                    raise self.failure(f"ended with {self._process.returncode}")
                await trio.sleep(0.02)
            return
        raise self.failure(f"did not write {text!r} within {timeout:.0f} s")

    def failure(self, what: str) -> PeerFailed:
        """Return an error that quotes the end of the log."""
        tail = self.log.read_text(errors="replace")[-2_000:]
        return PeerFailed(f"{Path(str(self._process.args[0])).name} {what}; its log ends:\n{tail}")

    def stop(self) -> None:
        """End the program and everything that it started: politely, then not. May be called twice."""
        if self._process.poll() is None:
            self._process.terminate()
            with contextlib.suppress(subprocess.TimeoutExpired):
                self._process.wait(STOP_TIMEOUT)
        with contextlib.suppress(ProcessLookupError):
            os.killpg(self._process.pid, signal.SIGKILL)
        self._process.wait()
        for pipe in (self._process.stdin, self._process.stdout):
            if pipe is not None:
                pipe.close()


def _die_with_parent() -> None:
    if _LIBC is not None:
        _LIBC.prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)
