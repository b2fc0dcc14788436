"""The libp2p host: `transport.Network` over TCP, Noise or TLS, and Yamux.

The only package that imports py-libp2p, which costs most of a second and 70 MB: import it only to go online.
"""

from peershelf.protocols.libp2p.addresses import peer_of
from peershelf.protocols.libp2p.host import Libp2pNetwork
from peershelf.protocols.libp2p.info import ConnectionInfo
from peershelf.protocols.libp2p.limits import HostLimits

__all__ = ["ConnectionInfo", "HostLimits", "Libp2pNetwork", "peer_of"]
