"""What can be said about a file whose bytes were not given: less, and the plan says so.

The SBOM still states DT_NEEDED, owners, links and state. RUNPATH, shebang, literals, symbols and the text of
configuration are missing, so whole packages stand in for the files that would have been found.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from pruner.analyze.loader import is_loader_directory
from pruner.model import (
    Edge,
    EdgeKind,
    File,
    FileType,
    Findings,
    Node,
    Package,
    PackageId,
    Unknown,
    capability_node,
    entry_node,
    file_node,
    package_node,
)
from pruner.plan.types import NO_EVIDENCE

if TYPE_CHECKING:
    from collections.abc import Mapping

    from pruner.analyze.view import View
    from pruner.pipeline.packagefacts import PackageFacts
    from pruner.rules import BoundRules

ASSUMED_CAPABILITIES = ("users", "nss-users", "dns", "nss-dns", "tls-ca", "locale", "timezone")
"""What an executable is assumed to ask for while its imported symbols are not known."""


_MODULES = frozenset({"python", "npm", "gem", "php-composer", "java-archive"})
"""Ecosystems whose packages may be part of an application's own tree."""
_SHARED = re.compile(
    r"/(?:usr(?:/local)?(?:/(?:bin|sbin|lib|lib64|libexec|share|etc|src|games|include))?|bin|sbin|lib|lib64|etc|opt|srv"
    r"|home|var(?:/(?:lib|cache|log|spool|opt|tmp|www))?|tmp|run|dev|proc|sys|mnt|media|boot)?"
)
"""Directories of the Filesystem Hierarchy Standard 3.0 that many programs share."""


class Evidence:
    """Edges of files without content, from the SBOM alone."""

    def __init__(self, view: View, rules: BoundRules, facts: PackageFacts) -> None:
        self._view = view
        self._rules = rules
        self._facts = facts
        self._by_name: dict[str, list[str]] | None = None
        self._applications: dict[str, bool] = {}

    def edges_of_file(self, file: File, active: bool) -> Findings:
        """What the SBOM lets one say about the regular file `file`."""
        edges: list[Edge] = []
        unknowns: list[Unknown] = []
        for name in file.libraries or ():
            found = self._library(name, file)
            edges.extend(found)
            if not found:
                unknowns.append(
                    Unknown(kind="needed", subject=file.path, detail=f"DT_NEEDED {name} is not in the SBOM")
                )
        owner = self._view.owner(file.path)
        if file.executable:
            edges.extend(self._loader(file))
            if owner is not None:
                edges.extend(self._private_parts(file, owner))
        if active:
            edges.extend(self._assumptions(file, owner))
            unknowns.append(Unknown(kind="evidence", subject=file.path, detail="its bytes were not read"))
        return Findings(edges=tuple(dict.fromkeys(edges)), unknowns=tuple(unknowns))

    def edges_of_directory(self, directory: File) -> Findings:
        """Everything below a directory of application files; nothing for any other directory."""
        if not self._is_application(directory.path):
            return Findings()
        edges = [
            Edge(
                source=file_node(directory.path),
                target=file_node(path),
                kind=EdgeKind.IMPORT,
                evidence=f"{NO_EVIDENCE}what the application in {directory.path} reads is not known",
            )
            for path in self._view.tree.under(directory.path)
        ]
        return Findings(edges=tuple(edges))

    def edges_of_package(self, package: Package) -> Findings:
        """Installed packages of modules or plugins that declare a need of a package that is kept whole."""
        edges = [
            _whole(package_node(package.id), other, f"{self._view.packages[other].name} extends {package.name}")
            for sibling in sorted(self._view.siblings(package))
            for other in self._facts.dependents_of[sibling]
            if self._facts.is_private(other)
        ]
        return Findings(edges=tuple(dict.fromkeys(edges)))

    # -- parts --------------------------------------------------------------------------------------------------------

    def _library(self, name: str, file: File) -> tuple[Edge, ...]:
        """The file that a DT_NEEDED name most likely means: the loader's directories first, then the same directory."""
        candidates = self._named(name.rpartition("/")[2])
        if not candidates:
            return ()
        here = file.path.rpartition("/")[0]

        def rank(path: str) -> tuple[bool, bool, str]:
            directory = path.rpartition("/")[0]
            return not is_loader_directory(directory), directory != here, path

        best = min(candidates, key=rank)
        return self._view.edges_to(
            file_node(file.path), best, EdgeKind.LOAD, evidence=f"DT_NEEDED {name} (by name alone)"
        )

    def _named(self, name: str) -> list[str]:
        """Paths of that base name, or, where the SBOM lists no links, of that name with a longer version."""
        if self._by_name is None:
            self._by_name = {}
            for path in self._view.tree.files:
                base = path.rpartition("/")[2]
                if ".so" in base:
                    self._by_name.setdefault(base, []).append(path)
        exact = self._by_name.get(name)
        if exact:
            return exact
        return [path for base, paths in self._by_name.items() if base.startswith(f"{name}.") for path in paths]

    def _loader(self, file: File) -> list[Edge]:
        """The dynamic loader by its well-known names (System V ABI supplements; musl's reference manual)."""
        if not file.libraries:
            return []
        return [
            edge
            for directory in ("/lib64", "/lib", "/lib32", "/libx32")
            for name in ("ld-linux*.so.*", "ld-musl-*.so.1", "ld.so.1", "ld64.so.*")
            for path in self._spelled(directory, name)
            for edge in self._view.edges_to(
                file_node(file.path), path, EdgeKind.LOAD, evidence="the loader of dynamic executables"
            )
        ]

    def _spelled(self, directory: str, pattern: str) -> list[str]:
        """Paths that match, spelled through `directory` itself: it may be a link, which a program's PT_INTERP names."""
        found = self._view.tree.glob(f"{directory}/{pattern}")
        return [f"{directory}/{path.rpartition('/')[2]}" for path in found]

    def _private_parts(self, file: File, owner: Package) -> list[Edge]:
        """A library package with plugins or data of its own is kept whole: nothing says which of them are used."""
        for path in self._facts.files_of[owner.id]:
            directory, _, name = path.rpartition("/")
            if name != "copyright" and not is_loader_directory(directory) and not self._rules.is_documentation(path):
                why = f"{owner.name} has private files, and what {file.path} does with them is not known"
                return [_whole(file_node(file.path), owner.id, why)]
        return []

    def _assumptions(self, file: File, owner: Package | None) -> list[Edge]:
        source = file_node(file.path)
        if file.executable:
            return [
                Edge(
                    source=source,
                    target=capability_node(name),
                    kind=EdgeKind.CAPABILITY,
                    evidence=f"{NO_EVIDENCE}imported symbols are not known",
                )
                for name in ASSUMED_CAPABILITIES
            ]
        edges: list[Edge] = []
        if file.mode & 0o111 and file.path.rpartition("/")[2].partition(".")[2] in ("", "sh", "bash"):
            why = f"{NO_EVIDENCE}what interprets it is not known, and most scripts without a suffix are a shell's"
            edges.append(Edge(source=source, target=capability_node("shell"), kind=EdgeKind.CAPABILITY, evidence=why))
        directory = self._application_directory(file.path) if owner is None or owner.type in _MODULES else None
        return edges if directory is None else [*edges, *self._to_directory(source, directory, file)]

    def _to_directory(self, source: Node, directory: str, file: File) -> list[Edge]:
        """One edge to the directory, whose own edges lead to what lies below: every file of it would say the same."""
        why = f"{NO_EVIDENCE}what {file.path} imports is not known, and it lies there"
        return list(self._view.edges_to(source, directory, EdgeKind.IMPORT, evidence=why))

    def _application_directory(self, path: str) -> str | None:
        """The directory that holds an application's own files: that of `path`, or above it where that is bin/."""
        directory = path.rpartition("/")[0]
        if directory.rpartition("/")[2] in ("bin", "sbin"):
            directory = directory.rpartition("/")[0]
        return directory if self._is_application(directory) else None

    def _is_application(self, directory: str) -> bool:
        """Whether nothing of the distribution lies below, nor is the place one that applications share."""
        known = self._applications.get(directory)
        if known is None:
            owners = self._view.inventory.owners
            known = (
                directory.count("/") > 0
                and _SHARED.fullmatch(directory) is None
                and not any(
                    self._view.packages[owner].type not in _MODULES
                    for path in self._view.tree.under(directory)
                    for owner in owners.get(path, ())
                )
            )
            self._applications[directory] = known
        return known


def unowned_links(reached: Mapping[Node, bool], view: View) -> list[Edge]:
    """Links that no package claims and that lead to something kept: an SBOM does not say who ships a link.

    dpkg's own lists do, and Syft does not read them; libraries, alternatives and versioned directories hang on them.
    """
    kept_directories: set[str] = set()
    for node in reached:
        if node.startswith("/"):
            parent = node.rpartition("/")[0]
            while parent and parent not in kept_directories:
                kept_directories.add(parent)
                parent = parent.rpartition("/")[0]
    edges = []
    for path, file in view.tree.files.items():
        if file.type is not FileType.SYMLINK or path in reached or path in view.inventory.owners:
            continue
        target = view.tree.resolve(path).path
        if target is not None and (target in reached or target in kept_directories):
            edges.append(
                Edge(
                    source=file_node(target) if target in reached else entry_node("base"),
                    target=file_node(path),
                    kind=EdgeKind.STATE,
                    evidence=f"{NO_EVIDENCE}a link to {target} that no package claims",
                )
            )
    return edges


def _whole(source: str, package: PackageId, why: str) -> Edge:
    return Edge(
        source=file_node(source),
        target=package_node(package),
        kind=EdgeKind.COMPANION,
        evidence=f"{NO_EVIDENCE}{why}",
    )
