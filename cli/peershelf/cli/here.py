"""A backend that adds files, and prints those that are all in the repo, by itself; a node does all else."""

from __future__ import annotations

from peershelf.cli.backend import NO_OPTIONS
from peershelf.cli.collector import Importing
from peershelf.cli.nodeless import Nodeless

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from peershelf.cli.backend import OnLength, OnRecord, Write
    from peershelf.cli.nodeless import MakeNode
    from peershelf.cli.output import Output
    from peershelf.cli.sources import Source

_UNDERSTOOD = {"offset", "length", "offline"}
"""What `cat` may be asked for without a node; peers and deadlines take one."""

_MAX_DIGITS = 18


class HereFirst(Nodeless):
    """The repo at `repo`; `common` options go with every call."""

    def __init__(self, repo: str, common: Mapping[str, str], make_node: MakeNode) -> None:
        super().__init__(repo, make_node)
        self._common = common

    def records(
        self,
        name: str,
        on_record: OnRecord,
        args: Sequence[str] = (),
        options: Mapping[str, str] = NO_OPTIONS,
        sources: Iterable[Source] = (),
    ) -> None:
        asked = {**self._common, **options}
        if name == "add" and "timeout" not in asked:
            with Importing():
                from peershelf.cli.adding_here import adds_here

            if adds_here(self._repo, asked, on_record, sources):
                return
        super().records(name, on_record, args, options, sources)

    def stream(
        self,
        name: str,
        write: Write,
        args: Sequence[str] = (),
        options: Mapping[str, str] = NO_OPTIONS,
        on_length: OnLength = id,
        output: Output | None = None,
    ) -> None:
        if name != "cat" or not self._understands(options):
            super().stream(name, write, args, options, on_length, output)
            return
        with Importing():
            from peershelf.cli.copying import Copying, opened_here

        copying = Copying(write, args, options, on_length)
        with opened_here(self._repo) as store:
            if store is None or not copying.copies_all(store):
                node = self._make_node(store)
                node.stream(name, write, args, copying.rest(), copying.tell_length_of_rest, output)

    def _understands(self, options: Mapping[str, str]) -> bool:
        numbers = [options.get(name, "0") for name in ("offset", "length")]
        return {*self._common, *options} <= _UNDERSTOOD and all(
            number.isdecimal() and len(number) <= _MAX_DIGITS for number in numbers
        )
