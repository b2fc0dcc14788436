"""`dag get`: what a path leads to, as data."""

from __future__ import annotations

from peershelf.cli import output
from peershelf.cli.grammar import Argument, Command, Option

TYPE_CHECKING = False
if TYPE_CHECKING:
    from peershelf.cli.context import Context
    from peershelf.cli.grammar import Call

CODECS = ("dag-json", "dag-cbor", "dag-pb", "raw")


def run(context: Context, call: Call) -> int:
    """Write the node to standard output, exactly as its codec has it: no line end is added."""
    context.backend(finds=True).stream("dag/get", output.raw, call.arguments, call.only("output-codec"))
    return 0


COMMAND = Command(
    "dag get",
    "Print what a path leads to, as dag-json",
    run,
    arguments=(Argument("CID[/path]"),),
    details="The path goes through map keys, list indices and links, in dag-cbor and dag-json, and through\n"
    "the names of links in dag-pb; /ipld/CID/Links/0/Hash goes by the fields of dag-pb instead.",
    options=(Option("--output-codec", "how to print it (default dag-json)", metavar="NAME", choices=CODECS),),
    examples=(
        ("dag get CID", "a node as JSON"),
        ("dag get CID/people/0/name", "a part of it"),
        ("dag get --output-codec dag-cbor CID > node.cbor", "its bytes as dag-cbor"),
    ),
)
