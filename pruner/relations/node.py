"""npm dependencies, found as Node finds modules.

The nearest `node_modules/NAME` upwards from the dependant's folder (Node.js, "Loading from node_modules folders"), then
the folders named `nodejs` that Debian's Node searches at the end.
"""

from __future__ import annotations

from posixpath import basename, dirname
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from pruner.model import Package, PackageId


def folder_of(package: Package) -> str | None:
    """The folder of the package's package.json; None when the SBOM names none (an entry of a lock file)."""
    if package.whole_directories:
        return package.whole_directories[0].rstrip("/") or "/"
    for location in package.locations:
        if basename(location) == "package.json":
            return dirname(location)
    return None


def upward_modules(folder: str) -> Iterator[str]:
    """The `node_modules` folders that a file in `folder` searches, nearest first."""
    while True:
        if basename(folder) != "node_modules":
            yield ("" if folder == "/" else folder) + "/node_modules"
        if folder == "/":
            return
        folder = dirname(folder)


def resolve(
    packages: Sequence[Package], _everything: Sequence[Package]
) -> Mapping[PackageId, tuple[tuple[PackageId, ...], ...]]:
    """The clauses of npm packages that lie in the root; entries of lock files have none and satisfy none."""
    by_folder: dict[str, PackageId] = {}
    for package in packages:
        folder = folder_of(package)
        if folder is not None:
            by_folder.setdefault(folder, package.id)
    shared = {dirname(folder) for folder in by_folder if basename(dirname(folder)) == "nodejs"}
    shared |= {dirname(outer) for outer in shared if basename(outer).startswith("@")}

    def options(name: str, folder: str) -> tuple[PackageId, ...]:
        for modules in (*upward_modules(folder), *sorted(shared)):
            found = by_folder.get(f"{modules}/{name}")
            if found is not None:
                return (found,)
        return ()

    clauses: dict[PackageId, tuple[tuple[PackageId, ...], ...]] = {}
    for package in packages:
        folder = folder_of(package)
        names = () if folder is None else (_name(text) for text in package.depends)
        found = dict.fromkeys(options(name, folder or "/") for name in names if name)
        clauses[package.id] = tuple(clause for clause in found if package.id not in clause)
    return clauses


def _name(text: str) -> str:
    """`@scope/name@^1.2` and `name 1.x` without the version."""
    words = text.split()
    return words[0][:1] + words[0][1:].partition("@")[0] if words else ""
