"""`dag put`: store data as blocks."""

from __future__ import annotations

from peershelf.cli.commands.dag_get import CODECS
from peershelf.cli.grammar import Argument, Command, Option
from peershelf.cli.sources import STDIN, collect

TYPE_CHECKING = False
if TYPE_CHECKING:
    from peershelf.cli.backend import Record
    from peershelf.cli.context import Context
    from peershelf.cli.grammar import Call


def run(context: Context, call: Call) -> int:
    """Store each file, or standard input, as one node and print its CID."""

    def show(record: Record) -> None:
        context.show(record, [str(record["Cid"]["/"])], flush=True)

    options = call.only("store-codec", "input-codec", "hash", "pin", "allow-big-block")
    sources = collect(call.arguments or [STDIN])
    context.backend(create=True).records("dag/put", show, options=options, sources=sources)
    return 0


COMMAND = Command(
    "dag put",
    "Store data as a block and print its CID",
    run,
    arguments=(Argument("FILE", many=True, optional=True),),
    details='Without FILE, standard input. In dag-json a link is {"/": "CID"}, and bytes are\n'
    '{"/": {"bytes": "base64"}}. What is not pinned, or linked to from a pin, goes with the next `repo gc`.',
    options=(
        Option("--store-codec", "how to store it (default dag-cbor)", metavar="NAME", choices=CODECS),
        Option("--input-codec", "what FILE is (default dag-json)", metavar="NAME", choices=CODECS),
        Option("--hash", "the hash function (default sha2-256)", metavar="NAME"),
        Option("--pin", "keep it, and fetch and keep all that it links to (default false)"),
        Option("--allow-big-block", "only false, as Kubo's scripts may say: no peer takes big blocks"),
    ),
    examples=(
        ("dag put person.json", "store JSON as dag-cbor"),
        ("dag put --input-codec dag-cbor < node.cbor", "store dag-cbor, which must be canonical"),
        ("dag put --store-codec dag-json --pin < person.json", "store it as it is, and keep it"),
    ),
)
