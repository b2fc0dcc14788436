"""`block put`: store bytes as blocks."""

from __future__ import annotations

from peershelf.cli.grammar import Argument, Command, Option
from peershelf.cli.sources import STDIN, collect

TYPE_CHECKING = False
if TYPE_CHECKING:
    from peershelf.cli.backend import Record
    from peershelf.cli.context import Context
    from peershelf.cli.grammar import Call


def run(context: Context, call: Call) -> int:
    """Store each file, or standard input, as one block and print its CID."""

    def show(record: Record) -> None:
        context.show(record, [str(record["Key"])], flush=True)

    sources = collect(call.arguments or [STDIN])
    options = call.only("cid-codec", "mhtype", "pin")
    context.backend(create=True).records("block/put", show, options=options, sources=sources)
    return 0


COMMAND = Command(
    "block put",
    "Store bytes as a block and print its CID",
    run,
    arguments=(Argument("FILE", many=True, optional=True),),
    details="Without FILE, standard input. A block holds at most 2 MiB; `add` takes files of any size.",
    options=(
        Option("--cid-codec", "what the bytes are (default raw)", metavar="NAME"),
        Option("--mhtype", "the hash function (default sha2-256)", metavar="NAME"),
        Option("--pin", "keep it, and all that it links to, fetched if need be (default false)"),
    ),
    examples=(
        ("block put block.bin", "store a file as one raw block"),
        ("block put --cid-codec dag-pb < node.bin", "store a dag-pb node from standard input"),
    ),
)
