"""libtorrent as a pair of sessions in processes of their own: what a downloader would pick instead."""

from __future__ import annotations

import json
from functools import cached_property

from bench.bench import MIB, Bench
from bench.data import DataFile, sha256_of
from bench.process import Background, ProgramFailed

TIMEOUT = 600.0


class TorrentPair:
    """A seeder of one file; each fetch is by a fresh downloader."""

    def __init__(self, bench: Bench, source: DataFile) -> None:
        self._bench = bench
        self._source = source
        self._torrent = bench.fresh_path("torrent")

    @cached_property
    def _seeder(self) -> tuple[Background, int]:
        """The process and its port. Started late: without libtorrent nothing else is to fail."""
        seeder = self._bench.worker("torrent", "seed", self._source.path, self._torrent)
        return seeder, json.loads(seeder.wait_for('"port"', TIMEOUT))["port"]

    def fetch(self) -> dict[str, float]:
        """Download the file; the clock runs from connecting to the seeder until the last piece is in."""
        place = self._bench.fresh_path("download")
        place.mkdir()
        seeder, port = self._seeder
        before = seeder.cpu()
        taker = self._bench.worker("torrent", "get", place, self._torrent, str(port))
        answer = json.loads(taker.wait_for('"seconds"', TIMEOUT))
        taker.stop()
        got = place / self._source.path.name
        if sha256_of([got]) != self._source.sha256:
            raise ProgramFailed("the bytes that came out have a wrong hash")
        got.unlink()
        megabytes = self._source.size / 1e6
        return {
            "MB/s": megabytes / answer["seconds"],
            "MB/CPU-s from": megabytes / max(seeder.cpu() - before, 0.01),
            "MB/CPU-s to": megabytes / max(answer["cpu"], 0.01),
            "peak MiB to": answer["peak"] / MIB,
        }
