"""What strangers do to a provider while an honest peer fetches from it, each at a rate that it keeps to.

The attack tests' tools speak for them; bench/workers/attack.py runs one, and bench/rows/attacks.py measures.
"""
