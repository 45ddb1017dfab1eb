"""rpm's sqlite database of a root: what a damaged or hostile one ends in."""

from __future__ import annotations

import sqlite3
import struct
from contextlib import closing
from pathlib import Path

import pytest

from pruner.errors import InputError
from pruner.read.rpmdb import read_rpm
from pruner.rootfs import Tree, open_root

INT16, INT32, STRING, STRINGS, I18N = 3, 4, 6, 8, 9
NUMBER, WORD, WORDS = (INT32, 1, b"\0\0\0\0"), (STRING, 1, b"1\0"), (STRINGS, 1, b"a\0")
SOUND = {
    1000: (STRING, 1, b"tool\0"),
    1001: WORD,
    1002: WORD,
    1117: WORDS,
    1116: NUMBER,
    1118: (STRINGS, 1, b"/bin/\0"),
}


def header(tags: dict[int, tuple[int, int, bytes]]) -> bytes:
    """A package header: counts, entries of tag, type, offset and count, then the bytes (hregions.md)."""
    store, entries = b"", b""
    for tag, (kind, count, data) in sorted(tags.items()):
        store += b"\0" * (-len(store) % 4)
        entries += struct.pack(">IIII", tag, kind, len(store), count)
        store += data
    return struct.pack(">II", len(tags), len(store)) + entries + store


def read(place: Path, data: bytes | None) -> list[tuple[str, str, list[str]]] | None:
    """Name, version and paths of the packages of a root with that database."""
    home = place / "var/lib/rpm"
    home.mkdir(parents=True)
    (place / "etc").mkdir()
    if data is not None:
        (home / "rpmdb.sqlite").write_bytes(data)
    root = open_root(str(place))
    try:
        found = read_rpm(root, Tree(root.files))
    finally:
        root.close()
    if found is None:
        return None
    return [(package.name, package.version, [file.path for file in package.files]) for package in found.packages]


def database(blob: object, *statements: str) -> bytes:
    with closing(sqlite3.connect(":memory:", isolation_level=None)) as connection:
        connection.execute("CREATE TABLE Packages (hnum INTEGER PRIMARY KEY, blob BLOB NOT NULL)")
        connection.execute("INSERT INTO Packages VALUES (1, ?)", (blob,))
        for statement in statements:
            connection.execute(statement)
        return connection.serialize()


def test_a_sound_database(tmp_path: Path) -> None:
    """Name, version and paths; no database is none."""
    assert read(tmp_path / "a", database(header(SOUND))) == [("tool", "1-1", ["/bin/a"])]
    assert read(tmp_path / "b", None) is None


@pytest.mark.parametrize(
    "tags",
    [
        {1000: (STRINGS, 1, b"tool\0")},
        {1000: NUMBER},
        {1003: WORD},
        {1009: WORDS},
        {1030: WORDS},
        {1035: NUMBER},
        {1037: WORDS},
        {1116: WORDS},
        {1117: WORD},
        {1118: (INT16, 1, b"\0\0")},
        {5011: WORD},
        {1014: (7, 1, b"\0")},
    ],
)
def test_a_tag_of_another_type(tmp_path: Path, tags: dict[int, tuple[int, int, bytes]]) -> None:
    """What rpm stores as a number is no text, and the other way round: bad input, with a name and a way out."""
    with pytest.raises(
        InputError, match=r"rpmdb\.sqlite: no rpm database can be read: tag [0-9]+ of a header"
    ) as raised:
        read(tmp_path / "root", database(header(SOUND | tags)))
    assert "rpm --rebuilddb" in (raised.value.hint or "")


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"Berkeley",
        database(header(SOUND))[:5000],
        database(header(SOUND))[:100] + b"\xff" * 8000,
        database(header(SOUND)[:-4]),
        database(b""),
        database("text"),
        database(header({**SOUND, 1116: (INT32, 1, b"\0\0\0\7")})),
        database(header({**SOUND, 1117: (STRINGS, 9, b"a\0")})),
        database(header({**SOUND, 1117: (STRINGS, 2, b"a\0b\0")})),
        database(struct.pack(">II", 0xFFFFFFFF, 0)),
        database(header({**SOUND, 1009: (INT32, 0xFFFFFFFF, b"\0")})),
        database(b"", "DROP TABLE Packages"),
        database(b"", "DROP TABLE Packages", "CREATE VIEW Packages AS SELECT 1 AS hnum, x'00' AS blob"),
    ],
)
def test_a_damaged_database(tmp_path: Path, data: bytes) -> None:
    """Cut, of another form, or with headers that lie about themselves: one message, never a traceback."""
    with pytest.raises(InputError, match=r"rpmdb\.sqlite: no rpm database can be read"):
        read(tmp_path / "root", data)
