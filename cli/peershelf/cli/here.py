"""A backend that prints files which are all in the repo by itself, and leaves everything else to the node."""

from __future__ import annotations

from peershelf.cli.backend import NO_OPTIONS
from peershelf.cli.collector import Importing
from peershelf.cli.nodeless import Nodeless

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from peershelf.cli.backend import OnLength, Write
    from peershelf.cli.nodeless import MakeNode
    from peershelf.cli.output import Output

_UNDERSTOOD = {"offset", "length", "offline"}
"""What `cat` may be asked for without a node; peers and deadlines take one."""

_MAX_DIGITS = 18


class HereFirst(Nodeless):
    """The repo at `repo`; `common` options go with every call."""

    def __init__(self, repo: str, common: Mapping[str, str], make_node: MakeNode) -> None:
        super().__init__(repo, make_node)
        self._common = common

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
