"""A backend that prints files which are all in the repo by itself, and leaves everything else to the node.

trio and the node cost more than all the rest of such a command does.
"""

from __future__ import annotations

from peershelf.cli.backend import NO_OPTIONS, Backend
from peershelf.cli.collector import Importing

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence

    from peershelf.blockstore.store.pack import PackStore
    from peershelf.cli.backend import OnLength, OnRecord, Record, Write
    from peershelf.cli.output import Output
    from peershelf.cli.sources import Source

_UNDERSTOOD = {"offset", "length", "offline"}
"""What `cat` may be asked for without a node; peers and deadlines take one."""

_MAX_DIGITS = 18


class HereFirst(Backend):
    """The repo at `repo`; `common` options go with every call.

    `make_node` makes the backend that runs a node on the repo, or on its store where that is open already.
    """

    def __init__(
        self, repo: str, common: Mapping[str, str], make_node: Callable[[PackStore | None], Backend]
    ) -> None:
        self.description = f"the repo {repo} itself"
        self._repo = repo
        self._common = common
        self._make_node = make_node

    def unary(self, name: str, args: Sequence[str] = (), options: Mapping[str, str] = NO_OPTIONS) -> Record:
        return self._make_node(None).unary(name, args, options)

    def records(
        self,
        name: str,
        on_record: OnRecord,
        args: Sequence[str] = (),
        options: Mapping[str, str] = NO_OPTIONS,
        sources: Iterable[Source] = (),
    ) -> None:
        self._make_node(None).records(name, on_record, args, options, sources)

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
            self._make_node(None).stream(name, write, args, options, on_length, output)
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
