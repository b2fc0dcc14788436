"""Delegated Routing V1 as a server: others, maybe strangers, have this node search for them over HTTP."""

from __future__ import annotations

from peershelf.node.routing_api.app import build_routing_app as build_routing_app
