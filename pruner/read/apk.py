"""apk's installed database in a root (apk-tools, src/database.c: apk_db_write_fdb)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pruner.model import DeclaredFile, Package, PackageId
from pruner.read.database import Database, text_of
from pruner.read.stanzas import apk_fields, blocks, number

if TYPE_CHECKING:
    from collections.abc import Iterator

    from pruner.rootfs.tree import Tree
    from pruner.rootfs.types import Root

_HOMES = ("/lib/apk/db", "/usr/lib/apk/db")


def read_apk(root: Root, tree: Tree) -> Database | None:
    """The installed packages with every path they own, directories included; None where the root has no such database.

    Raises `InputError` when it can't be read.
    """
    for home in _HOMES:
        text = text_of(root, tree, f"{home}/installed")
        if text:
            real = tree.resolve(home).path or home
            packages = tuple(package_of(stanza) for stanza in blocks(text) if apk_fields(stanza).get("P"))
            return Database(type="apk", home=real, packages=packages)
    return None


def package_of(stanza: str) -> Package:
    """The package that a block with a `P:` line describes; blocks of an APKINDEX list no files."""
    fields = apk_fields(stanza)
    name, version, architecture = fields["P"], fields.get("V", ""), fields.get("A") or None
    return Package(
        id=PackageId(f"apk:{name}:{architecture or ''}:{version}"),
        type="apk",
        name=name,
        version=version,
        architecture=architecture,
        source=fields.get("o") or name,
        source_version=version,
        files=tuple(_files(stanza)),
        depends=tuple(fields.get("D", "").split()),
        provides=tuple(fields.get("p", "").split()),
        installed_bytes=number(fields.get("I", "")),
        checksum=fields.get("C", ""),
        download_bytes=number(fields.get("S", "")),
        licenses=(fields["L"],) if fields.get("L") else (),
        maintainer=fields.get("m") or None,
        stanza=stanza,
    )


def _files(stanza: str) -> Iterator[DeclaredFile]:
    """`F:` names a directory, `R:` a file in the directory above it, `Z:` the checksum of the file above it."""
    directory, pending = "", None
    for line in stanza.split("\n"):
        key, value = line[:2], line[2:]
        if key == "Z:" and pending is not None:
            yield DeclaredFile(path=pending, digest=value)
            pending = None
        elif key in {"F:", "R:"}:
            if pending is not None:
                yield DeclaredFile(path=pending)
            pending = None
            if key == "R:":
                pending = f"{directory}/{value}"
            elif value:
                directory = f"/{value.strip('/')}"
                yield DeclaredFile(path=directory)
            else:
                directory = ""
    if pending is not None:
        yield DeclaredFile(path=pending)
