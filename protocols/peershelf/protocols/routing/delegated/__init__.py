"""Finding through somebody else's router, over HTTP: the client of IPFS's Delegated Routing V1."""

from __future__ import annotations

from peershelf.protocols.routing.delegated.client import DelegatedRouter as DelegatedRouter
