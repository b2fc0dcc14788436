"""One line of a denylist, without I/O.

    /ipfs/CID           content, by its multihash       /ipns/NAME    a name, by its multihash if it is a key
    /ipfs/CID/PATH      one path below it               //HASH        the hash of a CID or name and a path
    /ipfs/CID/PATH*     all paths that begin so

`!` before a rule makes it an exception; so do `+` and `-`, as for nopfs. Hints follow the rule.
https://specs.ipfs.tech/compact-denylist-format/#block-item
"""

from __future__ import annotations

import re
from binascii import unhexlify
from enum import Enum, auto
from typing import NamedTuple
from urllib.parse import unquote

from peershelf.blockstore import bases, multihash
from peershelf.blockstore.cid import Cid
from peershelf.blockstore.errors import InvalidCid, UnsupportedHash, quoted
from peershelf.node.denylists.errors import MalformedRule

_HEX = re.compile(r"[0-9a-fA-F]{64}")
_BARE_HEX_LINE = re.compile(rb"//([0-9a-fA-F]{64})\s*")
"""What public lists have half a million lines of."""
_DOUBLE_HASH = "// takes 64 hexadecimal digits, or a whole multihash in base58"
_BAD_PERCENT = re.compile(r"%(?![0-9a-fA-F]{2})")
_SHA2_256_HEAD = b"\x12\x20"
_PEER_ID_STARTS = ("1", "Qm")

EMPTY_CONTENT = frozenset(
    Cid.parse(text).multihash
    for text in (
        "QmUNLLsPACCz1vLxQVkXqqLX5R1X345qqfHbsf67hvA3Nn",
        "bafyaabakaieac",
        "bafkreihdwdcefgh4dqkjv67uzcmw7ojee6xedzdetojuzjevtenxquvyku",
        "bafkqaaa",
        "QmbFMke1KXqnYyBBWxB74N4c5SBnJMVAiMNRcGu6x1AwQH",
        "bafyreigbtj4x7ip5legnfznufuopl4sg4knzc2cof6duas4b3q2fy6swua",
        "baguqeeraiqjw7i2vwntyuekgvulpp2det2kpwt6cd7tx5ayqybqpmhfk76fa",
    )
)
"""Empty files, directories, maps: half of all DAGs have one of them, so that no rule may name them."""


class Kind(Enum):
    """What the key of a rule is."""

    CONTENT = auto()
    NAME = auto()
    HASHED = auto()


class Rule(NamedTuple):
    """What one line says."""

    kind: Kind
    key: bytes
    """A multihash, or the bytes of a domain name."""
    path: str = ""
    """Without slashes at its ends; bytes that are no UTF-8 are surrogate escapes."""
    is_prefix: bool = False
    """Whether every path that begins with `path` is meant."""
    allows: bool = False
    hints: str = ""
    """As they were written."""


def parse_line(line: bytes) -> Rule | None:
    """Read a line; None for a comment or an empty one. Raises MalformedRule."""
    bare = _BARE_HEX_LINE.fullmatch(line)
    if bare is not None:
        return Rule(Kind.HASHED, _SHA2_256_HEAD + unhexlify(bare[1]))
    try:
        fields = line.decode().split(None, 1)
    except UnicodeDecodeError:
        raise MalformedRule("the line is not UTF-8") from None
    if not fields or fields[0].startswith("#"):
        return None
    text, hints = fields[0], fields[1].strip() if len(fields) > 1 else ""
    allows = text[0] in "!+-"
    if allows:
        text = text[1:]
    if text.startswith("//"):
        return Rule(Kind.HASHED, _double_hash(text[2:]), allows=allows, hints=hints)
    for prefix, read_key, kind in _NAMESPACES:
        if text.startswith(prefix):
            name, _, path = text.removeprefix(prefix).partition("/")
            return Rule(kind, read_key(name), *_path(path), allows, hints)
    raise MalformedRule(f"a rule begins with /ipfs/, /ipns/ or //, not {quoted(text, 40)}")


def name_key(name: str) -> bytes:
    """Return the multihash of a name that is a key, and a domain name as it is compared."""
    try:
        return Cid.parse(name).multihash
    except InvalidCid:
        pass
    if name.startswith(_PEER_ID_STARTS):
        try:
            mh = bases.decode_base58_with_zeros(name)
            multihash.split(mh)
        except (ValueError, InvalidCid):
            pass
        else:
            return mh
    return name.lower().encode("utf-8", "surrogateescape")


def _content_key(text: str) -> bytes:
    try:
        mh = Cid.parse(text).multihash
    except InvalidCid as error:
        raise MalformedRule(str(error)) from None
    if mh in EMPTY_CONTENT:
        raise MalformedRule(f"{text} is empty content, which is never blocked")
    return mh


def _name_rule_key(text: str) -> bytes:
    if not text or text.endswith("*"):
        raise MalformedRule("a name has to follow /ipns/, and the * of a path only after its own /")
    return name_key(text)


_NAMESPACES = (
    ("/ipfs/", _content_key, Kind.CONTENT),
    ("/ipld/", _content_key, Kind.CONTENT),
    ("/ipns/", _name_rule_key, Kind.NAME),
)


def _path(text: str) -> tuple[str, bool]:
    """The path of a rule as it is compared, and whether it is a prefix. Only a * at the very end counts."""
    bare = text.removesuffix("/*") if text.endswith("/*") else text.removesuffix("*")
    if _BAD_PERCENT.search(bare):
        raise MalformedRule(f"a % in a path is written %25: {quoted(text)}")
    return unquote(bare, errors="surrogateescape").strip("/"), bare != text


def _double_hash(text: str) -> bytes:
    """The multihash of a double hash: hexadecimal SHA2-256, or base58 of any function.

    Nothing can be both: 64 digits of base58 are 47 bytes, and no function known here makes such multihashes.
    """
    if _HEX.fullmatch(text):
        return _SHA2_256_HEAD + bytes.fromhex(text)
    try:
        mh = bases.decode_base58(text)
        code, _ = multihash.split(mh)
        is_whole = code != multihash.IDENTITY and len(multihash.multihash(code, b"")) == len(mh)
    except (ValueError, InvalidCid) as error:
        known = isinstance(error, UnsupportedHash)
        raise MalformedRule(str(error) if known else f"{_DOUBLE_HASH}, not {quoted(text)}") from None
    if not is_whole:
        raise MalformedRule(f"{_DOUBLE_HASH}, neither shortened nor the identity")
    return mh
