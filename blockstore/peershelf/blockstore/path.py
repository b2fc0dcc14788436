"""What users write to name content: a CID, perhaps with a path, perhaps as a path or URL of IPFS.

https://specs.ipfs.tech/http-gateways/path-gateway/ and the ipfs:// scheme of https://www.iana.org/assignments/uri-schemes
"""

from __future__ import annotations

from collections.abc import Iterable
from contextlib import suppress

from peershelf.blockstore.cid import Cid
from peershelf.blockstore.errors import InvalidCid, InvalidPath, quoted

_PATH_PREFIX = "/ipfs/"
_URL_PREFIX = "ipfs://"


def parse_reference(text: str) -> tuple[Cid, tuple[str, ...]]:
    """Read `CID[/path]`, `/ipfs/CID[/path]` or `ipfs://CID[/path]`; return the CID and the path's names.

    Only the URL form is percent-decoded, name by name, and loses its query and fragment. Names keep bytes
    that are not UTF-8 as surrogate escapes, as command-line arguments do. Raises InvalidPath or InvalidCid.
    """
    if text.startswith(_URL_PREFIX):
        parts = _url_parts(text.removeprefix(_URL_PREFIX))
    else:
        parts = text.removeprefix(_PATH_PREFIX).split("/")
    root, *rest = parts
    if not root:
        raise InvalidPath(f"write CID, CID/path, /ipfs/CID/path or ipfs://CID/path, not {quoted(text)}")
    names = tuple(name for name in rest if name)
    for name in names:
        _check_name(name, text)
    return Cid.parse(root), names


def root_cids(references: Iterable[Cid | str]) -> list[Cid]:
    """Return the CIDs that references begin with, leaving out what is no reference."""
    roots: list[Cid] = []
    for reference in references:
        with suppress(InvalidPath, InvalidCid):
            roots.append(parse_reference(reference)[0] if isinstance(reference, str) else reference)
    return roots


def name_bytes(name: str) -> bytes:
    """Return a path name as the bytes that link names are compared by."""
    return name.encode("utf-8", "surrogateescape")


def _url_parts(rest: str) -> list[str]:
    from urllib.parse import unquote  # 5 ms that only URLs need

    bare = rest.partition("#")[0].partition("?")[0]
    return [unquote(part, errors="surrogateescape") for part in bare.split("/")]


def _check_name(name: str, text: str) -> None:
    if name in (".", ".."):
        raise InvalidPath(f"paths inside a CID have no '.' or '..': {quoted(text)}")
    try:
        name_bytes(name)
    except UnicodeEncodeError:
        raise InvalidPath(f"not a path: {quoted(text)}") from None
