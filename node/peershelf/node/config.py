"""The repo's configuration: option, then environment, then config.toml, then the default.

Reading uses the standard library's parser; writing uses tomlkit, so that a user's comments stay.
An environment variable names a key in capitals: `Addresses.API` is PEERSHELF_ADDRESSES_API.
"""

from __future__ import annotations

import json
import os
import threading
import tomllib
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

from peershelf.node import durable
from peershelf.node.errors import ConfigError
from peershelf.node.settings import SETTINGS, Value, check
from peershelf.node.units import parse_duration, parse_rate, parse_size

PROFILES: Mapping[str, Mapping[str, Value]] = {
    "unixfs-v1-2025": {"Import.Profile": "unixfs-v1-2025"},
    "unixfs-v0-2015": {"Import.Profile": "unixfs-v0-2015"},
    # What tests and benchmarks use: this machine only, ports that nobody else has, no peers but those named.
    "test": {
        "Addresses.Swarm": ["/ip4/127.0.0.1/tcp/0"],
        "Addresses.API": "/ip4/127.0.0.1/tcp/0",
        "Bootstrap": [],
        "Denylists.Directories": [],
        "Discovery.MDNS.Enabled": False,
        "Peering.Peers": [],
        "Routing.Type": "none",
    },
}
"""What `init --profile` can set, by name."""

_editing = threading.RLock()
"""Held while the file is read and written again, so that no change is lost to another one."""


class Config:
    """Checked settings of one repo. Immutable; `set_in_file` edits the file and the next load sees it."""

    def __init__(self, values: Mapping[str, Value]) -> None:
        self._values = {key: check(key, value) for key, value in values.items()}

    @classmethod
    def load(cls, path: Path, environment: Mapping[str, str] = os.environ) -> Config:
        """Read config.toml and the environment. Raises ConfigError naming the file and the key."""
        return cls(_read_file(path) | _read_environment(environment))

    def overridden(self, values: Mapping[str, Value]) -> Config:
        """A copy in which command line options have the last word."""
        return Config({**self._values, **values})

    def __getitem__(self, key: str) -> Value:
        """The value in force. Raises ConfigError for an unknown key."""
        if key in self._values:
            return self._values[key]
        if key in SETTINGS:
            return SETTINGS[key].default
        return check(key, None)

    def text(self, key: str) -> str:
        return str(self[key])

    def strings(self, key: str) -> list[str]:
        value = self[key]
        assert isinstance(value, list), key
        return list(value)

    def count(self, key: str) -> int:
        value = self[key]
        assert isinstance(value, int), key
        return value

    def size(self, key: str) -> int:
        """A size in bytes."""
        return parse_size(self.text(key))

    def rate(self, key: str) -> int:
        """A rate in bytes per second, 0 for none."""
        return parse_rate(self.text(key))

    def flag(self, key: str) -> bool:
        """Something that is so or is not."""
        value = self[key]
        assert isinstance(value, bool), key
        return value

    def duration(self, key: str) -> float:
        """A duration in seconds."""
        return parse_duration(self.text(key))

    def lookup(self, key: str) -> Any:
        """The value of a key, or the tree below a group of keys. Raises ConfigError."""
        if key in SETTINGS:
            return self[key]
        below = [name for name in SETTINGS if name.startswith(key + ".")]
        if not below:
            return self[key]
        return _nest({name[len(key) + 1 :]: self[name] for name in below})

    def tree(self) -> dict[str, Any]:
        """Every setting in force, nested as in the file."""
        return _nest({key: self[key] for key in SETTINGS})


def parse_text(text: str) -> Any:
    """Read a value as `config set` takes it: JSON, or a plain word that stands for itself."""
    try:
        return json.loads(text)
    except ValueError:
        return text


def write_new(path: Path, profiles: tuple[str, ...], settings: Mapping[str, Value]) -> None:
    """Write the configuration of a new repo: that of profiles, then `settings`.

    Raises ConfigError for an unknown profile.
    """
    import tomlkit

    document = tomlkit.document()
    document.add(tomlkit.comment("peershelf's configuration. `node config show` prints every key in force;"))
    document.add(
        tomlkit.comment(
            "docs/configuration.md says what each is for. Keys that are absent have their default."
        )
    )
    for profile in profiles:
        for key, value in _profile(profile).items():
            _put(document, key, value)
    for key, value in settings.items():
        _put(document, key, value)
    durable.write_file(path, tomlkit.dumps(document).encode())


def set_in_file(path: Path, key: str, value: Any) -> None:
    """Set one key, keeping the rest of the file as it is. Raises ConfigError; then nothing is changed."""
    import tomlkit
    from tomlkit.exceptions import TOMLKitError

    check(key, value)
    with _editing:
        try:
            document = tomlkit.parse(_text(path)) if path.exists() else tomlkit.document()
            _put(document, key, value)
        except (TOMLKitError, ConfigError) as error:
            raise ConfigError(f"{path}: {error}; mend the file by hand first") from None
        durable.write_file(path, tomlkit.dumps(document).encode())


def change_list_in_file(path: Path, key: str, change: Callable[[list[str]], list[str]]) -> None:
    """Set a list to what `change` makes of the file's, or of the default where the file has none.

    The file stays untouched where the list does. Raises ConfigError.
    """
    with _editing:
        before = list_in_file(path, key)
        after = change(list(before))
        if after != before:
            set_in_file(path, key, after)


def list_in_file(path: Path, key: str) -> list[str]:
    """The list that a node has which starts now, but for its environment and options. Raises ConfigError."""
    return Config.load(path, {}).strings(key)


def _profile(name: str) -> Mapping[str, Value]:
    if name not in PROFILES:
        raise ConfigError(f"unknown profile {name[:40]!a}; known are {', '.join(PROFILES)}")
    return PROFILES[name]


def _read_file(path: Path) -> dict[str, Value]:
    try:
        tree = tomllib.loads(_text(path))
        return {key: check(key, value) for key, value in _flatten(tree)}
    except FileNotFoundError:
        return {}
    except (tomllib.TOMLDecodeError, ConfigError) as error:
        raise ConfigError(f"{path}: {error}") from None


def _text(path: Path) -> str:
    data = path.read_bytes()
    try:
        return data.decode()
    except UnicodeDecodeError as error:
        line = data.count(b"\n", 0, error.start) + 1
        raise ConfigError(f"line {line} is not UTF-8 text") from None


def _read_environment(environment: Mapping[str, str]) -> dict[str, Value]:
    values = {}
    for key, setting in SETTINGS.items():
        name = "PEERSHELF_" + key.replace(".", "_").upper()
        if name in environment:
            plain = isinstance(setting.default, str)
            try:
                values[key] = check(key, environment[name] if plain else parse_text(environment[name]))
            except ConfigError as error:
                raise ConfigError(f"environment variable {name}: {error}") from None
    return values


def _flatten(tree: Mapping[str, Any], prefix: str = "") -> Iterator[tuple[str, Any]]:
    for name, value in tree.items():
        if isinstance(value, dict):
            yield from _flatten(value, f"{prefix}{name}.")
        else:
            yield prefix + name, value


def _nest(flat: Mapping[str, Value]) -> dict[str, Any]:
    tree: dict[str, Any] = {}
    for key, value in flat.items():
        *groups, name = key.split(".")
        branch = tree
        for group in groups:
            branch = branch.setdefault(group, {})
        branch[name] = value
    return tree


def _put(document: Any, key: str, value: Value) -> None:
    import tomlkit

    *groups, name = key.split(".")
    branch = document
    for group in groups:
        if group not in branch:
            branch[group] = tomlkit.table()
        branch = branch[group]
    branch[name] = _one_a_line(value) if isinstance(value, list) and len(value) > 1 else value


def _one_a_line(items: list[str]) -> Any:
    import tomlkit

    array = tomlkit.array().multiline(True)
    array.extend(items)
    return array
