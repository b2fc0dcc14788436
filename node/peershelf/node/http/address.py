"""Where HTTP is served: a multiaddr such as /ip4/127.0.0.1/tcp/5001, for the local API loopback only."""

from __future__ import annotations

import ipaddress
from dataclasses import dataclass

from peershelf.node.errors import ServerError


@dataclass(frozen=True, slots=True)
class ApiAddress:
    """An IP address and a TCP port."""

    host: str
    port: int

    @classmethod
    def parse(cls, text: str) -> ApiAddress:
        """Read `/ip4/<address>/tcp/<port>` or `/ip6/…`. Raises ServerError, also for what is not loopback."""
        match text.split("/"):
            case ["", "ip4" | "ip6" as family, host, "tcp", port] if port.isascii() and port.isdecimal():
                return cls(_loopback(text, family, host), _port(text, port))
        raise ServerError(f"{text!a} is no address for the API; write one as /ip4/127.0.0.1/tcp/5001")

    @classmethod
    def parse_any(cls, text: str) -> ApiAddress:
        """Read an address that may be others', too, such as /ip4/0.0.0.0/tcp/8090. Raises ServerError."""
        from peershelf.node.setting_checks import is_tcp_address

        if text.endswith("/ws") or not is_tcp_address(text):
            raise ServerError(f"{text!a} is no address to listen on; write one as /ip4/127.0.0.1/tcp/8090")
        _, _, host, _, port = text.split("/")
        return cls(host, int(port))

    def __str__(self) -> str:
        family = "ip6" if ":" in self.host else "ip4"
        return f"/{family}/{self.host}/tcp/{self.port}"


def _loopback(text: str, family: str, host: str) -> str:
    try:
        address = ipaddress.ip_address(host)
    except ValueError:
        raise ServerError(f"{text!a} holds no IP address; write one as /ip4/127.0.0.1/tcp/5001") from None
    if f"ip{address.version}" != family or not address.is_loopback:
        raise ServerError(f"{text}: the API has no passwords, so it listens on loopback only, as 127.0.0.1")
    return str(address)


def _port(text: str, port: str) -> int:
    if len(port) > 5 or int(port) > 65_535:
        raise ServerError(f"{text}: a TCP port is a number up to 65535")
    return int(port)
