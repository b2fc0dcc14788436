"""The data directory: what is in it, who may use it, and how it comes to be.

    config.toml   settings            identity.key  the node's key, mode 0600
    facts.db      pins                version       the layout's number
    segments/     blocks              index.db      where each block is; can be rebuilt
    reserve       space for a full disk     migration/    pins as they were before `repo migrate`
    lock          held while in use   api           the daemon's address, while one runs
    api.sock      the API for this user's commands alone, while a daemon runs
    peers.json    peers of late; can be lost    denylists/    the operator's: what is not to be shared
    swarm.key     the private network's key, if it is in one

The flock on `lock` is the truth about who has the repo; the text in it only serves the error message.
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING

from peershelf.blockstore.store.directories import make_directory, sync_directory
from peershelf.blockstore.store.lock import DirectoryLock
from peershelf.node import config, durable
from peershelf.node.errors import RepoError, RepoExists, RepoMissing
from peershelf.node.own_home import NoHome, expanded
from peershelf.node.settings import Value

if TYPE_CHECKING:
    from peershelf.node.identity import Identity

VERSION = 3
"""The layout that this program reads and writes."""

_ENVIRONMENT_PATH = "PEERSHELF_PATH"


def default_path() -> Path:
    """Where the repo is when nobody says: $PEERSHELF_PATH, else the platform's user data directory.

    Raises RepoError where that is in the home directory of a user who has none.
    """
    named = os.environ.get(_ENVIRONMENT_PATH)
    if named:
        return Path(expanded(named))
    import platformdirs

    try:
        return Path(platformdirs.user_data_dir("peershelf", appauthor=False))
    except RuntimeError:
        raise NoHome from None


@dataclass(frozen=True, slots=True)
class Repo:
    """An initialised data directory. Reading its settings and its identity needs no lock."""

    path: Path
    config: config.Config
    identity: Identity = field(repr=False)

    @classmethod
    def load(cls, path: Path) -> Repo:
        """Read an existing repo. Raises RepoMissing, RepoError, ConfigError, IdentityError."""
        settings = load_settings(path)
        from peershelf.node import identity  # 15 ms, which reading files does not need

        return cls(path, settings, identity.load(path / "identity.key"))

    @classmethod
    def load_or_init(cls, path: Path) -> Repo:
        """Read a repo, or make one with the defaults where there is none."""
        if not exists(path):
            with suppress(RepoExists):  # another command was quicker
                init(path)
        return cls.load(path)

    @classmethod
    def load_or_assume(cls, path: Path) -> Repo:
        """Read a repo, or where there is none assume one with the defaults and make nothing.

        Its identity is forgotten with it.
        """
        if exists(path):
            return cls.load(path)
        from peershelf.node import identity

        return cls(path, config.Config.load(path / "config.toml"), identity.Identity.generate())

    def overridden(self, settings: Mapping[str, Value]) -> Repo:
        """The same repo with some settings replaced for this run."""
        return replace(self, config=self.config.overridden(settings))

    @property
    def api_file(self) -> Path:
        return self.path / "api"

    @property
    def api_socket(self) -> Path:
        return self.path / "api.sock"

    @property
    def config_file(self) -> Path:
        return self.path / "config.toml"

    @property
    def peers_file(self) -> Path:
        return self.path / "peers.json"

    @property
    def swarm_key_file(self) -> Path:
        return self.path / "swarm.key"


def exists(path: Path) -> bool:
    """Whether a repo was ever made there. `version` is written last, so half an init does not count."""
    return (path / "version").exists()


def load_settings(path: Path) -> config.Config:
    """Read the settings of an existing repo. Raises RepoMissing, RepoError, ConfigError."""
    if not exists(path):
        raise RepoMissing(f"no repo at {path}: make one with `node init`")
    _check_version(path)
    return config.Config.load(path / "config.toml")


def init(path: Path, profiles: tuple[str, ...] = (), *, private: bool = False) -> Repo:
    """Make a repo with a new identity; `private` marks it as one that announces nothing.

    Everything is written beside and moved in, `version` last, so an init that is cut short can be run again.
    Once this returns, the repo survives a power loss, its directory's name included.
    Raises RepoExists, RepoError if other files are there, ConfigError for an unknown profile,
    StoreError, OSError.
    """
    if exists(path):
        raise RepoExists(f"there is a repo at {path} already; nothing was changed")
    make_directory(path)
    if _holds_strangers_files(path):
        raise RepoError(f"{path} holds other files; choose an empty directory")
    with DirectoryLock(path / "lock"):
        if exists(path):
            raise RepoExists(f"there is a repo at {path} already; nothing was changed")
        _fill(path, profiles, private)
    return Repo.load(path)


_OURS = (
    "config.toml",
    "identity.key",
    "facts.db",
    "peers.json",
    "swarm.key",
    "version",
    "segments",
    "index.",
    "reserve",
    "provide.",
    "migration",
    "denylists",
    "lock",
    "api",
    ".init-",
)


def _holds_strangers_files(path: Path) -> bool:
    return not all(entry.name.startswith(_OURS) for entry in path.iterdir())


def _fill(path: Path, profiles: tuple[str, ...], private: bool) -> None:
    import shutil
    import tempfile

    from peershelf.blockstore.facts import Facts
    from peershelf.node import identity

    staging = Path(tempfile.mkdtemp(prefix=".init-", dir=path))
    try:
        config.write_new(staging / "config.toml", profiles, {"Private": True} if private else {})
        identity.save(staging / "identity.key", identity.Identity.generate())
        for name in ("config.toml", "identity.key"):
            if not (path / name).exists():
                (staging / name).rename(path / name)
        path.chmod(0o700)
        # Before there are blocks: where there are and it is missing, it was lost.
        Facts(path / "facts.db").close()
        # A power loss must not leave `version` without what it vouches for.
        sync_directory(path)
        durable.write_file(path / "version", f"{VERSION}\n".encode())
    finally:
        shutil.rmtree(staging, ignore_errors=True)


def _check_version(path: Path) -> None:
    text = (path / "version").read_text("ascii", errors="replace").strip()
    if not text.isdecimal():
        raise RepoError(f"{path / 'version'} holds no number; the repo is damaged")
    if int(text) > VERSION:
        raise RepoError(
            f"the repo has layout {int(text)}, this program reads {VERSION}: use a newer peershelf"
        )
    if int(text) < VERSION:
        raise RepoError(
            f"the repo has layout {int(text)}, this program uses {VERSION}: run `node repo migrate` "
            f"(`node repo migrate --to {int(text)}` brings it back)"
        )
