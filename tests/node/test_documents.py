"""What the documents say of the configuration is what the program does."""

import json
import re
from pathlib import Path

from peershelf.node.settings import SETTINGS

ROOT = Path(__file__).parents[2]
ROW = re.compile(r"^\| `([A-Za-z.]+)` \| `(.*)` \| (.*) \|$", re.MULTILINE)


def test_every_key_is_documented_with_its_default_and_its_meaning() -> None:
    text = (ROOT / "docs" / "configuration.md").read_text()
    documented = {key: (json.loads(default), meaning) for key, default, meaning in ROW.findall(text)}
    assert documented == {key: (setting.default, setting.help) for key, setting in SETTINGS.items()}


def test_every_key_that_the_node_reads_is_known() -> None:
    sources = "".join(path.read_text() for path in (ROOT / "node").rglob("*.py"))
    read = re.findall(r"config\.(?:text|strings|count|size|duration|rate|flag)\(\s*\"([A-Za-z.]+)\"", sources)
    assert read
    assert set(read) <= set(SETTINGS)
