"""Records of names over HTTP: where a router has them, and what its answer says.

Spec: https://specs.ipfs.tech/routing/http-routing-v1/#ipns-api
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import trio

from peershelf.blockstore.cid import LIBP2P_KEY, Cid
from peershelf.blockstore.errors import InvalidCid
from peershelf.protocols.errors import RemoteProtocolError
from peershelf.protocols.routing.records.namespaces import MAX_VALUE

if TYPE_CHECKING:
    import httpx

RECORD_TYPE = "application/vnd.ipfs.ipns-record"
ACCEPT = {"Accept": RECORD_TYPE}
CONTENT = {"Content-Type": RECORD_TYPE}

_KEY_PREFIX = b"/ipns/"


def path_of(key: bytes) -> str | None:
    """Return where a router has the value of a key; None for keys that are of no name."""
    if not key.startswith(_KEY_PREFIX):
        return None
    try:
        return f"ipns/{Cid.v1(LIBP2P_KEY, key.removeprefix(_KEY_PREFIX))}"
    except InvalidCid:
        return None


async def read_record(response: httpx.Response) -> bytes | None:
    """Return the record that an answer has; None if it has none, as one of another type means.

    Raises RemoteProtocolError, and httpx's errors.
    """
    if response.status_code == 404:
        return None
    if response.status_code != 200:
        raise RemoteProtocolError(f"it answers with HTTP status {response.status_code}")
    if response.headers.get("Content-Type", "").partition(";")[0].strip().lower() != RECORD_TYPE:
        return None
    record = bytearray()
    # Cancelling the next read unwinds the generators within httpx, which are nested.
    with trio.CancelScope() as enough:
        async for piece in response.aiter_raw():
            record += piece[: MAX_VALUE + 1 - len(record)]
            if len(record) > MAX_VALUE:
                enough.cancel()
    if enough.cancelled_caught:
        raise RemoteProtocolError("its record is too large")
    return bytes(record)
