"""`dag stat`: how much there is below a CID."""

from __future__ import annotations

from peershelf.cli import output
from peershelf.cli.grammar import Argument, Command, Option
from peershelf.cli.progress import Progress
from peershelf.cli.text import human_size, safe

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping
    from typing import Any

    from peershelf.cli.backend import Record
    from peershelf.cli.context import Context
    from peershelf.cli.grammar import Call


def run(context: Context, call: Call) -> int:
    """Count, and print a line for each CID and the sums."""
    progress = Progress(enabled=call.flag("progress", default=True) and not context.json)
    last: Record = {}

    def receive(record: Record) -> None:
        nonlocal last
        last = record
        progress.update(int(record.get("TotalSize") or 0))

    options = {"progress": "true" if progress.enabled else "false"}
    try:
        context.backend(finds=True).records("dag/stat", receive, call.arguments, options)
    finally:
        progress.clear()
    if context.json:
        output.json_line(last)
    else:
        _print(last)
    return 0


def _print(sums: Mapping[str, Any]) -> None:
    dags = sums.get("DagStats") or ()
    width = max((len(str(dag["Cid"])) for dag in dags), default=0)
    output.line(f"{'CID':<{width}} {'Blocks':>10} {'Size':>10}")
    for dag in dags:
        size = human_size(int(dag.get("Size") or 0))
        output.line(f"{safe(str(dag['Cid'])):<{width}} {int(dag.get('NumBlocks') or 0):>10} {size:>10}")
    if len(dags) > 1:
        output.line(f"In all: {int(sums.get('UniqueBlocks') or 0)} blocks, {_size(sums, 'TotalSize')}")
        output.line(f"Shared: {_size(sums, 'SharedSize')}")


def _size(sums: Mapping[str, Any], key: str) -> str:
    return human_size(int(sums.get(key) or 0))


COMMAND = Command(
    "dag stat",
    "Count the blocks below CIDs and their bytes",
    run,
    arguments=(Argument("CID[/path]", many=True),),
    details="Blocks that a DAG has several times count once; so do, in the sums, those that several have.\n"
    "What is not here is fetched.",
    options=(Option("-p, --progress", "show on a terminal how far it is (default true)"),),
    examples=(
        ("dag stat CID", "blocks and bytes"),
        ("dag stat CID CID2", "two of them, and what they have in common"),
    ),
)
