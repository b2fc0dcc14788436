"""Checks of option values: each raises ValueError saying what is wanted."""

from __future__ import annotations

_SECONDS = {"ms": 1e-3, "s": 1.0, "m": 60.0, "h": 3600.0}


def whole_number(text: str) -> int:
    """A count or a number of bytes, 0 or more."""
    if not (text.isascii() and text.isdigit()):
        raise ValueError("a whole number, 0 or more, is needed")
    return int(text)


def positive_number(text: str) -> int:
    """A count of at least one."""
    number = whole_number(text)
    if number == 0:
        raise ValueError("at least 1 is needed")
    return number


def duration(text: str) -> float:
    """Seconds, from a duration such as `30s`, `1m30s`, `1.5h` or `300ms`."""
    import re

    parts = re.findall(r"([0-9]+(?:\.[0-9]+)?)(ms|s|m|h)", text)
    if not parts or "".join(number + unit for number, unit in parts) != text:
        raise ValueError("a duration such as 30s, 2m30s or 500ms is needed")
    seconds = sum(float(number) * _SECONDS[unit] for number, unit in parts)
    if seconds <= 0:
        raise ValueError("more than nothing is needed")
    return seconds
