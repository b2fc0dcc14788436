"""The API's address, as a multiaddr: `/ip4/127.0.0.1/tcp/5001`."""

from __future__ import annotations

_HOST_PROTOCOLS = ("ip4", "ip6", "dns", "dns4", "dns6")


class Address:
    """Host and TCP port of an HTTP API."""

    __slots__ = ("host", "port", "text")

    def __init__(self, host: str, port: int, text: str) -> None:
        self.host = host
        self.port = port
        self.text = text

    @classmethod
    def parse(cls, text: str) -> Address:
        """Read `/ip4|ip6|dns|dns4|dns6/HOST/tcp/PORT`, with or without `/http` behind. Raises ValueError."""
        parts = text.strip().removesuffix("/http").split("/")
        if (
            len(parts) != 5
            or parts[0]
            or parts[1] not in _HOST_PROTOCOLS
            or not parts[2]
            or parts[3] != "tcp"
        ):
            raise ValueError("an address such as /ip4/127.0.0.1/tcp/5001 is needed")
        port = parts[4]
        if not (port.isascii() and port.isdigit() and 0 < int(port) < 65536):
            raise ValueError("the port is a number from 1 to 65535")
        return cls(parts[2], int(port), text.strip())

    @property
    def authority(self) -> str:
        """What the Host field of a request says."""
        return f"[{self.host}]:{self.port}" if ":" in self.host else f"{self.host}:{self.port}"
