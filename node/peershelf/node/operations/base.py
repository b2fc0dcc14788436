"""What an operation is: its name, the arguments and options it takes, and the shape of its answer.

An operation answers in one of three shapes: one JSON object (`Unary`), a sequence of them (`Records`) or
bytes (`Stream`). Names, options and JSON keys are those of Kubo's RPC, so that its clients work here. The
same handlers serve the local API and a command that opens the repo itself, so both print the same.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Generic, TypeVar

from peershelf.node.errors import UsageError
from peershelf.node.iterators import Closeable
from peershelf.node.operations.request import FALSE, Record, Request, quoted

NodeT = TypeVar("NodeT", contravariant=True)

_FOR_KUBOS_COMMAND_LINE = {"api", "api-auth", "config", "config-file", "debug", "encoding", "repo-dir"}
GLOBAL_OPTIONS = frozenset({"timeout", "offline", "local", "stream-channels"} | _FOR_KUBOS_COMMAND_LINE)
"""Options that every operation accepts; only `timeout`, `offline` and `local` mean anything here."""


@dataclass(frozen=True, slots=True)
class ByteStream:
    """The answer of a Stream operation."""

    chunks: AsyncIterator[bytes | memoryview]
    length: int | None = None
    """How many bytes will come, where that is known; for progress bars."""
    content_type: str = "text/plain"


@dataclass(frozen=True, slots=True, kw_only=True)
class _Operation:
    options: frozenset[str] = frozenset()
    """Options that the handler reads."""
    fixed: Mapping[str, str] = field(default_factory=dict)
    """Options that are accepted with this one value, because it asks for what is done anyway."""
    repeatable: frozenset[str] = frozenset()
    """Options that may come several times; the values are then the lines of one text."""
    min_args: int = 0
    max_args: int | None = None
    """None: any number."""
    takes_parts: bool = False
    """Whether it takes an upload."""
    takes_files: bool = False
    """Whether the parts may be files that were handed over; it closes the parts when it is through."""
    enforces_timeout: bool = False
    """Whether the handler itself keeps to `Request.timeout`, since it has more to say when it passes."""


@dataclass(frozen=True, slots=True)
class Unary(_Operation, Generic[NodeT]):
    """Answers with one JSON object."""

    name: str
    handler: Callable[[NodeT, Request], Awaitable[Record]]


@dataclass(frozen=True, slots=True)
class Records(_Operation, Generic[NodeT]):
    """Answers with JSON objects as they come."""

    name: str
    handler: Callable[[NodeT, Request], Closeable[Record]]


@dataclass(frozen=True, slots=True)
class Stream(_Operation, Generic[NodeT]):
    """Answers with bytes. What can fail at once fails in the handler, before the first byte is promised."""

    name: str
    handler: Callable[[NodeT, Request], Awaitable[ByteStream]]


Operation = Unary[NodeT] | Records[NodeT] | Stream[NodeT]


def validate(operation: Operation[Any], request: Request) -> None:
    """Raise UsageError unless `operation` takes this number of arguments and these options."""
    count = len(request.args)
    if count < operation.min_args:
        raise UsageError(f"{operation.name} needs {_arguments(operation.min_args)}, {count} given")
    if operation.max_args is not None and count > operation.max_args:
        raise UsageError(f"{operation.name} takes at most {_arguments(operation.max_args)}, {count} given")
    for name, value in request.options.items():
        _validate_option(operation, name, value)


def _validate_option(operation: Operation[Any], name: str, value: str) -> None:
    if name in operation.options or name in GLOBAL_OPTIONS:
        return
    wanted = operation.fixed.get(name)
    if wanted is None:
        raise UsageError(f"{operation.name} has no option {quoted(name)}")
    same = value == wanted or (wanted == "false" and value.lower() in FALSE)
    if not same:
        raise UsageError(f"{operation.name} does not support {name}={quoted(value)}, only {wanted}")


def _arguments(count: int) -> str:
    return "1 argument" if count == 1 else f"{count} arguments"
