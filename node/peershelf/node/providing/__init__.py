"""Announcing what this node has."""
