"""Other ways to end a command than Ctrl-C, for those that have something to clear up."""

from __future__ import annotations

import signal
from contextlib import contextmanager

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator


@contextmanager
def all_like_ctrl_c() -> Iterator[None]:
    """SIGTERM and a terminal that closes raise KeyboardInterrupt too; one that is ignored stays ignored."""
    changed = []
    for number in (signal.SIGTERM, signal.SIGHUP):
        if signal.getsignal(number) is signal.SIG_DFL:
            signal.signal(number, lambda number, frame: signal.raise_signal(signal.SIGINT))
            changed.append(number)
    try:
        yield
    finally:
        for number in changed:
            signal.signal(number, signal.SIG_DFL)
