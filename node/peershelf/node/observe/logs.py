"""Structured logs on stderr: lines for people, or JSON objects for programs.

Libraries that log through the standard module (Hypercorn, py-libp2p, zeroconf) come out in the same form.
Text that a peer chose is escaped on its way to a terminal: control characters there could rewrite what an
operator sees.
"""

from __future__ import annotations

import logging
import os
import sys
from collections.abc import MutableMapping
from typing import Any, Literal

import structlog

_OURS = "peershelf"
_LIBRARY_LOGGERS = ("libp2p", "hypercorn", "hypercorn.error", "hypercorn.access", "zeroconf")

_QUIET = logging.CRITICAL


def configure(level: str = "info", form: Literal["console", "json"] = "console") -> None:
    """Send every log of this process to stderr, from `level` up."""
    shared: list[Any] = [
        structlog.contextvars.merge_contextvars,
        structlog.stdlib.add_log_level,
        structlog.stdlib.add_logger_name,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
        structlog.processors.format_exc_info,
    ]
    structlog.configure(
        processors=[*shared, structlog.stdlib.ProcessorFormatter.wrap_for_formatter],
        wrapper_class=structlog.make_filtering_bound_logger(logging.getLevelName(level.upper())),
        logger_factory=structlog.stdlib.LoggerFactory(),
        cache_logger_on_first_use=True,
    )
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(
        structlog.stdlib.ProcessorFormatter(foreign_pre_chain=shared, processors=_renderers(form))
    )
    root = logging.getLogger()
    root.handlers[:] = [handler]
    # The chatter of libraries below warnings would bury what this program says of itself.
    root.setLevel(max(logging.getLevelName(level.upper()), logging.WARNING))
    logging.getLogger(_OURS).setLevel(level.upper())
    _adopt_libraries(level)


def use_standard_module() -> None:
    """For programs that embed a node and have not set structlog up: log through the standard module.

    Structlog alone would print every line to standard output, debugging included.
    """
    if not structlog.is_configured():
        structlog.stdlib.recreate_defaults(log_level=None)
    for name in _LIBRARY_LOGGERS:
        # Unless the program has said what it wants to hear of them.
        if logging.getLogger(name).level == logging.NOTSET:
            logging.getLogger(name).setLevel(_QUIET)


def _renderers(form: str) -> list[Any]:
    remove = structlog.stdlib.ProcessorFormatter.remove_processors_meta
    if form == "json":
        return [remove, structlog.processors.JSONRenderer()]
    # https://no-color.org
    in_colours = sys.stderr.isatty() and not os.environ.get("NO_COLOR") and os.environ.get("TERM") != "dumb"
    return [remove, _escape, structlog.dev.ConsoleRenderer(colors=in_colours)]


def _escape(logger: object, method: str, event: MutableMapping[str, Any]) -> MutableMapping[str, Any]:
    for key, value in event.items():
        if isinstance(value, str) and not value.isprintable() and key != "exception":
            event[key] = value.encode("unicode_escape").decode("ascii")
    return event


def _adopt_libraries(level: str) -> None:
    """py-libp2p switches its logger's propagation off when it is imported. It logs the failures of strangers
    as errors, and zeroconf those of network interfaces; that is worth a line only to somebody who debugs."""
    quiet = logging.DEBUG if level == "debug" else _QUIET
    for name in _LIBRARY_LOGGERS:
        logger = logging.getLogger(name)
        logger.handlers.clear()
        logger.propagate = True
        logger.setLevel(quiet)
