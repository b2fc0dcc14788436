"""The rates that a node keeps to, and towards whom."""

from __future__ import annotations

from dataclasses import dataclass
from ipaddress import ip_address


@dataclass(frozen=True, slots=True)
class Rates:
    """Limits in bytes per second; 0 is no limit."""

    upload: int = 0
    """To all peers together."""
    download: int = 0
    """From all peers together."""
    peer_upload: int = 0
    """To each peer."""
    peer_download: int = 0
    """From each peer."""
    low_priority: bool = False
    """Whether what is sent is marked so that routers let other traffic go first."""
    limit_local: bool = False
    """Whether peers on this machine and its own networks are held to them too."""


def is_local(host: str) -> bool:
    """Whether an IP address is of this machine or of a private network: no way there takes the line out."""
    address = ip_address(host)
    return address.is_loopback or address.is_private or address.is_link_local
