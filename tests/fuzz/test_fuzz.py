"""A few thousand damaged inputs for every parser. `scripts/fuzz` gives them a million each."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

FUZZING = Path(__file__).with_name("fuzzing")
INPUTS = 2_000


def test_no_parser_fails_on_damaged_input() -> None:
    """In a process of its own, whose memory is that of the parsers."""
    done = subprocess.run(
        [sys.executable, str(FUZZING), "--inputs", str(INPUTS)], capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stdout + done.stderr
    assert done.stdout.count(f"{INPUTS} inputs") >= 20, done.stdout


def test_a_failure_says_how_to_repeat_it() -> None:
    """The fuzzer itself: a parser with a bug, and the input that shows it."""
    code = "import campaign, inputs; t = campaign.Target([b'good'], lambda data: (data[4], None)[1]); "
    code += (
        "f = campaign.main(t, 7, range(100)); print(f.failures[0]); print(inputs.make([b'good'], 7, 0).hex())"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True, cwd=FUZZING
    )
    assert "seed 7, input" in done.stdout
    assert "IndexError" in done.stdout
