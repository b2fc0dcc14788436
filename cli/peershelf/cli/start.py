"""The first moments of a command, when Ctrl-C would still be a traceback: the program itself is imported.

Imports only what Python has loaded anyway, and what does the same.
"""

from __future__ import annotations

import os
import sys

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence
    from typing import NoReturn

INTERRUPTED = 130


def entry() -> NoReturn:
    """The console script `peershelf`."""
    run(sys.argv[1:])


def run(words: Sequence[str]) -> NoReturn:
    """Import the program, run one command line, and end the process with its exit code."""
    try:
        from peershelf.node.interrupts import Uninterrupted

        with Uninterrupted():
            from peershelf.cli.main import leave, main
        code = main(words)
    except KeyboardInterrupt:
        os._exit(INTERRUPTED)  # nothing has begun, or all has ended
    leave(code)
