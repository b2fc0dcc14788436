"""A backend that does by itself what only wants the repo, and leaves the rest to a node."""

from __future__ import annotations

from peershelf.cli.backend import NO_OPTIONS
from peershelf.cli.collector import Importing
from peershelf.cli.nodeless import Nodeless

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from peershelf.cli.backend import OnLength, OnRecord, Record, Write
    from peershelf.cli.nodeless import Add
    from peershelf.cli.output import Output
    from peershelf.cli.running_here import RunningHere
    from peershelf.cli.sources import Source

_UNDERSTOOD = {"offset", "length", "offline"}
"""What `cat` may be asked for without a node; peers and deadlines take one."""

_MAX_DIGITS = 18


class HereFirst(Nodeless):
    """What only wants the repo is done here."""

    def unary(self, name: str, args: Sequence[str] = (), options: Mapping[str, str] = NO_OPTIONS) -> Record:
        running = self._running(name, args, options)
        return super().unary(name, args, options) if running is None else running.unary()

    def records(
        self,
        name: str,
        on_record: OnRecord,
        args: Sequence[str] = (),
        options: Mapping[str, str] = NO_OPTIONS,
        sources: Iterable[Source] = (),
    ) -> None:
        running = None if name == "add" else self._running(name, args, options, sources)
        if running is None:
            super().records(name, on_record, args, options, sources)
        else:
            running.records(on_record)

    def stream(
        self,
        name: str,
        write: Write,
        args: Sequence[str] = (),
        options: Mapping[str, str] = NO_OPTIONS,
        on_length: OnLength = id,
        output: Output | None = None,
    ) -> None:
        running = self._running(name, args, options)
        if running is not None:
            running.stream(write, on_length)
        elif name == "cat" and self._understands(options):
            self._cat(write, args, options, on_length, output)
        else:
            super().stream(name, write, args, options, on_length, output)

    def _import_add(self) -> Add:
        from peershelf.cli.adding_here import adds_here

        return adds_here

    def _cat(
        self,
        write: Write,
        args: Sequence[str],
        options: Mapping[str, str],
        on_length: OnLength,
        output: Output | None,
    ) -> None:
        with Importing():
            from peershelf.cli.copying import Copying
            from peershelf.cli.opened_here import opened_here

        copying = Copying(write, args, options, on_length)
        with opened_here(self._repo) as opened:
            if opened is None or not copying.copies_all(opened.store):
                node = self._make_node(None if opened is None else opened.store)
                node.stream("cat", write, args, copying.rest(), copying.tell_length_of_rest, output)

    def _running(
        self, name: str, args: Sequence[str], options: Mapping[str, str], sources: Iterable[Source] = ()
    ) -> RunningHere | None:
        """What runs the operation; None where that takes a node from the start."""
        from peershelf.node.operations.here import runs_here

        if not runs_here(name, {**self._common, **options}):
            return None
        with Importing():
            from peershelf.cli.running_here import RunningHere

            # Finding the operation imports it.
            return RunningHere(self._repo, self._make_node, name, args, self._common, options, sources)

    def _understands(self, options: Mapping[str, str]) -> bool:
        numbers = [options.get(name, "0") for name in ("offset", "length")]
        return {*self._common, *options} <= _UNDERSTOOD and all(
            number.isdecimal() and len(number) <= _MAX_DIGITS for number in numbers
        )
