from pathlib import Path

import pytest

from peershelf.node import config
from peershelf.node.config import Config
from peershelf.node.errors import ConfigError


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "config.toml"


def test_option_beats_environment_beats_file_beats_default(path: Path) -> None:
    path.write_text('[Datastore]\nStorageMax = "1GB"\n[Log]\nLevel = "error"\n[Swarm]\nDialTimeout = "1s"\n')
    loaded = Config.load(path, {"PEERSHELF_LOG_LEVEL": "warning", "PEERSHELF_SWARM_DIALTIMEOUT": "2s"})
    merged = loaded.overridden({"Swarm.DialTimeout": "3s"})
    assert merged.text("Log.Format") == "console"
    assert merged.size("Datastore.StorageMax") == 10**9
    assert merged.text("Log.Level") == "warning"
    assert merged.duration("Swarm.DialTimeout") == 3


def test_a_missing_file_means_the_defaults(path: Path) -> None:
    assert Config.load(path, {})["Addresses.API"] == "/ip4/127.0.0.1/tcp/5001"


def test_lists_and_numbers_come_from_the_environment_as_json(path: Path) -> None:
    loaded = Config.load(
        path, {"PEERSHELF_BOOTSTRAP": '["/ip4/1.2.3.4/tcp/1"]', "PEERSHELF_SWARM_CONNMGR_LOWWATER": "7"}
    )
    assert loaded.strings("Bootstrap") == ["/ip4/1.2.3.4/tcp/1"]
    assert loaded.count("Swarm.ConnMgr.LowWater") == 7


def test_a_bad_environment_variable_is_named(path: Path) -> None:
    with pytest.raises(ConfigError, match=r"PEERSHELF_LOG_LEVEL: Log\.Level takes one of"):
        Config.load(path, {"PEERSHELF_LOG_LEVEL": "loud"})


@pytest.mark.parametrize(
    ("text", "complaint"),
    [
        ("[Addresses]\nSwram = []\n", r"did you mean Addresses\.Swarm"),
        ("[Addresses]\nSwarm = 4001\n", r"Addresses\.Swarm takes a list"),
        ("[Addresses\n", r"config\.toml"),
        ("Addresses = 1\n", "unknown configuration key 'Addresses'"),
        ("Swarm.ConnMgr.LowWater = true\n", "takes a whole number"),
    ],
)
def test_a_bad_file_is_refused_with_its_name_and_the_key(path: Path, text: str, complaint: str) -> None:
    path.write_text(text)
    with pytest.raises(ConfigError, match=complaint) as raised:
        Config.load(path, {})
    assert str(path) in str(raised.value)


def test_a_file_that_is_no_text_is_refused(path: Path) -> None:
    path.write_bytes(b"# fine\n\xff\xfe\x00")
    with pytest.raises(ConfigError, match=r"config\.toml: line 2 is not UTF-8 text"):
        Config.load(path, {})
    with pytest.raises(ConfigError, match=r"config\.toml: line 2 is not UTF-8 text; mend the file"):
        config.set_in_file(path, "Private", True)


def test_setting_a_key_keeps_the_comments_around_it(path: Path) -> None:
    path.write_text('# mine\n[Addresses] # and this\nAPI = "/ip4/127.0.0.1/tcp/1"\n')
    config.set_in_file(path, "Addresses.API", "/ip4/127.0.0.1/tcp/2")
    config.set_in_file(path, "Discovery.MDNS.Enabled", False)
    text = path.read_text()
    assert text.startswith("# mine\n[Addresses] # and this\n")
    loaded = Config.load(path, {})
    assert loaded["Addresses.API"] == "/ip4/127.0.0.1/tcp/2"
    assert loaded["Discovery.MDNS.Enabled"] is False


def test_a_refused_value_leaves_the_file_as_it_was(path: Path) -> None:
    path.write_text("# nothing here\n")
    with pytest.raises(ConfigError):
        config.set_in_file(path, "Log.Level", "loud")
    assert path.read_text() == "# nothing here\n"
    assert [entry.name for entry in path.parent.iterdir()] == ["config.toml"]


def test_setting_a_key_in_a_broken_file_is_refused(path: Path) -> None:
    path.write_text("[Addresses\n")
    with pytest.raises(ConfigError, match="mend the file"):
        config.set_in_file(path, "Log.Level", "error")
    assert path.read_text() == "[Addresses\n"


def test_the_tree_holds_every_key_and_reads_back(path: Path) -> None:
    import tomlkit

    tree = Config({}).tree()
    path.write_text(tomlkit.dumps(tree))
    assert Config.load(path, {}).tree() == tree


def test_a_group_of_keys_can_be_looked_up() -> None:
    assert Config({}).lookup("Log") == {"Format": "console", "Level": "info"}
    with pytest.raises(ConfigError):
        Config({}).lookup("Swarm.Nothing")


@pytest.mark.parametrize("name", config.PROFILES)
def test_every_profile_makes_a_file_that_loads(path: Path, name: str) -> None:
    config.write_new(path, (name,), {})
    loaded = Config.load(path, {})
    for key, value in config.PROFILES[name].items():
        assert loaded[key] == value


def test_an_unknown_profile_is_refused_before_anything_is_written(path: Path) -> None:
    with pytest.raises(ConfigError, match="unknown profile 'fast'; known are"):
        config.write_new(path, ("fast",), {})
    assert not path.exists()


@pytest.mark.parametrize(
    ("text", "value"), [("[1, 2]", [1, 2]), ("true", True), ("info", "info"), ('"7"', "7")]
)
def test_values_are_json_or_plain_words(text: str, value: object) -> None:
    assert config.parse_text(text) == value
