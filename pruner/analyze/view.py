"""What an analyzer may ask about the root around the file that it looks at.

A `View` joins the inventory, the tree of names and, where given, the bytes. It answers questions and decides nothing:
which package owns a path, which packages a package is related to, which edges lead to a path through its links.
"""

from __future__ import annotations

import os
import posixpath
import re
from collections import defaultdict
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING

from pruner import relations
from pruner.analyze.loader import Loader
from pruner.bytewise import bytewise
from pruner.errors import InputError
from pruner.model import (
    DEFAULT_SEARCH_PATH,
    Edge,
    EdgeKind,
    File,
    FileType,
    Inventory,
    Node,
    Package,
    PackageId,
    Strength,
    file_node,
)

if TYPE_CHECKING:
    from collections.abc import Mapping

    from pruner.rootfs.tree import Tree
    from pruner.rootfs.types import Root

_ESSENTIAL = re.compile(r"^Essential:[ \t]*yes[ \t]*$", re.IGNORECASE | re.MULTILINE)


@dataclass(frozen=True, slots=True, kw_only=True)
class Extent:
    """What lies below a directory."""

    bytes: int
    """Sum of the regular files' sizes, hard links counted once."""
    files: int
    """Number of names that are not directories."""
    libraries: int
    """Number of names that look like shared objects."""
    owners: frozenset[PackageId]
    """Packages that own any of the names."""
    unowned: int
    """Number of names, directories left out, that no package owns."""


class View:
    """The inventory, the tree and the bytes of one root, with the questions that analyzers ask of them.

    `root` is None when only an SBOM was given; then `read` answers None. `search_path` is PATH as the program will see
    it. Answers are remembered; nothing that a caller can see changes.
    """

    def __init__(
        self,
        inventory: Inventory,
        tree: Tree,
        *,
        root: Root | None = None,
        search_path: tuple[str, ...] = DEFAULT_SEARCH_PATH,
    ) -> None:
        self.inventory = inventory
        self.tree = tree
        self.root = root
        self.search_path = search_path
        self.packages: Mapping[PackageId, Package] = {package.id: package for package in inventory.packages}
        self._related: dict[PackageId, frozenset[PackageId]] = {}
        self.knows_executables = any(file.executable for file in tree.files.values())
        """The SBOM tells executables and shared objects from other files (Syft does so since schema 16.0.1)."""
        self._extents: dict[str, Extent] = {}
        self._directories: dict[PackageId, tuple[str, ...]] = {}
        self._executables: dict[PackageId, tuple[str, ...]] = {}

    @cached_property
    def loader(self) -> Loader:
        """Finds the libraries of this root."""
        return Loader(self.tree, self.read)

    @cached_property
    def shells(self) -> frozenset[str]:
        """The login shells of the root (shells(5)), which always counts `/bin/sh` among them."""
        data = self.read("/etc/shells")
        lines = b"" if data is None else bytes(data[: 1 << 16])
        named = (os.fsdecode(line.strip()) for line in lines.splitlines())
        return frozenset(("/bin/sh", *(name for name in named if name.startswith("/"))))

    def owner(self, path: str) -> Package | None:
        """The package that owns the real path `path`, the distribution's before a language's; None when unowned."""
        owners = self.inventory.owners.get(path)
        return self.packages.get(owners[0]) if owners else None

    def read(self, path: str) -> memoryview | None:
        """The bytes of the regular file at the real path `path`; None without a root or for anything else."""
        file = self.tree.get(path)
        if self.root is None or file is None or file.type is not FileType.REGULAR:
            return None
        try:
            return self.root.read(path)
        except InputError:
            return None

    def owned(self, package: PackageId) -> tuple[str, ...]:
        """The real paths that `package` owns, bytewise order."""
        return self._owned.get(package, ())

    def executables(self, package: PackageId) -> tuple[str, ...]:
        """Those of `owned` that lead to an executable regular file."""
        known = self._executables.get(package)
        if known is None:
            known = self._executables[package] = tuple(filter(self.is_executable, self.owned(package)))
        return known

    def is_executable(self, path: str) -> bool:
        """Whether the real path is, or is a link to, a regular file that somebody may execute."""
        file = self.tree.files.get(path)
        if file is not None and file.type is FileType.SYMLINK:
            file = self.resolved(path)
        return file is not None and file.type is FileType.REGULAR and bool(file.mode & 0o111 or file.executable)

    def directories(self, package: PackageId) -> tuple[str, ...]:
        """The real directories that `package` owns or has files in, sorted; not those directly below the root."""
        known = self._directories.get(package)
        if known is None:
            found = {path if self._is_directory(path) else posixpath.dirname(path) for path in self.owned(package)}
            known = tuple(bytewise(path for path in found if path.count("/") > 1))
            self._directories[package] = known
        return known

    def _is_directory(self, path: str) -> bool:
        file = self.tree.get(path)
        return file is not None and file.type is FileType.DIRECTORY

    @cached_property
    def essential(self) -> frozenset[PackageId]:
        """The packages whose control data say `Essential: yes`: any package may use them undeclared (Policy 3.8)."""
        return frozenset(
            package.id
            for package in self.inventory.packages
            if package.stanza is not None and _ESSENTIAL.search(package.stanza)
        )

    def siblings(self, package: Package) -> frozenset[PackageId]:
        """The installed packages that were built from the same source, `package` itself included."""
        return self._by_source.get(_source(package), frozenset((package.id,)))

    def clauses(self, package: PackageId) -> tuple[tuple[PackageId, ...], ...]:
        """The declared needs of `package`, each as the installed packages that satisfy it, the preferred one first."""
        return self._clauses.get(package, ())

    def requirements(self, package: Package) -> frozenset[PackageId]:
        """The installed packages that `package` itself declares a need of."""
        return frozenset(other for clause in self.clauses(package.id) for other in clause)

    def related(self, package: Package) -> frozenset[PackageId]:
        """`siblings` and the installed packages that `package` declares a need of, directly or through others."""
        known = self._related.get(package.id)
        if known is None:
            known = self._related[package.id] = self.siblings(package) | self._reachable(package.id)
        return known

    def edges_to(
        self,
        source: Node,
        path: str,
        kind: EdgeKind,
        *,
        base: str = "/",
        strength: Strength = Strength.HARD,
        evidence: str = "",
        group: str | None = None,
        default: bool = True,
        rule: str | None = None,
    ) -> tuple[Edge, ...]:
        """The edges from `source` to what `path` names, seen from the directory `base`.

        First one edge of `kind` to the name itself (its last component is not followed: a symbolic link yields its own
        edges), then a `link` edge for each directory link that the way leads through, under the same conditions.
        Empty when nothing has that name.
        """
        found = self.tree.locate(path, base)
        if found.path is None or found.path == "/" or self.tree.get(found.path) is None:
            return ()

        def edge(target: str, kind: EdgeKind) -> Edge:
            return Edge(
                source=source,
                target=file_node(target),
                kind=kind,
                strength=strength,
                evidence=evidence,
                group=group,
                default=default,
                rule=rule,
            )

        links = (edge(link, EdgeKind.LINK) for link in found.links if link != found.path)
        return (edge(found.path, kind), *links)

    def resolved(self, path: str, base: str = "/") -> File | None:
        """The file that `path` leads to when every link is followed; None when it leads nowhere."""
        found = self.tree.resolve(path, base)
        return None if found.path is None else self.tree.get(found.path)

    def extent(self, directory: str) -> Extent:
        """What lies below the real path `directory`."""
        known = self._extents.get(directory)
        if known is None:
            known = self._extents[directory] = self._measured(directory)
        return known

    def _measured(self, directory: str) -> Extent:
        owners: set[PackageId] = set()
        total = names = libraries = unowned = 0
        for path in self.tree.under(directory):
            file = self.tree.files[path]
            if file.type is FileType.DIRECTORY:
                continue
            names += 1
            total += 0 if file.hardlink is not None else file.bytes
            libraries += ".so" in path.rpartition("/")[2]
            owning = self.inventory.owners.get(path, ())
            owners.update(owning)
            unowned += not owning
        return Extent(bytes=total, files=names, libraries=libraries, owners=frozenset(owners), unowned=unowned)

    @cached_property
    def _owned(self) -> Mapping[PackageId, tuple[str, ...]]:
        owned: defaultdict[PackageId, list[str]] = defaultdict(list)
        for path, packages in self.inventory.owners.items():
            for package in packages:
                owned[package].append(path)
        return {package: tuple(bytewise(paths)) for package, paths in owned.items()}

    @cached_property
    def _by_source(self) -> Mapping[tuple[str, str], frozenset[PackageId]]:
        by_source: defaultdict[tuple[str, str], set[PackageId]] = defaultdict(set)
        for package in self.packages.values():
            by_source[_source(package)].add(package.id)
        return {source: frozenset(members) for source, members in by_source.items()}

    @cached_property
    def _clauses(self) -> Mapping[PackageId, tuple[tuple[PackageId, ...], ...]]:
        clauses = dict(relations.resolve(self.inventory.packages))
        for given in self.inventory.dependencies:
            clauses[given.dependant] = (*clauses.get(given.dependant, ()), (given.dependency, *given.alternatives))
        return clauses

    def _reachable(self, start: PackageId) -> frozenset[PackageId]:
        seen: set[PackageId] = set()
        waiting = [start]
        while waiting:
            for clause in self.clauses(waiting.pop()):
                fresh = [package for package in clause if package not in seen]
                seen.update(fresh)
                waiting.extend(fresh)
        return frozenset(seen)


def _source(package: Package) -> tuple[str, str]:
    return package.type, package.source or package.name
