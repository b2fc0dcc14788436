"""`stats bw`: how much goes over the line, and how fast."""

from __future__ import annotations

from peershelf.cli import output
from peershelf.cli.grammar import Command, Option
from peershelf.cli.text import human_size, safe
from peershelf.cli.values import duration

TYPE_CHECKING = False
if TYPE_CHECKING:
    from peershelf.cli.backend import Record
    from peershelf.cli.context import Context
    from peershelf.cli.grammar import Call

_COLUMNS = (
    ("Total In", "TotalIn"),
    ("Total Out", "TotalOut"),
    ("Rate In", "RateIn"),
    ("Rate Out", "RateOut"),
)
_OPTIONS = ("peer", "proto", "peers", "protocols", "poll", "interval")


def run(context: Context, call: Call) -> int:
    """Print totals and rates: a block, or a line for each of several."""
    tabular = not context.json and any(call.flag(key) for key in ("peers", "protocols", "poll"))
    titles = ["".join(f"{title:<14}" for title, _ in _COLUMNS).rstrip()] if tabular else []

    def show(record: Record) -> None:
        # Only now is it known that there is something to stand below the titles.
        while titles:
            output.line(titles.pop())
        (_json if context.json else _line if tabular else _block)(record)

    context.running_daemon().records("stats/bw", show, (), call.only(*_OPTIONS))
    for line in titles:
        output.line(line)
    return 0


def _json(record: Record) -> None:
    output.json_line(record, flush=True)


def _block(record: Record) -> None:
    output.line("Bandwidth")
    for (_, key), shown in zip(_COLUMNS, _values(record), strict=True):
        output.line(f"{key}: {shown}")


def _line(record: Record) -> None:
    name = safe(str(record.get("Peer") or record.get("Protocol") or ""))
    output.line(("".join(f"{shown:<14}" for shown in _values(record)) + name).rstrip(), flush=True)


def _values(record: Record) -> list[str]:
    sizes = ((key, human_size(float(record.get(key, 0)))) for _, key in _COLUMNS)
    return [f"{size}/s" if key.startswith("Rate") else size for key, size in sizes]


COMMAND = Command(
    "stats bw",
    "Show how much was sent and received, and how fast",
    run,
    details="Counted is what peers' streams carry, since the daemon started. PROTOCOL is an ID such as\n"
    "/ipfs/bitswap/1.2.0. Limits are set with `config set Swarm.UploadRate 2MB/s` and its like.",
    options=(
        Option("-p, --peer", "with this peer only", metavar="PEER"),
        Option("-t, --proto", "of this protocol only", metavar="PROTOCOL"),
        Option("--peers", "a line for each peer, also those that left lately"),
        Option("--protocols", "a line for each protocol"),
        Option("--poll", "go on, a line each time, until interrupted"),
        Option("-i, --interval", "how often with --poll (default 1s)", metavar="D", check=duration),
    ),
    examples=(
        ("stats bw", "everything since the daemon started"),
        ("stats bw --poll -i 5s", "a line every five seconds"),
        ("stats bw --peers", "who takes how much"),
        ("stats bw -t /ipfs/bitswap/1.2.0", "the exchange of blocks alone"),
    ),
)
