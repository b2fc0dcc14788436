"""A repo's denylists for a command without a node: read as they are now, beside whoever has the repo."""

from __future__ import annotations

from pathlib import Path

from peershelf.node.blocking import Blocking
from peershelf.node.config import Config
from peershelf.node.denylists.denylists import Denylists
from peershelf.node.denylists.places import directories
from peershelf.node.facade.denylists import DenylistAccess
from peershelf.node.repo import exists, load_settings


class DenylistsHere(DenylistAccess):
    """What a Node is to the operations of denylists. Nothing is locked.

    Where there is no repo the default settings hold, and none is made. Raises RepoError, ConfigError.
    """

    _read_only = True

    def __init__(self, repo: Path, blocking: Blocking) -> None:
        settings = load_settings(repo) if exists(repo) else Config.load(repo / "config.toml")
        self.blocking = blocking
        self.denylists = Denylists(directories(repo, settings.strings("Denylists.Directories")))
