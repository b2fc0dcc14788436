"""What has to be seen to around the imports of large parts of the program.

Importing them makes tens of thousands of objects, through which Python's garbage collector goes again and
again meanwhile, and once more with each full collection after that. They are there for good, so it is spared
them. And Ctrl-C waits for the end of an import: in the middle it would often be raised in a callback of the
import system's, which swallows it, or leave modules behind that are half there. Both only in our own
programs: they are settings of the process.
"""

from __future__ import annotations

import gc
import signal


class Importing:
    """`with Importing():` around imports: nothing is collected, and what they make is not looked at again."""

    def __enter__(self) -> None:
        gc.disable()
        self._blocked = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})

    def __exit__(self, *failure: object) -> None:
        gc.freeze()
        gc.enable()
        # Here a Ctrl-C from meanwhile is raised.
        signal.pthread_sigmask(signal.SIG_SETMASK, self._blocked)
