"""How failures of the node, when it runs inside the command, become those of the command line."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from peershelf.cli.errors import CliError
from peershelf.node.describe import describe, details, known_error


@contextmanager
def translated() -> Iterator[None]:
    """Turn what the node raises into what the command line ends with; mistakes of the program pass."""
    try:
        yield
    except BaseException as error:
        known = _translate(error)
        if known is None:
            raise
        raise known from None


def _translate(error: BaseException) -> BaseException | None:
    """The error to end with; of a group, the most telling one."""
    if inner := _first(error, KeyboardInterrupt) or _first(error, CliError):
        return inner
    if known := known_error(error):
        return CliError(describe(known), details(known))
    return None


def _first(error: BaseException, kind: type[BaseException]) -> BaseException | None:
    if isinstance(error, kind):
        return error
    if isinstance(error, BaseExceptionGroup):
        return next((found for inner in error.exceptions if (found := _first(inner, kind))), None)
    return None
