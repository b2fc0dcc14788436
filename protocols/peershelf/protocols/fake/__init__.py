"""A network in memory with virtual time, latency, bandwidth and cuts: for tests and swarm simulation."""

from peershelf.protocols.fake.network import FakeInternet, FakeNetwork

__all__ = ["FakeInternet", "FakeNetwork"]
