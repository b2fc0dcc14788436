"""Memory that is freed stays for the next buffer."""

import platform
import subprocess
import sys

import pytest

SCRIPT = """
import resource
from peershelf.node.allocator import keep_freed_memory

def faults():
    return resource.getrusage(resource.RUSAGE_SELF).ru_minflt

if {kept}:
    assert keep_freed_memory()
for _ in range(3):
    [bytearray(4 << 20) for _ in range(4)]
before = faults()
for _ in range(20):
    [bytearray(4 << 20) for _ in range(4)]
print(faults() - before)
"""


@pytest.mark.skipif(platform.libc_ver()[0] != "glibc", reason="needs glibc")
def test_the_same_memory_is_used_again() -> None:
    usual, kept = (
        int(
            subprocess.run(
                [sys.executable, "-c", SCRIPT.format(kept=kept)], capture_output=True, check=True
            ).stdout
        )
        for kept in (False, True)
    )
    assert kept < usual / 10
