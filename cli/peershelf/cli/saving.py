"""What comes from the node goes to disk: whole, or not at all, and then the command says where it is."""

from __future__ import annotations

import os

from peershelf.cli.signals import all_like_ctrl_c
from peershelf.cli.text import human_size
from peershelf.node.operations.texts import text_fields

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable

    from peershelf.cli.backend import Write
    from peershelf.cli.context import Context
    from peershelf.cli.progress import Progress
    from peershelf.cli.sinks import ArchiveSink, TreeSink


def save(
    context: Context, sink: ArchiveSink | TreeSink, progress: Progress, stream: Callable[[Write], None]
) -> None:
    """Have `stream` write into the sink. However that ends, nothing half-written is left. Raises CliError."""
    with all_like_ctrl_c():
        try:
            stream(progress.counting(sink.write))
            sink.finish()
        finally:
            progress.clear()
            sink.close()
    context.show(
        {**text_fields("Path", os.fsencode(sink.path)), "Bytes": sink.size},
        [f"saved {sink.path} ({human_size(sink.size)})"],
    )
