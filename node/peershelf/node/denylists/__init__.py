"""Denylists: what this node neither fetches, nor gives out, nor announces, because its operator says so.

The compact denylist format, https://specs.ipfs.tech/compact-denylist-format/ (IPIP-383).
"""
