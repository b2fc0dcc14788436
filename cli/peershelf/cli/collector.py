"""What has to be seen to around the imports of large parts of the program.

Importing them makes tens of thousands of objects, through which Python's garbage collector goes again and
again meanwhile, and once more with each full collection after that. They are there for good, so it is spared
them. Only in our own programs: it is a setting of the process.
"""

from __future__ import annotations

import gc


class Importing:
    """`with Importing():` around imports: nothing is collected, and what they make is not looked at again.

    Ctrl-C is heard at their end.
    """

    def __enter__(self) -> None:
        from peershelf.node.interrupts import Uninterrupted

        self._uninterrupted = Uninterrupted()
        self._uninterrupted.__enter__()
        gc.disable()

    def __exit__(self, *failure: object) -> None:
        gc.freeze()
        gc.enable()
        # Here a Ctrl-C from meanwhile is raised.
        self._uninterrupted.__exit__(*failure)
