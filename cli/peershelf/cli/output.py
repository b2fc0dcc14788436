"""Standard output and standard error: the only place of the command line that writes to them."""

from __future__ import annotations

import os
import stat
import sys

from peershelf.cli import waiting
from peershelf.cli.errors import CliError, OutputClosed
from peershelf.cli.text import one_line

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any


class Output:
    """The file behind standard output, for a daemon to write to.

    `on_written` is told from time to time how many bytes of the answer are in it.
    """

    def __init__(self, descriptor: int, on_written: Callable[[int], object]) -> None:
        self.descriptor = descriptor
        self.on_written = on_written


def prepare() -> None:
    """Make the streams usable, however they were handed over: closed, non-blocking, ASCII only."""
    if sys.stdin is None:
        # Else what is opened next has its number, and `add -` reads its own connection to the daemon.
        os.open(os.devnull, os.O_WRONLY)
    for descriptor in range(3):
        # Some programs leave a pipe so. What is read in vain would pass for the end of what is added.
        try:
            if not os.get_blocking(descriptor):
                os.set_blocking(descriptor, True)
        except OSError:
            pass
    for name in ("stdout", "stderr"):
        stream = getattr(sys, name)
        if stream is None:
            setattr(sys, name, os.fdopen(os.open(os.devnull, os.O_WRONLY), "w"))
        elif hasattr(stream, "reconfigure"):
            stream.reconfigure(errors="backslashreplace")


def line(text: str = "", *, flush: bool = False) -> None:
    """Print one line to standard output. Strangers' text in it must have been made `safe` before."""
    waiting.over()
    try:
        sys.stdout.write(text + "\n")
        if flush:
            sys.stdout.flush()
    except OSError as error:
        raise _unwritable(error) from None


def json_line(value: Any, *, flush: bool = False) -> None:
    """Print a JSON value on one line; whatever is not ASCII in it is escaped."""
    import json

    line(json.dumps(value), flush=flush)


def raw(data: bytes | memoryview) -> None:
    """Write bytes to standard output at once."""
    waiting.over()
    left = memoryview(data)
    try:
        descriptor = sys.stdout.fileno()
        while len(left):
            left = left[os.write(descriptor, left) :]
    except OSError as error:
        raise _unwritable(error) from None


def regular_file() -> int | None:
    """The descriptor of standard output, where that is a regular file that a daemon may write."""
    import resource

    flush()
    try:
        descriptor = sys.stdout.fileno()
        is_regular = stat.S_ISREG(os.fstat(descriptor).st_mode)
    except OSError:
        return None
    # Nobody but this process keeps to its limit (ulimit -f).
    is_unlimited = resource.getrlimit(resource.RLIMIT_FSIZE)[0] == resource.RLIM_INFINITY
    return descriptor if is_regular and is_unlimited else None


def flush() -> None:
    """Write out what is buffered. Raises OutputClosed, CliError."""
    try:
        sys.stdout.flush()
    except OSError as error:
        raise _unwritable(error) from None


def end() -> None:
    """Write out what a command that failed had printed before; that failure is what counts."""
    waiting.over()
    try:
        sys.stdout.flush()
    except OSError:
        _discard()


def error(message: str) -> None:
    """Print `Error: message` to standard error, on one line."""
    note(f"Error: {one_line(message)}")


def note(text: str) -> None:
    """Print one line to standard error; that there may be nobody to read it is no failure."""
    try:
        sys.stderr.write(text + "\n")
        sys.stderr.flush()
    except OSError:
        pass


def _unwritable(error: OSError) -> CliError:
    _discard()
    if isinstance(error, BrokenPipeError):
        return OutputClosed("standard output was closed")
    return CliError(f"cannot write to standard output: {error.strerror or 'it is closed'}")


def _discard() -> None:
    """Send what is still buffered nowhere, so that the interpreter's last flush does not complain."""
    nowhere = os.open(os.devnull, os.O_WRONLY)
    os.dup2(nowhere, sys.stdout.fileno())
