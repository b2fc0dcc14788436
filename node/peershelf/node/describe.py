"""The one place where a failure becomes a line for the user.

Apart from `errors` because the command line's fast path needs none of it until something fails. trio is not
imported for it: where nobody has, nothing can have raised its error.
"""

from __future__ import annotations

import errno
import sys
from typing import TypeGuard

from peershelf.blockstore.errors import BlockstoreError
from peershelf.node.errors import NodeError, TimedOut
from peershelf.protocols.errors import NetworkError

LAYER_ERRORS = (NodeError, BlockstoreError, NetworkError)
"""The layers' own families: their texts are written for users."""


def known_error(error: BaseException) -> Exception | None:
    """The first in `error` that may reach a user as a message, looking into groups; None if there is none.

    Those are the layers' own, OSError, and trio.TooSlowError. Anything else is a bug, and is logged as one.
    """
    if isinstance(error, (*LAYER_ERRORS, OSError)) or _is_too_slow(error):
        return error
    if isinstance(error, BaseExceptionGroup):
        return next((found for inner in error.exceptions if (found := known_error(inner))), None)
    return None


def _is_too_slow(error: BaseException) -> TypeGuard[Exception]:
    trio = sys.modules.get("trio")
    return trio is not None and isinstance(error, trio.TooSlowError)


def is_bad_input(known: Exception | None) -> bool:
    """Whether what was asked makes no sense, so that to ask it again is of no use: those are ValueErrors."""
    return isinstance(known, LAYER_ERRORS) and isinstance(known, ValueError)


def describe(error: BaseException) -> str:
    """Say on one line what went wrong and, where that is known, what to do.

    A group is told by its first known member. An unknown exception is named by its type alone, since its
    text was not written for users and may repeat what a stranger sent.
    """
    known = known_error(error)
    if known is None:
        return f"internal error ({type(error).__name__}); the log says more"
    if isinstance(known, LAYER_ERRORS):
        return " ".join(str(known).split()) or type(known).__name__
    if isinstance(known, OSError):
        return _describe_os(known)
    return "the operation took too long; try again, or give it a longer --timeout"


def details(error: BaseException) -> tuple[str, ...]:
    """What else is to be said of what describe() tells, each on a line of its own."""
    known = known_error(error)
    return known.details if isinstance(known, TimedOut) else ()


def _describe_os(error: OSError) -> str:
    if error.errno == errno.ENOSPC:
        return "no space left on the device; free some and try again"
    reason = error.strerror or type(error).__name__
    return f"{ascii(error.filename)[1:-1]}: {reason}" if isinstance(error.filename, str) else reason
