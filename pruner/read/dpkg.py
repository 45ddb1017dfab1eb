"""dpkg's database in a root: status or status.d, and info (dpkg(1), FILES; deb-md5sums(5); deb-conffiles(5))."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from pruner.model import DeclaredFile, Package, PackageId
from pruner.read.database import Database, text_of
from pruner.read.stanzas import blocks, clauses, control_fields, number, source_of

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from pruner.rootfs.tree import Tree
    from pruner.rootfs.types import Root

_HOME = "/var/lib/dpkg"
_NOT_ON_DISK = frozenset({"not-installed", "config-files"})
_SHA256 = re.compile(r"[0-9A-Fa-f]{64}")


def read_dpkg(root: Root, tree: Tree) -> Database | None:
    """The installed packages with every path they own: files, directories and links.

    Paths are where the files lie: a diverted path is the one it was diverted to. None where the root has no such
    database. Raises `InputError` when a file of it can't be read.
    """
    home = tree.resolve(_HOME).path
    if home is None:
        return None
    installed, removed = list[Package](), set[str]()
    diversions = _diversions(root, tree, home)
    for stanza, basis in _stanzas(root, tree, home):
        fields = control_fields(stanza)
        name = fields.get("package", "")
        if not name:
            continue
        if (fields.get("status", "").split() or ["installed"])[-1] in _NOT_ON_DISK:
            removed.add(name)
            continue
        installed.append(package_of(stanza, fields, _files(root, tree, home, basis, fields, diversions)))
    if not installed and not removed:
        return None
    return Database(type="deb", home=home, packages=tuple(installed), removed=frozenset(removed))


def _stanzas(root: Root, tree: Tree, home: str) -> Iterator[tuple[str, str | None]]:
    """Every stanza; those of status.d with the path that their file lists start with."""
    status = text_of(root, tree, f"{home}/status")
    if status:
        for stanza in blocks(status):
            yield stanza, None
    for path in tree.children(f"{home}/status.d"):
        if not path.endswith((".md5sums", ".list", ".preinst", ".postinst", ".prerm", ".postrm")):
            for stanza in blocks(text_of(root, tree, path) or ""):
                yield stanza, path


def _files(  # noqa: PLR0917 - two of them say where the database lies
    root: Root,
    tree: Tree,
    home: str,
    basis: str | None,
    fields: Mapping[str, str],
    diversions: Mapping[str, tuple[str, str]],
) -> tuple[DeclaredFile, ...]:
    name = fields["package"]
    if basis is None:
        qualified = f"{home}/info/{name}:{fields.get('architecture', '')}"
        basis = qualified if f"{qualified}.list" in tree.files else f"{home}/info/{name}"
    digests = _md5sums(text_of(root, tree, f"{basis}.md5sums") or "")
    conffiles = _conffiles(fields.get("conffiles", ""))
    listed = (text_of(root, tree, f"{basis}.list") or "").split("\n")
    paths = dict.fromkeys(path.removesuffix("/") for path in listed if path.startswith("/") and path not in {"/", "/."})
    paths.update(dict.fromkeys(digests))
    paths.update(dict.fromkeys(conffiles))
    return tuple(
        DeclaredFile(
            path=(place := _diverted(path, name, diversions)),
            shipped=path if place != path else None,
            digest=conffiles.get(path) or digests.get(path),
            conffile=path in conffiles,
        )
        for path in paths
    )


def _diverted(path: str, package: str, diversions: Mapping[str, tuple[str, str]]) -> str:
    """Where the file that `package` ships as `path` lies; the package that diverts keeps the name for itself."""
    found = diversions.get(path)
    return path if found is None or found[1] == package else found[0]


def _diversions(root: Root, tree: Tree, home: str) -> dict[str, tuple[str, str]]:
    """The path that a path is diverted to, and the diverting package (`:` for the administrator); three lines each."""
    lines = (text_of(root, tree, f"{home}/diversions") or "").split("\n")
    return {
        lines[start]: (lines[start + 1], lines[start + 2])
        for start in range(0, len(lines) - 2, 3)
        if lines[start].startswith("/") and lines[start + 1].startswith("/")
    }


def _md5sums(text: str) -> dict[str, str]:
    digests = {}
    for line in text.split("\n"):
        digest, separator, path = line.partition("  ")
        if separator:
            digests["/" + path.removeprefix("./").lstrip("/")] = f"md5:{digest}"
    return digests


def _conffiles(text: str) -> dict[str, str | None]:
    """Digests as shipped by path; `newconffile` stands for one that is not known yet, `obsolete` is a mark."""
    conffiles: dict[str, str | None] = {}
    for line in text.split("\n"):
        words = line.split()
        if len(words) >= 2 and words[0].startswith("/"):
            conffiles[words[0]] = None if words[1] == "newconffile" else f"md5:{words[1]}"
    return conffiles


def package_of(stanza: str, fields: Mapping[str, str], files: tuple[DeclaredFile, ...] = ()) -> Package:
    """The package that `stanza` with its parsed `fields` (a `package` among them) describes."""
    name, version = fields["package"], fields.get("version", "")
    architecture = fields.get("architecture") or None
    source, source_version = source_of(fields)
    return Package(
        id=PackageId(f"deb:{name}:{architecture or ''}:{version}"),
        type="deb",
        name=name,
        version=version,
        architecture=architecture,
        source=source,
        source_version=source_version,
        files=files,
        depends=clauses(fields, "depends"),
        pre_depends=clauses(fields, "pre-depends"),
        provides=clauses(fields, "provides"),
        installed_bytes=number(fields.get("installed-size", "")) * 1024,
        filename=fields.get("filename", ""),
        checksum=f"sha256:{digest.lower()}" if _SHA256.fullmatch(digest := fields.get("sha256", "")) else "",
        download_bytes=number(fields.get("size", "")),
        maintainer=fields.get("maintainer") or None,
        stanza=stanza,
    )
