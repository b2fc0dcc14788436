"""The shape of the source tree that everything else relies on."""

import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
ROOTS = ("blockstore", "protocols", "node", "cli")


@pytest.mark.parametrize("root", ROOTS)
def test_each_root_holds_one_typed_package_of_a_namespace(root: str) -> None:
    namespace = ROOT / root / "peershelf"
    # One stray __init__.py here would hide the other roots.
    assert [entry.name for entry in namespace.iterdir() if entry.name != "__pycache__"] == [root]
    assert (namespace / root / "__init__.py").exists()
    assert (namespace / root / "py.typed").exists()


def imported_by(code: str) -> set[str]:
    """The top-level modules that a fresh interpreter has after `code`."""
    done = subprocess.run(
        [sys.executable, "-c", f"import sys; {code}; print(*sys.modules)"],
        capture_output=True,
        text=True,
        check=True,
    )
    return {name.partition(".")[0] for name in done.stdout.split()}


def test_importing_the_node_is_cheap_until_a_name_is_used() -> None:
    assert not {"trio", "libp2p", "structlog", "starlette"} & imported_by("import peershelf.node")


def test_py_libp2p_is_not_imported_before_a_node_goes_online() -> None:
    modules = imported_by("from peershelf.node import Node")
    assert "trio" in modules
    assert "libp2p" not in modules
