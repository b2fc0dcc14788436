"""The import options of `add`, in Kubo's spelling, as an import profile."""

from __future__ import annotations

from peershelf.blockstore.multihash import hash_code
from peershelf.blockstore.unixfs.chunker import parse_chunker
from peershelf.blockstore.unixfs.profiles import Profile, profile_named, with_options
from peershelf.node.operations.request import Request

PROFILE_OPTIONS = frozenset(
    {
        "profile",
        "cid-version",
        "raw-leaves",
        "chunker",
        "hash",
        "max-file-links",
        "max-directory-links",
        "max-hamt-fanout",
    }
)


def requested_profile(default: Profile, request: Request) -> Profile:
    """The profile that the request's options make of `default`.

    Raises UsageError, UnsupportedHash or InvalidImportOption.
    """
    name = request.text("profile")
    hash_name = request.text("hash")
    chunker = request.text("chunker")
    return with_options(
        profile_named(name) if name else default,
        cid_version=request.integer("cid-version"),
        raw_leaves=request.flag("raw-leaves") if "raw-leaves" in request.options else None,
        chunk_size=parse_chunker(chunker) if chunker else None,
        max_links=request.integer("max-file-links"),
        hash_code=hash_code(hash_name) if hash_name else None,
        max_directory_links=request.integer("max-directory-links"),
        hamt_fanout=request.integer("max-hamt-fanout"),
    )
