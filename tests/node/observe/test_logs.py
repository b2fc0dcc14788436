"""What a daemon writes to standard error; in processes of their own, since logging is global."""

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Literal

WRITE = """
import logging, sys, structlog
from peershelf.node.observe import logs
logs.configure(sys.argv[1], sys.argv[2])
log = structlog.get_logger("peershelf.test")
log.debug("quiet")
log.info("hello", peer="evil\\x1b[2J\\u202e", size=7)
logging.getLogger("libp2p.noisy").error("stranger failed")
logging.getLogger("another").warning("from the standard module")
try:
    raise LookupError("lost")
except LookupError:
    log.exception("broken")
"""


def written(level: str, form: Literal["console", "json"]) -> list[str]:
    done = subprocess.run(
        [sys.executable, "-c", WRITE, level, form], capture_output=True, text=True, check=True
    )
    assert done.stdout == "", "standard output belongs to the command's answer"
    return done.stderr.splitlines()


def test_json_logs_are_one_object_a_line() -> None:
    lines = [json.loads(line) for line in written("info", "json")]
    hello = lines[0]
    assert (hello["event"], hello["size"], hello["level"]) == ("hello", 7, "info")
    assert hello["peer"] == "evil\x1b[2J\u202e", "programs get the true text"
    assert [line["event"] for line in lines] == ["hello", "from the standard module", "broken"]
    assert "LookupError: lost" in lines[-1]["exception"]


def test_lines_for_people_escape_what_strangers_chose() -> None:
    text = "\n".join(written("info", "console"))
    assert "\x1b[2J" not in text
    assert "\u202e" not in text
    assert r"\x1b[2J" in text


def test_the_level_holds_back_what_is_less_serious() -> None:
    assert any("quiet" in line for line in written("debug", "console"))
    assert not any("hello" in line for line in written("warning", "console"))


def test_libraries_failures_with_strangers_are_for_those_who_debug() -> None:
    assert not any("stranger" in line for line in written("info", "console"))
    assert any("stranger" in line for line in written("debug", "console"))


def written_on_a_terminal(**environment: str) -> bytes:
    """What is logged where standard error is a terminal."""
    controller, terminal = os.openpty()
    with os.fdopen(terminal, "wb") as stderr:
        subprocess.run(
            [sys.executable, "-c", WRITE, "info", "console"],
            stderr=stderr,
            check=True,
            env={**os.environ, "TERM": "xterm", "NO_COLOR": "", **environment},
        )
    with os.fdopen(controller, "rb", buffering=0) as file:
        return file.read(1 << 16)


def test_a_terminal_gets_colours_unless_its_user_wants_none() -> None:
    assert b"\x1b[" in written_on_a_terminal()
    assert b"\x1b[" not in written_on_a_terminal(NO_COLOR="1")
    assert b"\x1b[" not in written_on_a_terminal(TERM="dumb")


def test_a_program_that_embeds_a_node_hears_of_libraries_what_it_asks_for() -> None:
    """A network interface without multicast was worth a traceback to users of the program."""
    program = """
import logging
from peershelf.node.observe import logs
logging.getLogger("hypercorn").setLevel("WARNING")
logs.use_standard_module()
for name in ("zeroconf", "libp2p", "hypercorn"):
    logging.getLogger(name).warning("%s says", name)
"""
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert done.stderr == "hypercorn says\n"


EMBED = """
import sys, trio
from peershelf.node import Node
from peershelf.node.observe import later

async def main():
    async with Node(sys.argv[1], online=False) as node:
        log = later.Logger("peershelf.test")
        log.debug("quiet")
        log.warning("heard")

trio.run(main)
"""


def test_a_program_that_embeds_a_node_keeps_its_standard_output(tmp_path: Path) -> None:
    done = subprocess.run(
        [sys.executable, "-c", EMBED, str(tmp_path / "repo")], capture_output=True, text=True, check=True
    )
    assert done.stdout == ""
    assert "quiet" not in done.stderr
    assert "heard" in done.stderr
