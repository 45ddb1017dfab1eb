"""rpm's database in a root, where it is sqlite's: `rpmdb.sqlite`, the default since rpm 4.16 (RHEL 9, Fedora 33).

A table `Packages` of headers (rpm, lib/backend/sqlite.c); a header is counts, entries of tag, type, offset and count,
then the bytes (rpm, docs/manual/format_header.md; tags: include/rpm/rpmtag.h).
"""

from __future__ import annotations

import re
import sqlite3
import struct
from contextlib import closing
from typing import TYPE_CHECKING, Any

from pruner.errors import InputError, printable
from pruner.model import DeclaredFile, Package, PackageId
from pruner.read.database import Database

if TYPE_CHECKING:
    from pruner.rootfs.tree import Tree
    from pruner.rootfs.types import Root

HOMES = ("/usr/lib/sysimage/rpm", "/var/lib/rpm", "/usr/share/rpm")
OTHER_FORMS = ("Packages", "Packages.db")
"""Berkeley DB and ndb, which are not read."""
_MAGIC = b"SQLite format 3\0"
_LARGEST_HEADER = 256 << 20
"""Bytes; rpm itself refuses larger ones (lib/header.c, headerMaxbytes)."""
_NAME, _VERSION, _RELEASE, _EPOCH, _SIZE, _LICENSE, _ARCHITECTURE = 1000, 1001, 1002, 1003, 1009, 1014, 1022
_MODES, _DIGESTS, _FLAGS, _SOURCE, _PLACES, _NAMES, _DIRECTORIES = 1030, 1035, 1037, 1044, 1116, 1117, 1118
_VENDOR, _ALGORITHM = 1011, 5011
_INT16, _INT32, _STRING, _STRINGS, _I18N = 3, 4, 6, 8, 9
_KINDS = {
    **dict.fromkeys((_EPOCH, _SIZE, _MODES, _FLAGS, _PLACES, _ALGORITHM), frozenset({_INT16, _INT32})),
    **dict.fromkeys(
        (_NAME, _VERSION, _RELEASE, _LICENSE, _ARCHITECTURE, _SOURCE, _VENDOR), frozenset({_STRING, _I18N})
    ),
    **dict.fromkeys((_DIGESTS, _NAMES, _DIRECTORIES), frozenset({_STRINGS})),
}
"""What rpm stores each tag as (lib/rpmtag.h)."""
_ALGORITHMS = {1: "md5", 2: "sha1", 8: "sha256", 9: "sha384", 10: "sha512"}
"""Of files (RFC 4880, section 9.4); md5 where the header does not say."""
_CONFIG, _GHOST = 1 << 0, 1 << 6
_SOURCE_RPM = re.compile(r"^(?P<name>.+)-(?P<version>[^-]+-[^-]+)\.(?:no)?src\.rpm$")


def read_rpm(root: Root, tree: Tree) -> Database | None:
    """The installed packages with every path they own; None where the root has no database of this form.

    Raises `InputError` when it can't be read.
    """
    for home in HOMES:
        path = tree.resolve(f"{home}/rpmdb.sqlite").path
        if path is None or path not in tree.files:
            continue
        data = bytes(root.read(path))
        try:
            headers = _headers(data)
            packages = tuple(_package(header, path) for header in headers)
        except (sqlite3.Error, struct.error, ValueError, IndexError) as error:
            raise InputError(
                f"{printable(root.name)}: {path}: no rpm database can be read: {printable(str(error)) or 'damaged'}",
                hint="run rpm --rebuilddb in the image, or give an SBOM",
            ) from None
        return Database(type="rpm", home=path.rpartition("/")[0], packages=packages)
    return None


def _headers(data: bytes) -> list[bytes]:
    if not data.startswith(_MAGIC) or len(data) < 100:
        raise ValueError("not sqlite's form")
    # A database in write-ahead mode can't be opened in memory; the two bytes are the mode (SQLite, file format 1.3).
    plain = data[:18] + b"\1\1" + data[20:]
    with closing(sqlite3.connect(":memory:", isolation_level=None)) as connection:
        connection.execute("PRAGMA trusted_schema = OFF")  # no function that the file's own schema names is run
        connection.deserialize(plain)
        shape = connection.execute("SELECT type FROM sqlite_master WHERE name = 'Packages'").fetchall()
        if shape != [("table",)]:  # a view would run what the file says
            raise ValueError("no table of packages")
        connection.setlimit(sqlite3.SQLITE_LIMIT_LENGTH, _LARGEST_HEADER)
        found = [blob for (blob,) in connection.execute("SELECT blob FROM Packages ORDER BY hnum")]
    if not all(isinstance(blob, bytes) for blob in found):
        raise ValueError("a header is no bytes")
    return found


def _package(header: bytes, database: str) -> Package:
    tags = _tags(header)
    name = str(tags.get(_NAME, ""))
    epoch = tags.get(_EPOCH)
    version = f"{tags.get(_VERSION, '')}-{tags.get(_RELEASE, '')}"
    if epoch:
        version = f"{epoch[0]}:{version}"
    architecture = str(tags[_ARCHITECTURE]) if _ARCHITECTURE in tags else None
    source = _SOURCE_RPM.match(str(tags.get(_SOURCE, "")))
    return Package(
        id=PackageId(f"rpm:{name}:{architecture or ''}:{version}"),
        type="rpm",
        name=name,
        version=version,
        architecture=architecture,
        source=source["name"] if source else None,
        source_version=source["version"] if source else None,
        files=_files(tags),
        locations=(database,),
        installed_bytes=(tags.get(_SIZE) or (0,))[0],
        licenses=(str(tags[_LICENSE]),) if tags.get(_LICENSE) else (),
        maintainer=str(tags[_VENDOR]) if tags.get(_VENDOR) else None,
    )


def _files(tags: dict[int, Any]) -> tuple[DeclaredFile, ...]:
    names, places, directories = (tags.get(tag, ()) for tag in (_NAMES, _PLACES, _DIRECTORIES))
    digests, flags, modes = tags.get(_DIGESTS, ()), tags.get(_FLAGS, ()), tags.get(_MODES, ())
    algorithm = _ALGORITHMS.get((tags.get(_ALGORITHM) or (1,))[0], "")
    found = []
    for index, (name, place) in enumerate(zip(names, places, strict=True)):
        digest = digests[index] if index < len(digests) else ""
        flag = flags[index] if index < len(flags) else 0
        found.append(
            DeclaredFile(
                path=f"{directories[place]}{name}",
                digest=f"{algorithm}:{digest}" if algorithm and digest else None,
                conffile=bool(flag & _CONFIG),
                mode=modes[index] if index < len(modes) else None,
                ghost=bool(flag & _GHOST),
            )
        )
    return tuple(found)


def _tags(header: bytes) -> dict[int, Any]:
    """Values of the wanted tags: text, tuples of text or of numbers. Raises `ValueError` or `struct.error`."""
    entries, size = struct.unpack_from(">II", header)
    store = header[8 + 16 * entries :]
    if len(store) != size:
        raise ValueError("a header is cut short")
    found: dict[int, Any] = {}
    for number in range(entries):
        tag, kind, offset, count = struct.unpack_from(">IIII", header, 8 + 16 * number)
        if tag not in _KINDS:
            continue
        if kind not in _KINDS[tag]:
            raise ValueError(f"tag {tag} of a header is of type {kind}")
        found[tag] = _value(store, kind, offset, count)
    return found


def _value(store: bytes, kind: int, offset: int, count: int) -> Any:
    if kind in {_INT16, _INT32}:
        return struct.unpack_from(f">{count}{'H' if kind == _INT16 else 'I'}", store, offset)
    if kind == _STRING:
        return store[offset : store.index(b"\0", offset)].decode("utf-8", "surrogateescape")
    if kind in {_STRINGS, _I18N}:
        texts = store[offset:].split(b"\0", count)
        if len(texts) <= count:
            raise ValueError("a list of texts is cut short")
        values = tuple(text.decode("utf-8", "surrogateescape") for text in texts[:count])
        return next(iter(values), "") if kind == _I18N else values
    return ()
