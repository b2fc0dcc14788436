"""A libtorrent session that seeds or downloads one file over plain TCP on loopback.

usage: torrent seed FILE TORRENT        writes TORRENT, prints {"port"}, runs until its input ends
       torrent get DIR TORRENT PORT     prints {"seconds", "cpu", "peak"} once all pieces are in
"""

from __future__ import annotations

import json
import resource
import sys
import time
from pathlib import Path
from typing import Any

import libtorrent as lt

_PIECE_SIZE = 1 << 20
_POLL = 0.005
_SETTINGS: Any = {
    "listen_interfaces": "127.0.0.1:0",
    "enable_outgoing_utp": False,
    "enable_incoming_utp": False,
    "enable_dht": False,
    "enable_lsd": False,
    "enable_upnp": False,
    "enable_natpmp": False,
    "allow_multiple_connections_per_ip": True,
    "out_enc_policy": int(lt.enc_policy.pe_disabled),
    "in_enc_policy": int(lt.enc_policy.pe_disabled),
    "max_out_request_queue": 5_000,
    "max_allowed_in_request_queue": 10_000,
    "request_queue_time": 10,
    "send_buffer_watermark": 16 << 20,
    "send_buffer_low_watermark": 1 << 20,
    "send_buffer_watermark_factor": 400,
    "send_socket_buffer_size": 4 << 20,
    "recv_socket_buffer_size": 4 << 20,
    "max_queued_disk_bytes": 64 << 20,
    "hashing_threads": 2,
    "aio_threads": 4,
    "alert_mask": 0,
}


def session() -> lt.session:
    """A session that talks to nobody but whom it is told of."""
    running: lt.session = lt.session(_SETTINGS)
    return running


def seed(file: Path, torrent: Path) -> None:
    """Make the torrent, seed it until standard input ends."""
    storage = lt.file_storage()
    lt.add_files(storage, str(file))
    creator = lt.create_torrent(storage, piece_size=_PIECE_SIZE, flags=lt.create_torrent.v1_only)
    lt.set_piece_hashes(creator, str(file.parent))
    torrent.write_bytes(lt.bencode(creator.generate()))
    running = session()
    handle = add(running, torrent, file.parent)
    while not handle.status().is_seeding:
        time.sleep(_POLL)
    print(json.dumps({"port": running.listen_port()}), flush=True)
    sys.stdin.read()


def get(folder: Path, torrent: Path, port: int) -> None:
    """Download and say how long it took; wait for the files to be on disk before."""
    running = session()
    handle = add(running, torrent, folder)
    while handle.status().state != lt.torrent_status.states.downloading:
        time.sleep(_POLL)
    before = _cpu()
    start = time.perf_counter()
    handle.connect_peer(("127.0.0.1", port))
    while not handle.status().is_seeding:
        time.sleep(_POLL)
    seconds = time.perf_counter() - start
    cpu = _cpu() - before
    handle.flush_cache()
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024
    running.pause()
    running.remove_torrent(handle)
    del running  # waits for what is still to be written
    print(json.dumps({"seconds": seconds, "cpu": cpu, "peak": peak}), flush=True)
    sys.stdin.read()


def add(running: lt.session, torrent: Path, folder: Path) -> lt.torrent_handle:
    """Add the torrent with its file in `folder`."""
    parameters = lt.add_torrent_params()
    parameters.ti = lt.torrent_info(str(torrent))
    parameters.save_path = str(folder)
    parameters.flags &= ~(lt.torrent_flags.auto_managed | lt.torrent_flags.paused)
    handle: lt.torrent_handle = running.add_torrent(parameters)
    return handle


def _cpu() -> float:
    usage = resource.getrusage(resource.RUSAGE_SELF)
    return usage.ru_utime + usage.ru_stime


if __name__ == "__main__":
    if sys.argv[1] == "seed":
        seed(Path(sys.argv[2]), Path(sys.argv[3]))
    else:
        get(Path(sys.argv[2]), Path(sys.argv[3]), int(sys.argv[4]))
