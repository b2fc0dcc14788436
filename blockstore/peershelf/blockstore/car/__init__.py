"""CAR archives: blocks one after the other in a file, with the roots of their DAGs at its head."""
