"""rpm's database of the pruned root: the image's own with only the kept packages in it.

The sqlite form alone (`rpmdb.sqlite`, the default since rpm 4.16; RHEL 9, Fedora 33): a table `Packages` of package
headers and index tables whose rows name a header by `hnum` (rpm, lib/backend/sqlite.c). Headers stay as they are, for
their digests cover the list of files: a sliced package still names what is not there, and scanners look for themselves.
"""

from __future__ import annotations

import re
import sqlite3
import struct
from contextlib import closing
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Collection

_SHAPES = re.compile(
    r"CREATE TABLE 'Packages' \(hnum INTEGER PRIMARY KEY AUTOINCREMENT, ?blob BLOB NOT NULL\)"
    r"|CREATE TABLE '(?P<table>[A-Za-z0-9]+)' "
    r"\(key '(?:TEXT|BLOB)' NOT NULL, hnum INTEGER NOT NULL, idx INTEGER NOT NULL"
    r"(?:, FOREIGN KEY \(hnum\) REFERENCES 'Packages'\(hnum\))?\)"
    r"|CREATE INDEX '[A-Za-z0-9_]+' ON '[A-Za-z0-9]+'\((?:key|hnum) ASC\)"
)
"""What rpm itself creates; a file with anything else is left alone."""
_OF_SQLITE = frozenset({"CREATE TABLE sqlite_sequence(name,seq)", "CREATE TABLE sqlite_stat1(tbl,idx,stat)"})
"""What SQLite creates beside it, for AUTOINCREMENT and ANALYZE."""

Identity = tuple[str, str, str]
"""Name, `[EPOCH:]VERSION-RELEASE`, architecture."""

_MAGIC = b"SQLite format 3\0"
_NAME, _VERSION, _RELEASE, _EPOCH, _ARCHITECTURE = 1000, 1001, 1002, 1003, 1022
"""Tags of a header (rpm, include/rpm/rpmtag.h)."""
_INT32, _STRING = 4, 6


def trimmed_rpm_database(data: bytes, kept: Collection[Identity]) -> bytes | None:
    """The database `data` with the packages of `kept` alone; None where it is none, or does not hold all of them.

    The same input gives the same bytes with the same release of SQLite.
    """
    if not data.startswith(_MAGIC) or len(data) < 100:
        return None
    # A database in write-ahead mode can't be opened in memory; the two bytes are the mode (SQLite, file format 1.3).
    plain = data[:18] + b"\1\1" + data[20:]
    try:
        with closing(sqlite3.connect(":memory:", isolation_level=None)) as connection:
            connection.deserialize(plain)
            return _trimmed(connection, kept)
    except (sqlite3.Error, struct.error, ValueError):
        return None


def _trimmed(connection: sqlite3.Connection, kept: Collection[Identity]) -> bytes | None:
    stated = connection.execute("SELECT sql FROM sqlite_master WHERE sql IS NOT NULL").fetchall()
    shapes = [_SHAPES.fullmatch(str(statement)) for (statement,) in stated if statement not in _OF_SQLITE]
    if not all(shapes):
        return None  # a trigger, a view or a computed column would run what the file says
    headers = connection.execute("SELECT hnum, blob FROM Packages").fetchall()
    if not all(isinstance(blob, bytes) for _, blob in headers):
        return None  # a column holds anything, whatever its type is declared to be (SQLite, datatype3)
    identities = {number: _identity(blob) for number, blob in headers}
    if not set(kept) <= set(identities.values()):
        return None
    connection.execute("CREATE TEMP TABLE kept (hnum INTEGER PRIMARY KEY)")
    numbers = [(number,) for number, identity in identities.items() if identity in kept]
    connection.executemany("INSERT INTO temp.kept VALUES (?)", numbers)
    tables = (shape["table"] for shape in shapes if shape is not None)
    for table in ("Packages", *(table for table in tables if table is not None)):
        # letters and digits alone, as _SHAPES says
        connection.execute(f"DELETE FROM main.'{table}' WHERE hnum NOT IN (SELECT hnum FROM temp.kept)")  # noqa: S608
    connection.execute("VACUUM")
    return connection.serialize()


def _identity(header: bytes) -> Identity:
    """The package of a header: counts of entries and bytes, entries of tag, type, offset and count, then the bytes.

    Raises `ValueError` or `struct.error` for what is none.
    """
    entries, size = struct.unpack_from(">II", header)
    store = header[8 + 16 * entries :]
    if len(store) != size:
        raise ValueError
    found: dict[int, str] = {}
    for number in range(entries):
        tag, kind, offset, _ = struct.unpack_from(">IIII", header, 8 + 16 * number)
        if kind == _STRING and tag in {_NAME, _VERSION, _RELEASE, _ARCHITECTURE}:
            found[tag] = store[offset : store.index(b"\0", offset)].decode("utf-8", "surrogateescape")
        elif kind == _INT32 and tag == _EPOCH:
            found[tag] = f"{struct.unpack_from('>I', store, offset)[0]}:"
    version = f"{found.get(_EPOCH, '')}{found.get(_VERSION, '')}-{found.get(_RELEASE, '')}"
    return found.get(_NAME, ""), version, found.get(_ARCHITECTURE, "")
