"""A disk that is full behind the output which a daemon writes for a command."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Callable
from pathlib import Path


def test_no_space_is_the_outputs_failure(shelf, disk_of: Callable[[str], Path], tmp_path: Path) -> None:
    disk = disk_of("1m")
    content = os.urandom(3 << 20)
    with shelf.running():
        cid = shelf.text("add", "-Q", "-", input=content)
        with (disk / "out").open("wb") as output:
            done = subprocess.run(
                [*shelf.program, "cat", cid],
                env=shelf.environment,
                stdout=output,
                stderr=subprocess.PIPE,
                check=False,
            )
        assert done.returncode == 1
        assert done.stderr == b"Error: cannot write to standard output: No space left on device\n"
        assert (disk / "out").read_bytes() == content[: 1 << 20]
        assert shelf("cat", cid) == content
