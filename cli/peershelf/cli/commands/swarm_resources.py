"""`swarm resources`: what is bounded, and how much of it is in use."""

from __future__ import annotations

from peershelf.cli import output
from peershelf.cli.grammar import Command, Option
from peershelf.cli.text import human_size, safe
from peershelf.cli.values import whole_number

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from peershelf.cli.backend import Record
    from peershelf.cli.context import Context
    from peershelf.cli.grammar import Call

_TITLES = ("Scope", "Resource", "Used", "Limit", "Percent", "By")


def run(context: Context, call: Call) -> int:
    """Print a table, a line for each resource."""
    record = context.running_daemon().unary("swarm/resources", (), call.only("min-used-limit-perc"))
    if context.json:
        output.json_line(record)
        return 0
    _print([_TITLES, *(_cells(row) for row in record["Resources"] or ())])
    return 0


def _cells(row: Record) -> tuple[str, ...]:
    percent = "-" if row["Percent"] is None else f"{row['Percent']}%"
    used, limit = (_amount(row, key) for key in ("Usage", "Limit"))
    return (safe(row["Scope"]), safe(row["Name"]), used, limit, percent, safe(row["Whose"]))


def _amount(row: Record, key: str) -> str:
    value: Any = row[key]
    if value is None:
        return "-"
    return human_size(value) if row["Unit"] == "bytes" else str(value)


def _print(rows: list[tuple[str, ...]]) -> None:
    widths = [max(len(row[column]) for row in rows) for column in range(len(_TITLES))]
    for row in rows:
        output.line("  ".join(f"{cell:<{width}}" for cell, width in zip(row, widths, strict=True)).rstrip())


COMMAND = Command(
    "swarm resources",
    "Show what is bounded, and how much of it is in use",
    run,
    details="Of limits that hold for each peer or address, it shows who is nearest to them. Inbound\n"
    "connections count from accept on; half-open ones are still shaking hands. What has `-` for a limit\n"
    "is bounded by the other ones alone.",
    options=(
        Option(
            "--min-used-limit-perc",
            "only what is used to this percentage of its limit, or more",
            metavar="N",
            check=whole_number,
        ),
    ),
    examples=(
        ("swarm resources", "everything"),
        ("swarm resources --min-used-limit-perc 80", "what is nearly used up"),
    ),
)
