"""The local API: Kubo's RPC over HTTP on a loopback address, for programs and not for web pages."""
