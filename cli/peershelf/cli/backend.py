"""What a command asks of a node, whoever answers: the daemon over its API, or the repo opened by the command.

Names, arguments, options and JSON keys are those of Kubo's RPC. Every method raises CliError.
"""

from __future__ import annotations

from abc import ABC, abstractmethod

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence
    from typing import Any

    from peershelf.cli.output import Output
    from peershelf.cli.sources import Source

    Record = Mapping[str, Any]
    OnRecord = Callable[[Record], object]
    Write = Callable[[bytes | memoryview], object]
    OnLength = Callable[[int | None], object]

NO_OPTIONS: Mapping[str, str] = {}


class Backend(ABC):
    """A node that carries out operations. `description` says which, for --verbose."""

    description: str

    @abstractmethod
    def unary(self, name: str, args: Sequence[str] = (), options: Mapping[str, str] = NO_OPTIONS) -> Record:
        """An operation that answers with one JSON object."""

    @abstractmethod
    def records(
        self,
        name: str,
        on_record: OnRecord,
        args: Sequence[str] = (),
        options: Mapping[str, str] = NO_OPTIONS,
        sources: Iterable[Source] = (),
    ) -> None:
        """An operation that answers with JSON objects, each passed to `on_record` as it comes."""

    @abstractmethod
    def stream(
        self,
        name: str,
        write: Write,
        args: Sequence[str] = (),
        options: Mapping[str, str] = NO_OPTIONS,
        on_length: OnLength = id,
        output: Output | None = None,
    ) -> None:
        """An operation that answers with bytes, passed to `write` in order as they come.

        `on_length` is told first how many there will be, if that is known. A daemon to which `output` can be
        handed over writes them there itself.
        """
