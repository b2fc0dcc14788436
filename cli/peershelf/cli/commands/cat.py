"""`cat`: a CID becomes its file's bytes."""

from __future__ import annotations

import sys

from peershelf.cli import output
from peershelf.cli.grammar import Argument, Command, Option
from peershelf.cli.output import Output
from peershelf.cli.progress import Progress
from peershelf.cli.values import whole_number

TYPE_CHECKING = False
if TYPE_CHECKING:
    from peershelf.cli.context import Context
    from peershelf.cli.grammar import Call


def run(context: Context, call: Call) -> int:
    """Write the files' bytes to standard output as they come."""
    dials = call.text("peer") is not None
    # On a terminal the bytes themselves show that something comes.
    progress = Progress(enabled=call.flag("progress", default=True) and not sys.stdout.isatty())
    descriptor = output.regular_file()
    handed = None if descriptor is None else Output(descriptor, progress.told)
    backend = context.backend(create=dials, online=dials, finds=True, hands_over=handed is not None)
    options = call.only("offset", "length", "peer")
    write = progress.counting(output.raw)
    try:
        backend.stream("cat", write, call.arguments, options, progress.expect, handed)
    finally:
        progress.clear()
    return 0


COMMAND = Command(
    "cat",
    "Print a file by its CID",
    run,
    arguments=(Argument("CID[/path]", many=True),),
    details="Takes CIDs of every kind, /ipfs/CID/path and ipfs://CID/path. What is not stored here is\n"
    "fetched from peers that have it, and printed in order as it arrives.",
    options=(
        Option("-o, --offset", "skip this many bytes", metavar="BYTES", check=whole_number),
        Option("-l, --length", "print at most this many bytes", metavar="BYTES", check=whole_number),
        Option("-p, --progress", "a progress bar on a terminal, if the output goes elsewhere (default true)"),
        Option("--peer", "connect to this peer first; needs no daemon", metavar="ADDR"),
    ),
    examples=(
        ("cat CID > big.iso", "write a file back to disk"),
        ("cat -o 1000 -l 24 CID", "24 bytes from the middle"),
        ("cat --peer /ip4/192.0.2.7/tcp/4001/p2p/PEER CID", "fetch it from that node, without a daemon"),
    ),
)
