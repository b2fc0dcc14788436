"""The operation `add`."""

from __future__ import annotations

from functools import partial

from peershelf.node.api import Node
from peershelf.node.iterators import Closeable
from peershelf.node.operations.adding import SENT_AT_ONCE, Adding
from peershelf.node.operations.base import Records
from peershelf.node.operations.profile import PROFILE_OPTIONS
from peershelf.node.operations.request import Record, Request

# Its command line sends these along; they are about what it reads and how it prints.
_FOR_KUBOS_COMMAND_LINE = frozenset(
    {
        "quiet",
        "stdin-name",
        "recursive",
        "inline-limit",
        "hidden",
        "ignore",
        "ignore-rules-path",
        "dereference-args",
        "dereference-symlinks",
    }
)


def add(node: Node, request: Request) -> Closeable[Record]:
    """Records of what was added, once it is durable and pinned; with `progress`, others on the way.

    A tree's files and links come in their order, then its directories, the root last.
    """
    adding = Adding(node, request)
    return node.run_stream(partial(adding.run, request.parts), buffered=SENT_AT_ONCE)


ADD = Records(
    "add",
    add,
    takes_parts=True,
    takes_files=True,
    options=frozenset(
        {
            "progress",
            "pin",
            "no-provide",
            "only-hash",
            "quieter",
            "silent",
            "wrap-with-directory",
            "preserve-mode",
            "preserve-mtime",
            "mode",
            "mtime",
            "mtime-nsecs",
        }
    )
    | PROFILE_OPTIONS
    | _FOR_KUBOS_COMMAND_LINE,
    repeatable=frozenset({"ignore"}),
    fixed={
        "trickle": "false",
        "nocopy": "false",
        "fscache": "false",
        "inline": "false",
        "empty-dirs": "true",
    },
)
