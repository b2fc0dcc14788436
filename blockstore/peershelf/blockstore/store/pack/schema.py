"""The index's tables. What they mean is in docs/store-format.md."""

from __future__ import annotations

CREATE = (
    """CREATE TABLE segments (
    number INTEGER PRIMARY KEY,
    mark BLOB NOT NULL,
    indexed INTEGER NOT NULL,
    blocks INTEGER NOT NULL DEFAULT 0,
    payload INTEGER NOT NULL DEFAULT 0
)""",
    """CREATE TABLE blocks (
    multihash BLOB PRIMARY KEY,
    segment INTEGER NOT NULL,
    offset INTEGER NOT NULL,
    length INTEGER NOT NULL
) WITHOUT ROWID""",
    """CREATE TRIGGER block_added AFTER INSERT ON blocks BEGIN
    UPDATE segments SET blocks = blocks + 1, payload = payload + new.length WHERE number = new.segment;
END""",
    """CREATE TRIGGER block_removed AFTER DELETE ON blocks BEGIN
    UPDATE segments SET blocks = blocks - 1, payload = payload - old.length WHERE number = old.segment;
END""",
    """CREATE TRIGGER block_moved AFTER UPDATE ON blocks BEGIN
    UPDATE segments SET blocks = blocks - 1, payload = payload - old.length WHERE number = old.segment;
    UPDATE segments SET blocks = blocks + 1, payload = payload + new.length WHERE number = new.segment;
END""",
)
"""SQLite keeps these to the letter, so reading them back tells whether an index is ours."""

CREATED = "SELECT sql FROM sqlite_schema WHERE sql IS NOT NULL"
LOCATE = "SELECT segment, offset, length FROM blocks WHERE multihash = ?"
LOCATE_MANY = "SELECT multihash, segment, offset, length FROM blocks WHERE multihash IN ({})"
"""With as many question marks as there are keys."""
PAGE = "SELECT multihash FROM blocks WHERE multihash > ? ORDER BY multihash LIMIT ?"
ROWS = """
SELECT multihash, segment, offset, length FROM blocks WHERE multihash > ? ORDER BY multihash LIMIT ?
"""
USUAL_SIZES = "SELECT number, payload + 56 * blocks FROM segments"
COUNT = "SELECT blocks FROM segments WHERE number = ?"
TOTALS = "SELECT coalesce(sum(blocks), 0), coalesce(sum(payload), 0) FROM segments"

SEGMENTS = "SELECT number, mark, indexed FROM segments"
MARK_INDEXED = """
INSERT INTO segments (number, mark, indexed) VALUES (?, ?, ?)
ON CONFLICT DO UPDATE SET indexed = excluded.indexed
"""
PUT = """
INSERT INTO blocks VALUES (?, ?, ?, ?)
ON CONFLICT DO UPDATE SET segment = excluded.segment, offset = excluded.offset, length = excluded.length
"""
REMOVE = "DELETE FROM blocks WHERE multihash = ?"
FORGET_ROWS = "DELETE FROM blocks WHERE segment = ? AND offset + length > ?"
FORGET_SEGMENT = "DELETE FROM segments WHERE number = ?"
"""With FORGET_ROWS from offset -1 before it."""
