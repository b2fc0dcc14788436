"""What the commands that edit lists have in common: bootstrap peers, the peering, filters."""

from __future__ import annotations

from peershelf.cli import output

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from peershelf.cli.backend import Record
    from peershelf.cli.context import Context


def change(
    context: Context,
    verb: str,
    operation: str,
    addresses: Sequence[str] = (),
    options: Mapping[str, str] | None = None,
) -> int:
    """Change the list, print what was changed, and tell of the daemon that has the old list still."""
    daemon = context.daemon()
    record = (daemon or context.backend()).unary(operation, addresses, options or {})
    changed = record["Peers"] or ()
    context.show(record, (f"{verb} {address}" for address in changed))
    if changed and daemon is not None:
        output.note("the running daemon takes this up when it starts next")
    return 0


def show_results(context: Context, verb: str, operation: str, peers: Sequence[str]) -> int:
    """Have the daemon do something with peers, and print a line for each."""

    def show(record: Record) -> None:
        context.show(record, [f"{verb} {record['ID']} {record['Status']}"])

    context.running_daemon().records(operation, show, peers)
    return 0


def show_strings(context: Context, operation: str, arguments: Sequence[str] = ()) -> int:
    """Have the daemon do something, or the repo itself where none runs, and print the answer's lines."""
    record = context.backend().unary(operation, arguments)
    context.show(record, record["Strings"] or ())
    return 0
