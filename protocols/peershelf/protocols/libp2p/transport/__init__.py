"""What carries bytes under the secure channel: TCP."""
