"""Other programs: commands timed to their end, and processes that run until stopped. Linux only."""

from __future__ import annotations

import contextlib
import ctypes
import os
import signal
import subprocess
import tempfile
import threading
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import IO

COMMAND_TIMEOUT = 1_200.0
START_TIMEOUT = 30.0
STOP_TIMEOUT = 15.0
MIB = 1 << 20
_PR_SET_PDEATHSIG = 1
_LIBC = ctypes.CDLL(None)
# Set on some machines, and each slows a Python program's start or its output.
_DISTORTING = ("PYTHONDONTWRITEBYTECODE", "PYTHONUNBUFFERED", "PYTHONPROFILEIMPORTTIME", "PYTHONDEVMODE")


class ProgramFailed(Exception):
    """A program ended badly, or said or did something else than it should."""


def clean_environment() -> dict[str, str]:
    """This process's environment without what would distort a measurement or point at somebody's repo."""
    dropped = ("PEERSHELF_", "IPFS_", "LIBP2P_")
    return {
        name: value
        for name, value in os.environ.items()
        if name not in _DISTORTING and not name.startswith(dropped)
    }


@dataclass(frozen=True, slots=True)
class Finished:
    """A command that has ended well."""

    seconds: float
    """From its start until it was gone."""
    cpu: float
    """Seconds, user and system."""
    peak: int
    """Bytes of memory at most."""
    output: bytes
    """Its standard output; empty where that went elsewhere."""

    @property
    def text(self) -> str:
        """The output without blanks around it."""
        return self.output.decode().strip()


def run_command(
    command: Sequence[str | Path],
    environment: Mapping[str, str],
    *,
    output: int | None = None,
    cwd: Path | None = None,
    timeout: float = COMMAND_TIMEOUT,
) -> Finished:
    """Run a command to its end and time it; its output goes to the file descriptor `output` if there is one.

    Raises ProgramFailed with the last line of its standard error.
    """
    words = [str(word) for word in command]
    with tempfile.TemporaryFile() as errors:
        # A child that is started by vfork counts its parent's peak as its own.
        _reset_peak(os.getpid())
        start = time.perf_counter()
        process = subprocess.Popen(
            words,
            env=dict(environment),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE if output is None else output,
            stderr=errors,
            cwd=cwd,
        )
        killer = threading.Timer(timeout, process.kill)
        killer.start()
        try:
            text = process.stdout.read() if process.stdout else b""
            _, status, usage = os.wait4(process.pid, 0)
            seconds = time.perf_counter() - start
        except BaseException:
            process.kill()
            process.wait()
            raise
        finally:
            killer.cancel()
            if process.stdout:
                process.stdout.close()
        process.returncode = os.waitstatus_to_exitcode(status)
        if process.returncode:
            raise ProgramFailed(_complaint(words, process.returncode, errors, seconds >= timeout))
    return Finished(seconds, usage.ru_utime + usage.ru_stime, usage.ru_maxrss * 1024, text)


def _complaint(words: Sequence[str], code: int, errors: IO[bytes], late: bool) -> str:
    errors.seek(0, os.SEEK_END)
    errors.seek(max(0, errors.tell() - 4_000))
    lines = errors.read().decode(errors="replace").strip().splitlines()
    shown = " ".join([Path(words[0]).name, *words[1:5]])[:100]
    if late:
        return f"`{shown}` was killed: it took too long"
    return f"`{shown}` ended with {code}: {lines[-1][:300] if lines else 'it said nothing'}"


class Background:
    """A running program that ends with the bench, even if that is killed. Start it from the main thread."""

    def __init__(
        self,
        command: Sequence[str | Path],
        environment: Mapping[str, str],
        log: Path,
        cwd: Path | None = None,
    ) -> None:
        self._name = Path(str(command[0])).name
        self._log = log
        self.started = time.perf_counter()
        with log.open("ab") as errors:
            self._process = subprocess.Popen(
                [str(word) for word in command],
                env=dict(environment),
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=errors,
                cwd=cwd,
                start_new_session=True,
                preexec_fn=_die_with_parent,
            )
        self._lines: list[str] = []

    def wait_for(self, text: str, timeout: float = START_TIMEOUT) -> str:
        """Read its output up to the line with `text` and return that. Raises ProgramFailed."""
        assert self._process.stdout is not None
        killer = threading.Timer(timeout, self._process.kill)
        killer.start()
        try:
            for raw in self._process.stdout:
                line = raw.decode(errors="replace").rstrip("\n")
                if text in line:
                    return line
        finally:
            killer.cancel()
        words = self._log.read_text(errors="replace").strip().splitlines()
        raise ProgramFailed(
            f"{self._name} ended, or was ended after {timeout:.0f} s, before it said {text!r}: "
            f"{words[-1][:300] if words else 'it said nothing'}"
        )

    @property
    def pid(self) -> int:
        """Its process ID."""
        return self._process.pid

    def say(self, line: str) -> None:
        """Write a line to its standard input."""
        assert self._process.stdin is not None
        self._process.stdin.write(line.encode() + b"\n")
        self._process.stdin.flush()

    def stop(self) -> None:
        """End it: politely, then not. May be called twice."""
        assert self._process.stdin is not None
        with contextlib.suppress(OSError):
            self._process.stdin.close()
        if self._process.poll() is None:
            self._process.send_signal(signal.SIGINT)
            with contextlib.suppress(subprocess.TimeoutExpired):
                self._process.wait(STOP_TIMEOUT)
        with contextlib.suppress(ProcessLookupError):
            os.killpg(self._process.pid, signal.SIGKILL)
        self._process.wait()
        if self._process.stdout is not None:
            self._process.stdout.close()

    def resident(self) -> float:
        """MiB of memory that it has now."""
        return self._status("VmRSS")

    def peak(self) -> float:
        """MiB of memory that it had at most since reset_peak()."""
        return self._status("VmHWM")

    def reset_peak(self) -> None:
        """Begin to measure the peak anew."""
        _reset_peak(self._process.pid)

    def cpu(self) -> float:
        """Seconds of CPU that it has used, user and system."""
        fields = Path(f"/proc/{self._process.pid}/stat").read_text().rpartition(")")[2].split()
        return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")

    def _status(self, name: str) -> float:
        for line in Path(f"/proc/{self._process.pid}/status").read_text().splitlines():
            if line.startswith(f"{name}:"):
                return int(line.split()[1]) * 1024 / MIB
        raise ProgramFailed(f"{self._name} has ended: see {self._log}")


def _reset_peak(pid: int) -> None:
    Path(f"/proc/{pid}/clear_refs").write_text("5")


def _die_with_parent() -> None:
    _LIBC.prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)
