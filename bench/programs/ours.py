"""The `peershelf` that is first on PATH."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path

from bench.process import clean_environment
from bench.programs.repo import Repo, program_on_path


class OurRepo(Repo):
    """A repo with the profile `test`: loopback addresses and free ports; 1 MiB chunks are the default."""

    name = "peershelf"

    @property
    def program(self) -> Path:
        return program_on_path("peershelf")

    @property
    def environment(self) -> Mapping[str, str]:
        return {**clean_environment(), "PEERSHELF_PATH": str(self.path)}

    def _initialise(self) -> None:
        self.run("init", "--profile", "test")

    def securities(self) -> list[str]:
        peers = json.loads(self.rpc("/api/v0/swarm/peers?verbose=true"))["Peers"]
        return sorted({str(peer["Security"]).strip("/").split("/")[0] for peer in peers})

    def set(self, key: str, value: str) -> None:
        """Change the configuration. Raises ProgramFailed where there is no such key."""
        self.run("config", "set", key, value)
