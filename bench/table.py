"""The table on the terminal, and the same figures as JSON. No I/O."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

from bench.results import Result, Series, Verdict

_HEAD = ("work", "unit", "peershelf", "min–max", "against", "theirs", "min–max", "ratio", "target", "verdict")
_LEFT = frozenset({0, 1, 4, 8, 9})


def render(results: Sequence[Result]) -> str:
    """All results as lines of equal columns; reasons and notes stand below the line that they belong to."""
    rows = [_HEAD, *(_cells(result) for result in results)]
    widths = [max(len(row[column]) for row in rows) for column in range(len(_HEAD))]
    lines = [_line(_HEAD, widths), "  ".join("─" * width for width in widths)]
    group = results[0].row if results else ""
    for result in results:
        if result.row != group:
            lines.append("")
            group = result.row
        lines.append(_line(_cells(result), widths))
        lines.extend(f"    {remark}" for remark in (result.failure, result.note) if remark)
    return "\n".join(lines)


def tally(results: Iterable[Result]) -> str:
    """How many lines met their target, missed it, or could not run."""
    verdicts = [result.verdict for result in results]
    met = sum(verdict in (Verdict.AIM, Verdict.MET) for verdict in verdicts)
    aimed = verdicts.count(Verdict.AIM)
    missed, failed = verdicts.count(Verdict.MISSED), verdicts.count(Verdict.FAIL)
    return f"{met} met ({aimed} of them the aim), {missed} missed, {failed} FAIL"


def as_json(result: Result) -> dict[str, Any]:
    """One result with every sample."""
    return {
        "row": result.row,
        "work": result.work,
        "unit": result.unit,
        "ours": _series_json(result.ours),
        "other": _series_json(result.other) if result.other else None,
        "ratio": result.ratio,
        "target": str(result.target) if result.target else None,
        "verdict": result.verdict.value,
        "note": result.note,
    }


def _series_json(series: Series) -> dict[str, Any]:
    return {
        "name": series.name,
        "median": series.median,
        "samples": list(series.samples),
        "error": series.error,
    }


def _cells(result: Result) -> tuple[str, ...]:
    other = result.other
    ratio = "" if result.ratio is None else f"{result.ratio:.2f}"
    if result.ratio is not None and result.ratio < 0.1:
        ratio = f"1/{1 / result.ratio:.0f}" if result.ratio else "0"
    return (
        result.work,
        result.unit,
        _median(result.ours),
        _range(result.ours),
        other.name if other else "",
        _median(other) if other else "",
        _range(other) if other else "",
        ratio,
        str(result.target or ""),
        result.verdict.value,
    )


def _median(series: Series) -> str:
    return "–" if series.median is None else number(series.median)


def _range(series: Series) -> str:
    if len(series.samples) < 2 or series.error is not None:
        return ""
    return f"{number(min(series.samples))}–{number(max(series.samples))}"


def number(value: float) -> str:
    """Three digits that count, and no more noise than that."""
    if abs(value) >= 100:
        return f"{value:,.0f}"
    return f"{value:.1f}" if abs(value) >= 10 else f"{value:.2f}"


def _line(cells: Sequence[str], widths: Sequence[int]) -> str:
    aligned = (
        cell.ljust(width) if column in _LEFT else cell.rjust(width)
        for column, (cell, width) in enumerate(zip(cells, widths, strict=True))
    )
    return "  ".join(aligned).rstrip()
