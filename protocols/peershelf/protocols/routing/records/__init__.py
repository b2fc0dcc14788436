"""Values that routing keeps for others, which prove by themselves that they belong to their key.

Imports nothing by itself: what values are is known everywhere, and the cryptography that checks them is slow.
"""
