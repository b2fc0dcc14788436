"""Measures peershelf beside Kubo and libtorrent in one run: `python -m bench`. See README.md."""
