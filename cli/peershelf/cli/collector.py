"""Spares Python's garbage collector what is there for good: the modules of the program.

Importing them makes tens of thousands of objects, through which the collector goes again and again meanwhile,
and once more with each full collection after that. Only for our own programs: it is a setting of the process.
"""

from __future__ import annotations

import gc


class Importing:
    """`with Importing():` around imports: nothing is collected, and what they make is not looked at again."""

    def __enter__(self) -> None:
        gc.disable()

    def __exit__(self, *failure: object) -> None:
        gc.freeze()
        gc.enable()
