"""Logging for what a small command imports: structlog is set up when there is something to log, or to run.

Importing it takes a command without a daemon a quarter of its time, and most have nothing to say.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any, Literal


def _as_embedded() -> None:
    from peershelf.node.observe import logs

    logs.use_standard_module()


_set_up: Callable[[], None] | None = _as_embedded
"""What is still to be done; None once it is done."""

_LEVELS = ("debug", "info", "warning", "error")
_unheard: tuple[str, ...] = ()
"""What nobody will hear when logging is set up, so that it need not be for them."""


def configure(level: str, form: Literal["console", "json"] = "console") -> None:
    """As logs.configure(), but when it is needed."""
    from_now_on = partial(_configure, level, form)
    global _set_up, _unheard
    if _set_up is None:
        from_now_on()
    else:
        _set_up = from_now_on
        _unheard = _LEVELS[: _LEVELS.index(level)]


def _configure(level: str, form: Literal["console", "json"]) -> None:
    from peershelf.node.observe import logs

    logs.configure(level, form)


def settle() -> None:
    """Set logging up now, before something is imported that logs by itself."""
    global _set_up
    to_do, _set_up = _set_up, None
    if to_do is not None:
        to_do()


def _say_nothing(event: str, **details: object) -> None:
    pass


class Logger:
    """A structlog logger, made when it is first used."""

    def __init__(self, name: str) -> None:
        self._name = name

    def __getattr__(self, method: str) -> Any:
        if _set_up is not None and method in _unheard:
            return _say_nothing
        settle()
        import structlog

        return getattr(structlog.get_logger(self._name), method)
