"""Finding: who has a CID, where a peer is, who is near."""
