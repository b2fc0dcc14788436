"""What an operation is: its name, the arguments and options it takes, and the shape of its answer.

An operation answers in one of three shapes: one JSON object (`Unary`), a sequence of them (`Records`) or
bytes (`Stream`). Names, options and JSON keys are those of Kubo's RPC, so that its clients work here. The
same handlers serve the local API and a command that opens the repo itself, so both print the same.
"""

from __future__ import annotations

import math
from collections.abc import AsyncGenerator, AsyncIterator, Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from io import RawIOBase
from typing import Any, Generic, Literal, TypeVar, overload

from peershelf.blockstore.unixfs.metadata import NONE, Metadata
from peershelf.node.errors import UsageError
from peershelf.node.iterators import Closeable
from peershelf.node.units import parse_duration

NodeT = TypeVar("NodeT")

Record = Mapping[str, Any]
"""A JSON object of an answer."""

_TRUE = frozenset({"true", "1", "t", "yes", ""})
_FALSE = frozenset({"false", "0", "f", "no"})

_FOR_KUBOS_COMMAND_LINE = {"api", "api-auth", "config", "config-file", "debug", "encoding", "repo-dir"}
GLOBAL_OPTIONS = frozenset({"timeout", "offline", "local", "stream-channels"} | _FOR_KUBOS_COMMAND_LINE)
"""Options that every operation accepts; only `timeout`, `offline` and `local` mean anything here."""


@dataclass(frozen=True, slots=True)
class Part:
    """One file, directory or symlink of an upload, in the order sent."""

    name: str
    """A relative path such as "d/x", cleaned of "..", or "" for something unnamed. Only ever a name."""
    kind: Literal["file", "directory", "symlink"]
    chunks: AsyncIterator[bytes]
    """The content. What is left of it is skipped once the next part is asked for."""
    file: RawIOBase | None = None
    """The content too, where it is a file whose reader never waits long; one of the two is to be read."""
    content: bytes | None = None
    """The whole content once more, where it is small and at hand."""
    metadata: Metadata = NONE
    """What the client says of its permissions and time of last change."""


async def no_parts() -> AsyncGenerator[Part, None]:
    """The parts of a request that carries none."""
    nothing: tuple[Part, ...] = ()
    for part in nothing:
        yield part


@dataclass(frozen=True, slots=True)
class ByteStream:
    """The answer of a Stream operation."""

    chunks: AsyncIterator[bytes | memoryview]
    length: int | None = None
    """How many bytes will come, where that is known; for progress bars."""
    content_type: str = "text/plain"


@dataclass(frozen=True, slots=True)
class Request:
    """What a client asks of one operation.

    Values are text, as given; the methods read them, and raise UsageError where they make no sense.
    """

    args: tuple[str, ...] = ()
    options: Mapping[str, str] = field(default_factory=dict)
    parts: Closeable[Part] = field(default_factory=no_parts)

    def arg(self, index: int) -> str:
        """The argument at `index`."""
        if index >= len(self.args):
            raise UsageError(f"argument {index + 1} is missing")
        return self.args[index]

    @overload
    def text(self, name: str, default: None = None) -> str | None: ...

    @overload
    def text(self, name: str, default: str) -> str: ...

    def text(self, name: str, default: str | None = None) -> str | None:
        """The option as it was given."""
        return self.options.get(name, default)

    def flag(self, name: str, default: bool = False) -> bool:
        """The option as true or false, however Kubo's clients spell it."""
        value = self.options.get(name)
        if value is None:
            return default
        if value.lower() in _TRUE:
            return True
        if value.lower() in _FALSE:
            return False
        raise UsageError(f"option {name} takes true or false, not {_quoted(value)}")

    @overload
    def integer(self, name: str, default: None = None, *, minimum: int = 0) -> int | None: ...

    @overload
    def integer(self, name: str, default: int, *, minimum: int = 0) -> int: ...

    def integer(self, name: str, default: int | None = None, *, minimum: int = 0) -> int | None:
        """The option as a whole number of at least `minimum`."""
        value = self.options.get(name)
        if value is None:
            return default
        if not value.removeprefix("-").isdecimal() or not value.isascii() or len(value) > 19:
            raise UsageError(f"option {name} takes a whole number, not {_quoted(value)}")
        if int(value) < minimum:
            raise UsageError(f"option {name} takes a number of at least {minimum}, not {value}")
        return int(value)

    @property
    def timeout(self) -> float:
        """Seconds that the operation may take; infinite where the client set no limit."""
        value = self.options.get("timeout")
        if value is None:
            return math.inf
        try:
            return parse_duration(value)
        except ValueError as error:
            raise UsageError(f"option timeout: {error}") from None

    @property
    def offline(self) -> bool:
        """Whether the operation must do with what is here."""
        return self.flag("offline") or self.flag("local")


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
        raise UsageError(f"{operation.name} has no option {_quoted(name)}")
    same = value == wanted or (wanted == "false" and value.lower() in _FALSE)
    if not same:
        raise UsageError(f"{operation.name} does not support {name}={_quoted(value)}, only {wanted}")


def _arguments(count: int) -> str:
    return "1 argument" if count == 1 else f"{count} arguments"


def _quoted(text: str) -> str:
    return ascii(text if len(text) <= 60 else text[:57] + "...")
