"""Times, and names that need not be text, in JSON, which has nothing but text."""

from __future__ import annotations

import base64
from datetime import UTC, datetime


def utc(seconds: float) -> str:
    """Return a time in seconds since 1970 as 2026-01-31T23:59:59Z."""
    return datetime.fromtimestamp(seconds, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def text_fields(key: str, value: bytes) -> dict[str, str]:
    """Return the field `key`, as Kubo has it: what is no UTF-8 is replaced by U+FFFD.

    Where that has happened, a field `keyBytes` has the true bytes, in base64.
    """
    try:
        return {key: value.decode()}
    except UnicodeDecodeError:
        exact = base64.b64encode(value).decode()
        return {key: value.decode("utf-8", "replace"), f"{key}Bytes": exact}


def as_text(name: str) -> str:
    """Return a name of this system, as os.fsdecode() gives it, with what is no UTF-8 replaced."""
    return name.encode("utf-8", "surrogateescape").decode("utf-8", "replace")
