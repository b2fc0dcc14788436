"""Ctrl-C while large parts of the program are imported.

In the middle of an import it would often be raised in a callback of the import system's, which swallows it,
or leave modules behind that are half there. To block the signal would not do: a thread that does not block it
takes it, and Python raises KeyboardInterrupt in the main thread all the same. Nor would trio's protection:
commands import before they have trio.

Imports only what Python has loaded anyway.
"""

from __future__ import annotations

import signal

TYPE_CHECKING = False
if TYPE_CHECKING:
    from types import FrameType


class Uninterrupted:
    """`with Uninterrupted():` around imports: Ctrl-C is heard at the end, by whoever heard it before.

    In other threads than the main one it does nothing, for they never hear it.
    """

    def __enter__(self) -> None:
        self._came = False
        self._handler = signal.getsignal(signal.SIGINT)
        try:
            signal.signal(signal.SIGINT, self._note)
        except ValueError:
            self._handler = None

    def __exit__(self, *failure: object) -> None:
        if self._handler is None:
            return
        signal.signal(signal.SIGINT, self._handler)
        if self._came:
            signal.raise_signal(signal.SIGINT)

    def _note(self, number: int, frame: FrameType | None) -> None:
        self._came = True
