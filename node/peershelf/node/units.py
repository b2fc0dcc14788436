"""Sizes, rates and durations as people write them."""

from __future__ import annotations

import re

_UNITS = {"": 1, "B": 1, "KB": 10**3, "MB": 10**6, "GB": 10**9, "TB": 10**12}
_UNITS |= {"KIB": 1 << 10, "MIB": 1 << 20, "GIB": 1 << 30, "TIB": 1 << 40}
_DURATION_PART = re.compile(r"(\d+(?:\.\d+)?)(ms|s|m|h)")
LEAST_RATE = 1_000
_SECONDS = {"ms": 0.001, "s": 1.0, "m": 60.0, "h": 3600.0}


def parse_size(text: str) -> int:
    """Return the bytes that a size such as "10GB" or "64MiB" stands for. Raises ValueError."""
    match = re.fullmatch(r"\s*(\d+(?:\.\d+)?)\s*([A-Za-z]*)\s*", text)
    if match is None or match[2].upper() not in _UNITS:
        raise ValueError(f"{text!a} is no size; write one as 10GB or 64MiB")
    return int(float(match[1]) * _UNITS[match[2].upper()])


def parse_rate(text: str) -> int:
    """Return the bytes per second of "2MB/s" or "500KB"; 0 for "0" and "unlimited". Raises ValueError."""
    if text.strip().lower() == "unlimited":
        return 0
    try:
        rate = parse_size(text.strip().removesuffix("/s"))
    except ValueError:
        raise ValueError(f"{text!a} is no rate; write one as 2MB/s or 500KB/s") from None
    if 0 < rate < LEAST_RATE:
        raise ValueError(f"{text!a} is too slow to be of any use; 1KB/s is the least")
    return rate


def parse_duration(text: str) -> float:
    """Return the seconds of a duration such as "30s", "1m30s" or "250ms". Raises ValueError."""
    parts = _DURATION_PART.findall(text)
    if not parts or "".join(number + unit for number, unit in parts) != text:
        raise ValueError(f"{text!a} is no duration; write one as 30s, 1m30s or 250ms")
    return sum(float(number) * _SECONDS[unit] for number, unit in parts)
