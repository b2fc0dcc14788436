"""Freed memory that is kept: large buffers must not fault their pages in anew each time."""

import os
import platform
import subprocess
import sys

import pytest

pytestmark = pytest.mark.skipif(platform.libc_ver()[0] != "glibc", reason="it is a setting of glibc")

FAULTS_OF_200_MIB = """
import resource, sys
from peershelf.cli.allocator import keep_freed_memory
if "keep" in sys.argv: keep_freed_memory()
kept = [b"x" * (1 << 20) for _ in range(20)]
before = resource.getrusage(resource.RUSAGE_SELF).ru_minflt
for _ in range(10):
    del kept
    kept = [b"x" * (1 << 20) for _ in range(20)]
print(resource.getrusage(resource.RUSAGE_SELF).ru_minflt - before)
"""

FAULTS_OF_20_MIB_IN_EACH_OF_10_THREADS = """
import resource, sys, threading
from peershelf.cli.allocator import keep_freed_memory
if "keep" in sys.argv: keep_freed_memory()
used, over = threading.Semaphore(0), threading.Event()
def use():
    kept = [b"x" * (1 << 20) for _ in range(20)]
    del kept
    used.release()
    over.wait()
before = resource.getrusage(resource.RUSAGE_SELF).ru_minflt
for _ in range(10):
    threading.Thread(target=use, daemon=True).start()
    used.acquire()
print(resource.getrusage(resource.RUSAGE_SELF).ru_minflt - before)
"""


def faults(*words: str, program: str = FAULTS_OF_200_MIB, **variables: str) -> int:
    clean = {name: value for name, value in os.environ.items() if not name.startswith(("MALLOC_", "GLIBC_"))}
    command = [sys.executable, "-c", program, *words]
    return int(subprocess.run(command, env=clean | variables, capture_output=True, check=True).stdout)


def test_buffers_are_used_again() -> None:
    assert faults("keep") < faults() / 4


def test_what_one_thread_has_freed_another_uses() -> None:
    program = FAULTS_OF_20_MIB_IN_EACH_OF_10_THREADS
    assert faults("keep", program=program) < faults(program=program) / 4


def test_the_users_own_tuning_stays() -> None:
    assert faults("keep", MALLOC_MMAP_THRESHOLD_="4096") > 10_000
