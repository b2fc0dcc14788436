"""Other ways to end a command than Ctrl-C, for those that have something to clear up."""

from __future__ import annotations

import signal
from contextlib import contextmanager

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator


@contextmanager
def all_like_ctrl_c() -> Iterator[None]:
    """SIGTERM and a terminal that closes raise KeyboardInterrupt too; one that is ignored stays ignored.

    Once that has cleared up, the process ends by the signal, as any other command does.
    """
    came: list[int] = []
    changed = []

    def interrupt(number: int, frame: object) -> None:
        came.append(number)
        signal.raise_signal(signal.SIGINT)

    for number in (signal.SIGTERM, signal.SIGHUP):
        if signal.getsignal(number) is signal.SIG_DFL:
            signal.signal(number, interrupt)
            changed.append(number)
    try:
        yield
    finally:
        for number in changed:
            signal.signal(number, signal.SIG_DFL)
        if came:
            signal.raise_signal(came[0])
