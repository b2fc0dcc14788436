"""Daemons that are clients of a DHT and have nothing to do, each in a network namespace of its own.

All that such a daemon sends and receives goes through one virtual interface, whose counters are read: it is
the same measure for every program, with all that TCP adds. Run it in a namespace that may make others:
`unshare --user --map-root-user --net`.

usage: idle DIRECTORY SERVERS SECONDS REPO…
       each REPO is "name path program": of an initialised repo whose daemon is measured
       prints {name: {"KB", "connections", "CPU"}}
"""

from __future__ import annotations

import json
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path

from bench.process import Background, clean_environment

HUB = "10.9.0.1"
_START = 180.0
_SAMPLES = 60
_ESTABLISHED = "01"
_WAIT_FOR_NETWORK = 'read go && exec "$@"'


@dataclass(slots=True)
class Subject:
    """One daemon."""

    name: str
    interface: str
    process: Background
    connections: list[int]

    def traffic(self) -> int:
        """Bytes in both directions since the interface was made."""
        for line in Path("/proc/net/dev").read_text().splitlines():
            name, _, counts = line.partition(":")
            if name.strip() == self.interface:
                fields = counts.split()
                return int(fields[0]) + int(fields[8])
        raise LookupError(self.interface)

    def count(self) -> None:
        """Take a sample of how many connections it has beside those of its own machine."""
        tables = [Path(f"/proc/{self.process.pid}/net/{name}") for name in ("tcp", "tcp6")]
        lines = [line.split() for table in tables for line in table.read_text().splitlines()[1:]]
        # A remote address in hexadecimal, least byte first: 10.9.x.y ends in 090A, mapped to IPv6 or not.
        remote = [fields[2].partition(":")[0] for fields in lines if fields[3] == _ESTABLISHED]
        self.connections.append(sum(address.endswith("090A") for address in remote))


def run(*words: str) -> None:
    subprocess.run(words, check=True, stdout=subprocess.DEVNULL)


def start(number: int, name: str, path: str, program: str, log: Path) -> Subject:
    """Start a daemon behind an interface of its own."""
    own = {"IPFS_PATH": path, "PEERSHELF_PATH": path, "HOME": path, "IPFS_TELEMETRY": "off"}
    command = ["unshare", "--net", "sh", "-c", _WAIT_FOR_NETWORK, "sh", program, "daemon"]
    process = Background(command, clean_environment() | own, log)
    interface, gateway, address = f"idle{number}", f"10.9.{number}.1", f"10.9.{number}.2"
    inside = ("nsenter", "-t", str(process.pid), "-n", "ip")
    _await_namespace(process.pid)
    run("ip", "link", "add", interface, "type", "veth", "peer", "name", "eth0", "netns", str(process.pid))
    run("ip", "addr", "add", f"{gateway}/24", "dev", interface)
    run("ip", "link", "set", interface, "up")
    run(*inside, "link", "set", "lo", "up")
    run(*inside, "addr", "add", f"{address}/24", "dev", "eth0")
    run(*inside, "link", "set", "eth0", "up")
    run(*inside, "route", "add", "default", "via", gateway)
    process.say("go")
    process.wait_for("Daemon is ready", _START)
    return Subject(name, interface, process, [])


def _await_namespace(pid: int) -> None:
    ours = Path("/proc/self/ns/net").readlink()
    while Path(f"/proc/{pid}/ns/net").readlink() == ours:
        time.sleep(0.01)


def measure(subjects: Sequence[Subject], seconds: float) -> dict[str, dict[str, float]]:
    """Watch them do nothing."""
    before = {subject.name: (subject.traffic(), subject.process.cpu()) for subject in subjects}
    for _ in range(_SAMPLES):
        time.sleep(seconds / _SAMPLES)
        for subject in subjects:
            subject.count()
    return {
        subject.name: {
            "KB": (subject.traffic() - before[subject.name][0]) / 1e3,
            "connections": sum(subject.connections) / _SAMPLES,
            "CPU": subject.process.cpu() - before[subject.name][1],
        }
        for subject in subjects
    }


def main(directory: Path, servers: int, seconds: float, repos: Iterator[str]) -> None:
    """Build the network, start the daemons, watch them."""
    run("ip", "link", "set", "lo", "up")
    run("ip", "addr", "add", f"{HUB}/32", "dev", "lo")
    with ExitStack() as stack:
        words = [sys.executable, "-m", "bench.workers.dht_servers", HUB, str(servers)]
        hub = Background(words, clean_environment(), directory / "hub.log")
        stack.callback(hub.stop)
        address = hub.wait_for("/p2p/", _START)
        hub.wait_for("ready", _START)
        subjects = []
        for number, repo in enumerate(repos, 1):
            name, path, program = repo.split()
            run_bootstrap(program, path, address)
            subject = start(number, name, path, program, directory / f"{name}.log")
            stack.callback(subject.process.stop)
            subjects.append(subject)
        print(json.dumps(measure(subjects, seconds)))


def run_bootstrap(program: str, path: str, address: str) -> None:
    """Tell the repo whom to meet."""
    own = {"IPFS_PATH": path, "PEERSHELF_PATH": path, "HOME": path}
    subprocess.run(
        [program, "bootstrap", "add", address],
        env=clean_environment() | own,
        check=True,
        stdout=subprocess.DEVNULL,
    )


if __name__ == "__main__":
    main(Path(sys.argv[1]), int(sys.argv[2]), float(sys.argv[3]), iter(sys.argv[4:]))
