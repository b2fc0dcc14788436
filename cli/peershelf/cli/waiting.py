"""A word to whoever waits at a terminal for content that nobody sends.

A node goes on looking until it is told to stop, and has nothing to show meanwhile. So an alarm rings once, if
by then nothing has come. It is a signal, so that what waits, for a daemon or in trio's loop, needs no thread.
What runs here without a node has the same alarm for its own ends (`right_here`), and nobody to wait for.
"""

from __future__ import annotations

import os
import sys

SECONDS = 5.0
_WORDS = "Nobody has sent it yet; still looking (Ctrl-C gives up, `{} routing explain CID` says more)"
_begun = False


def begin() -> None:
    """Content was asked for. Does nothing where standard error is no terminal, or a dumb one."""
    global _begun
    if sys.stderr.isatty() and os.environ.get("TERM") != "dumb":
        import signal

        signal.signal(signal.SIGALRM, _tell)
        signal.setitimer(signal.ITIMER_REAL, SECONDS)
        _begun = True


def over() -> None:
    """Something has come, or nothing will."""
    global _begun
    if _begun:
        import signal

        _begun = False
        signal.setitimer(signal.ITIMER_REAL, 0)


def _tell(number: int, frame: object) -> None:
    from contextlib import suppress

    from peershelf.cli.usage import program

    with suppress(OSError):  # the terminal is gone
        os.write(sys.stderr.fileno(), f"{_WORDS.format(program())}\n".encode())
