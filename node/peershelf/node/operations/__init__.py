"""What a node can be asked to do, by name, for the local API and for commands without a daemon alike."""
