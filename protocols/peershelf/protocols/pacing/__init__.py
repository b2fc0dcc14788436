"""How the time that messages of one protocol take is shared out among peers."""
