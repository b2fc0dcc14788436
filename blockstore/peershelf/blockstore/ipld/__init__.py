"""Blocks as structured data: the IPLD data model and the codecs that write it."""
