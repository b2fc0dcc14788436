"""Seeing what the node does: its logs."""
