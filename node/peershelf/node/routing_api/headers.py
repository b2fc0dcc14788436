"""What goes before an answer: for caches, for browsers, and what a client says that it takes.

Spec: https://specs.ipfs.tech/routing/http-routing-v1/
"""

from __future__ import annotations

from collections.abc import Mapping
from email.utils import formatdate
from hashlib import sha256

from starlette.types import Scope

from peershelf.protocols.routing.delegated import naming
from peershelf.protocols.routing.records.ipns import IpnsRecord

JSON, LINES, RECORD = "application/json", "application/x-ndjson", naming.RECORD_TYPE

_FOUND, _NOTHING = 300, 15
"""Seconds that an answer may be kept for."""
_WINDOW = 48 * 3600
"""Seconds after which the DHT forgets."""
_DEFAULT_TTL = 60
_NANO = 1_000_000_000
_BROWSERS = {
    "Access-Control-Allow-Origin": "*",
    "Access-Control-Allow-Methods": "GET, PUT, OPTIONS",
    "Access-Control-Allow-Headers": "Accept, Content-Type",
}


def common(content_type: str) -> dict[str, str]:
    """Headers of every answer: any web page may ask, for nothing here is anybody's own."""
    return {"Content-Type": content_type, "Vary": "Accept", **_BROWSERS}


def of_peers(content_type: str, *, found: bool, now: float) -> dict[str, str]:
    """Headers of an answer that names peers; one that names none is soon asked for again."""
    lasts = f"stale-while-revalidate={_WINDOW}, stale-if-error={_WINDOW}"
    return {
        **common(content_type),
        "Cache-Control": f"public, max-age={_FOUND if found else _NOTHING}, {lasts}",
        "Last-Modified": formatdate(now, usegmt=True),
    }


def of_record(data: bytes, record: IpnsRecord, now: float) -> dict[str, str]:
    """Headers of an answer that is a name's record, which is kept no longer than it holds."""
    left = max(0, record.ends // _NANO - int(now))
    fresh = min(record.ttl // _NANO or _DEFAULT_TTL, left)
    headers = {
        **common(RECORD),
        "Cache-Control": f"public, max-age={fresh}, stale-while-revalidate={left}, stale-if-error={left}",
        "Last-Modified": formatdate(now, usegmt=True),
        "Etag": f'"{sha256(data).hexdigest()[:32]}"',
    }
    try:
        return {**headers, "Expires": formatdate(record.ends // _NANO, usegmt=True)}
    except (OverflowError, ValueError, OSError):
        return headers


def header(scope: Scope, name: bytes) -> str:
    """The values of a request's header, joined as HTTP joins them; empty where there is none."""
    return ",".join(value.decode("latin-1") for key, value in scope["headers"] if key == name)


def accepts(scope: Scope, content_type: str, *wildcards: str) -> bool:
    """Whether a client names a content type, or one of some wildcards, as what it takes."""
    for one in header(scope, b"accept").lower().split(","):
        name, *parameters = (part.strip() for part in one.split(";"))
        if name in (content_type, *wildcards) and _weight(parameters) > 0:
            return True
    return False


def _weight(parameters: list[str]) -> float:
    said: Mapping[str, str] = dict(one.split("=", 1) for one in parameters if "=" in one)
    try:
        return float(said.get("q", "1"))
    except ValueError:
        return 0.0
