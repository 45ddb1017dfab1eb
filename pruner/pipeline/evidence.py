"""What can be said about a file whose bytes were not given: less, and the plan says so.

The SBOM still states DT_NEEDED, owners, links and state. RUNPATH, shebang, literals, symbols and the text of
configuration are missing, so whole packages stand in for the files that would have been found.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from pruner.analyze.loader import is_loader_directory
from pruner.model import (
    Edge,
    EdgeKind,
    File,
    Findings,
    Package,
    PackageId,
    Unknown,
    capability_node,
    file_node,
    package_node,
)

if TYPE_CHECKING:
    from pruner.analyze.view import View
    from pruner.pipeline.packagefacts import PackageFacts
    from pruner.rules import BoundRules

NO_EVIDENCE = "no evidence: "
"""Every reason that stands in for missing evidence starts with this."""

ASSUMED_CAPABILITIES = ("users", "dns", "tls-ca", "locale", "timezone")
"""What an executable is assumed to ask for while its imported symbols are not known."""


class Evidence:
    """Edges of files without content, from the SBOM alone."""

    def __init__(self, view: View, rules: BoundRules, facts: PackageFacts) -> None:
        self._view = view
        self._rules = rules
        self._facts = facts
        self._by_name: dict[str, list[str]] | None = None

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

    def edges_of_package(self, package: Package) -> Findings:
        """Installed packages of modules or plugins that declare a need of a package that is kept whole."""
        edges = [
            _whole(package_node(package.id), other, f"{self._view.packages[other].name} extends {package.name}")
            for other in self._facts.dependents_of[package.id]
            if self._facts.is_private(other)
        ]
        return Findings(edges=tuple(edges))

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
        patterns = ("/lib*/ld-linux*.so.*", "/lib/ld-musl-*.so.1", "/lib*/ld.so.1", "/lib*/ld64.so.*")
        return [
            edge
            for pattern in patterns
            for path in self._view.tree.glob(pattern)
            for edge in self._view.edges_to(
                file_node(file.path), path, EdgeKind.LOAD, evidence="the loader of dynamic executables"
            )
        ]

    def _private_parts(self, file: File, owner: Package) -> list[Edge]:
        """A library package with plugins or data of its own is kept whole: nothing says which of them are used."""
        for path in self._facts.files_of[owner.id]:
            directory = path.rpartition("/")[0]
            if not is_loader_directory(directory) and not self._rules.is_documentation(path):
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
        if owner is not None:
            return []
        return [
            _whole(source, package.id, f"what {file.path} imports is not known")
            for package in self._view.inventory.packages
            if self._could_be_imported(package, file)
        ]

    def _could_be_imported(self, package: Package, file: File) -> bool:
        """Whether a language package lies in an environment around the file: a common parent below the root."""
        if package.type not in ("python", "npm", "gem"):
            return False
        top = "/".join(file.path.split("/")[:3])
        return any(location.startswith(f"{top}/") for location in package.locations)


def _whole(source: str, package: PackageId, why: str) -> Edge:
    return Edge(
        source=file_node(source),
        target=package_node(package),
        kind=EdgeKind.COMPANION,
        evidence=f"{NO_EVIDENCE}{why}",
    )
