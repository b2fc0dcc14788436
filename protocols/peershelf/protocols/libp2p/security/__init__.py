"""Secure channels: proof of who is at the other end, and bytes that nobody else reads or alters."""
