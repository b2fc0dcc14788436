"""Yamux: many streams over one secured connection, without I/O but for `driver` and `muxed_stream`."""
