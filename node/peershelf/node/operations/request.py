"""What a client asks of an operation, and what it uploads with it."""

from __future__ import annotations

import math
from collections.abc import AsyncGenerator, AsyncIterator, Mapping
from dataclasses import dataclass, field
from io import RawIOBase
from typing import Any, Literal, overload

from peershelf.blockstore.unixfs.metadata import NONE, Metadata
from peershelf.node.errors import UsageError
from peershelf.node.iterators import Closeable
from peershelf.node.units import parse_duration

Record = Mapping[str, Any]
"""A JSON object of an answer."""

_TRUE = frozenset({"true", "1", "t", "yes", ""})
FALSE = frozenset({"false", "0", "f", "no"})


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
        if value.lower() in FALSE:
            return False
        raise UsageError(f"option {name} takes true or false, not {quoted(value)}")

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
            raise UsageError(f"option {name} takes a whole number, not {quoted(value)}")
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


def quoted(text: str) -> str:
    """What a client sent, for a message: escaped, and not too long."""
    return ascii(text if len(text) <= 60 else text[:57] + "...")
