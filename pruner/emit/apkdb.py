"""Alpine's database of the packages that are there: `lib/apk/db/installed` (apk-tools, doc/apk-package.5 and
doc/apk-v2.5: one `LETTER:VALUE` a line; `F:` opens a directory, `M:` is its owner and mode, `R:` a file in it, `a:` and
`Z:` its owner, mode and digest).
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from pruner.emit.madefiles import encoded
from pruner.errors import InputError

_CHECKSUM = re.compile(r"Q1[A-Za-z0-9+/]{27}=")
"""apk's own of an archive; it opens no database with another."""

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from pruner.model import Package
    from pruner.rootfs import Tree


def apk_database(packages: Sequence[Package], tree: Tree, kept: frozenset[str]) -> bytes:
    """The installed database of `packages` with their files and directories among `kept`, real paths of `tree`.

    Raises `InputError` for a package whose fields can't stand there.
    """
    entries = []
    for package in packages:
        lines = package.stanza.splitlines() if package.stanza else _lines_of_metadata(package, tree)
        entries.append("".join(f"{line}\n" for line in _trimmed(lines, tree, kept)))
    return encoded("".join(f"{entry}\n" for entry in entries))


def apk_world(packages: Sequence[Package]) -> bytes:
    """The packages that apk takes for wanted: all that are there, so that it removes none as no longer needed.

    One name a line (apk-world(5)); constraints of the fat root's own list speak of packages that are gone.
    """
    return encoded("".join(f"{name}\n" for name in sorted({package.name for package in packages})))


def _trimmed(lines: Iterable[str], tree: Tree, kept: frozenset[str]) -> Iterator[str]:
    directory = ""
    is_kept = True
    for line in lines:
        letter, _, value = line.partition(":")
        if not line:
            continue
        if letter == "F":
            directory = f"/{value}".rstrip("/")
            is_kept = not directory or tree.locate(directory).path in kept
        elif letter == "R":
            is_kept = tree.locate(f"{directory}/{value}").path in kept
        elif letter not in ("M", "a", "Z"):
            is_kept = True
        if is_kept:
            yield line


def _lines_of_metadata(package: Package, tree: Tree) -> Iterator[str]:
    """The entry of a package that only the SBOM describes."""
    fields = (
        ("C", package.checksum if _CHECKSUM.fullmatch(package.checksum) else None),
        ("P", package.name),
        ("V", package.version),
        ("A", package.architecture),
        ("I", str(package.installed_bytes) if package.installed_bytes else None),
        ("L", " AND ".join(package.licenses)),
        ("o", package.source),
        ("m", package.maintainer),
        ("D", " ".join(package.depends)),
        ("p", " ".join(package.provides)),
    )
    for letter, value in fields:
        if value:
            if not value.isprintable():
                raise InputError(
                    f"field {letter} of package {package.name} holds {value!r}, which no database can hold"
                )
            yield f"{letter}:{value}"
    yield from _lines_of_files(package, tree)


def _lines_of_files(package: Package, tree: Tree) -> Iterator[str]:
    """`F:` before its `R:`s, directories in order; the SBOM does not say what is a directory, the tree does."""
    directories: dict[str, list[str]] = {}
    for declared in package.files:
        path = "/" + declared.path.strip("/")
        if "\n" in path:
            continue
        file = tree.get(tree.locate(path).path or path)
        if file is not None and file.type == "directory":
            directories.setdefault(path, [])
            continue
        parent, _, name = path.rpartition("/")
        lines = directories.setdefault(parent, [])
        lines.append(f"R:{name}")
        digest = (declared.digest or "").rpartition(":")[2]
        if digest.startswith("Q1"):
            lines.append(f"Z:{digest}")
    for directory in sorted(directories):
        yield f"F:{directory.strip('/')}"
        yield from directories[directory]
