"""Other people's programs, built once and kept outside the checkout.

As a program it builds what is missing and prints where everything is: python interop/peers/peer_cache.py
"""

from __future__ import annotations

import fcntl
import hashlib
import os
import platform
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path

INTEROP = Path(__file__).resolve().parent.parent
BUILD_TIMEOUT = 1_800.0


class PeerUnavailable(Exception):
    """A peer can be neither found nor built here; the text says why, on one line."""


@dataclass(frozen=True)
class Recipe:
    """How to get one program.

    Args:
        name: names its folder in the cache.
        tool: the command without which it cannot be built.
        inputs: the files that decide what is built; a change to any of them makes a new build.
        build: builds into an empty directory.
    """

    name: str
    tool: str
    inputs: tuple[Path, ...]
    build: Callable[[Path], None]

    def key(self) -> str:
        """Return what sets one build apart from another: inputs and machine."""
        digest = hashlib.sha256(f"{platform.system()} {platform.machine()}\n".encode())
        for path in sorted(self.inputs):
            digest.update(path.name.encode() + b"\0" + hashlib.sha256(path.read_bytes()).digest())
        return digest.hexdigest()[:16]


def cache_root() -> Path:
    """Return where builds are kept: $PEERSHELF_INTEROP_CACHE, else below the user's cache directory."""
    override = os.environ.get("PEERSHELF_INTEROP_CACHE")
    if override:
        return Path(override)
    return Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "peershelf-interop"


def installed(recipe: Recipe) -> Path:
    """Return the directory of a finished build, building it if it is not there. Raises PeerUnavailable.

    Two processes may ask at once: one builds, the other waits. A build appears all at once, by a rename.
    """
    root = cache_root()
    root.mkdir(parents=True, exist_ok=True)
    final = root / f"{recipe.name}-{recipe.key()}"
    if final.exists():
        return final
    if shutil.which(recipe.tool) is None:
        raise PeerUnavailable(f"{recipe.name} needs `{recipe.tool}` to be built, which is not installed")
    with (root / f"{recipe.name}.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not final.exists():
            _build(recipe, final)
    return final


def _build(recipe: Recipe, final: Path) -> None:
    """Build into a folder beside `final`, under the lock: what an interrupted build has left is removed."""
    print(f"building {recipe.name} for the interop tests (once, some minutes)…", file=sys.stderr, flush=True)
    for left_over in final.parent.glob(f".{recipe.name}-*"):
        shutil.rmtree(left_over, ignore_errors=True)
    unfinished = Path(tempfile.mkdtemp(prefix=f".{recipe.name}-", dir=final.parent))
    try:
        recipe.build(unfinished)
        unfinished.rename(final)
    except subprocess.TimeoutExpired as error:
        raise PeerUnavailable(f"building {recipe.name} took over {error.timeout:.0f} s") from error
    except subprocess.CalledProcessError as error:
        lines = error.output.decode(errors="replace").strip().splitlines()
        raise PeerUnavailable(f"building {recipe.name} failed: {lines[-1] if lines else error}") from error
    finally:
        shutil.rmtree(unfinished, ignore_errors=True)


def copy_inputs(inputs: Iterable[Path], directory: Path) -> None:
    """Copy `inputs` flat into `directory`, so that no tool writes into the checkout."""
    for path in inputs:
        shutil.copy(path, directory / path.name)


def run_tool(command: list[str], directory: Path, **environment: str) -> None:
    """Run a build command. Raises subprocess.CalledProcessError with its output."""
    subprocess.run(
        command,
        cwd=directory,
        env={**os.environ, **environment},
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        timeout=BUILD_TIMEOUT,
        check=True,
    )


if __name__ == "__main__":
    import helia_peer
    import kubo_peer

    for wanted in (kubo_peer.RECIPE, helia_peer.RECIPE):
        try:
            print(wanted.name, installed(wanted))
        except PeerUnavailable as unavailable:
            sys.exit(str(unavailable))
