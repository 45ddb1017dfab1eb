"""What a node needs: analyzers, rules and declared dependencies joined for the kernel."""

from __future__ import annotations

from collections import Counter, defaultdict
from typing import TYPE_CHECKING

from msgspec import structs

from pruner.analyze import analyze, joined, surface
from pruner.analyze.config import programs_of_config
from pruner.model import (
    Choice,
    Edge,
    EdgeKind,
    File,
    FileType,
    Findings,
    Node,
    Package,
    PackageId,
    Strength,
    file_node,
    node_kind,
    node_name,
    package_node,
    requires_node,
)
from pruner.pipeline.evidence import Evidence
from pruner.pipeline.packagefacts import PackageFacts
from pruner.pipeline.request import Profile

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping

    from pruner.analyze.view import View
    from pruner.rules import BoundRules

    Look = Callable[[File, bool, View], Findings]

DISTRIBUTION_TYPES = frozenset({"deb", "apk", "rpm", "alpm"})
"""Ecosystems whose packages are kept by file; those of a language are kept whole with what they require."""


OPTIONAL_PACKAGES = "optional-packages"
"""The option that takes what a package graph from outside states as optional (Recommends, Suggests)."""

_STATE_DIRECTORIES = ("/var/lib/", "/var/cache/", "/var/log/", "/var/spool/", "/run/", "/srv/")
"""Where programs keep what they make at run time (Filesystem Hierarchy Standard 3.0, chapters 3 and 5)."""


class Demand:
    """Answers `edges_of(node, active)` for one inventory, one set of rules and one profile."""

    def __init__(self, view: View, rules: BoundRules, profile: Profile) -> None:
        self._view = view
        self._rules = rules
        self._profile = profile
        self._facts = PackageFacts(view)
        self._evidence = Evidence(view, rules, self._facts)
        self._optional = _optional_clauses(view)

    def edges_of(self, node: Node, active: bool) -> Findings:
        """What `node` needs while inert or active (`pruner.closure.EdgesOf`)."""
        return self._answer(node, active, analyze)

    def needs_of(self, package: PackageId) -> tuple[tuple[PackageId, ...], ...]:
        """The clauses of `package` that are not optional."""
        optional = self._optional[package]
        return tuple(clause for clause in self._view.clauses(package) if clause not in optional)

    def surface_of(self, node: Node, active: bool) -> Findings:
        """The same without what the bytes of a file name: what it links to, its interpreter, and what is declared."""
        return self._answer(node, active, surface)

    def _answer(self, node: Node, active: bool, look: Look) -> Findings:
        kind, name = node_kind(node), node_name(node)
        if kind == "file":
            file = self._view.tree.get(name)
            return Findings() if file is None else self._of_file(file, active, look)
        if kind == "package":
            return self._of_package(self._view.packages[PackageId(name)], active)
        if kind == "requires":
            return self._of_requirement(PackageId(name))
        if kind == "capability":
            capability, _, value = name.partition("=")
            return self._rules.edges_of_capability(capability, value or None)
        return Findings()

    # -- files --------------------------------------------------------------------------------------------------------

    def _of_file(self, file: File, active: bool, look: Look) -> Findings:
        owner = self._view.owner(file.path)
        if self._view.root is None and file.type is FileType.REGULAR:
            seen = self._evidence.edges_of_file(file, active)
        elif self._view.root is None and file.type is FileType.DIRECTORY and active:
            seen = self._evidence.edges_of_directory(file)
        else:
            seen = look(file, active, self._view)
        ruled = self._rules.edges_of_file(file, active, seen, owner)
        parts = [seen, ruled]
        if owner is not None and owner.type in DISTRIBUTION_TYPES and self._facts.is_elf(file):
            parts.append(self._data_of(file, owner))
        if owner is not None and self._profile is Profile.PACKAGE:
            whole = Edge(
                source=file_node(file.path),
                target=package_node(owner.id),
                kind=EdgeKind.COMPANION,
                evidence=f"profile package keeps {owner.name} whole",
            )
            parts.append(Findings(edges=(whole,)))
        return joined(parts)

    def _data_of(self, file: File, owner: Package) -> Findings:
        """The data packages that the owner of a kept ELF file declares a need of.

        Asked of files rather than of packages: a library that nothing loads reads no data.
        """
        clauses = [clause for clause in self._view.clauses(owner.id) if clause and not self._facts.has_elf(clause[0])]
        return self._clause_edges(file_node(file.path), owner, clauses, requires_node)

    # -- packages -----------------------------------------------------------------------------------------------------

    def _of_package(self, package: Package, active: bool) -> Findings:
        is_distribution = package.type in DISTRIBUTION_TYPES
        make = requires_node if is_distribution and self._profile is not Profile.PACKAGE else package_node
        parts = [
            Findings(edges=tuple(self._companions(package))),
            self._rules.edges_of_package(package, active),
            self._clause_edges(package_node(package.id), package, self._view.clauses(package.id), make),
        ]
        if is_distribution:
            parts.append(Findings(edges=tuple(self._module_packages(package))))
            if active:
                parts.append(Findings(edges=(*self._siblings(package), *self._configured(package))))
            if active and self._view.root is None:
                parts.append(self._evidence.edges_of_package(package))
        return joined(parts)

    def _companions(self, package: Package) -> list[Edge]:
        """The files of a package that is kept whole, without its documentation classes."""
        edges = []
        for path in self._facts.files_of[package.id]:
            file = self._view.tree.files.get(path)
            if file is None or self._rules.is_documentation(path):
                continue
            if file.type is FileType.DIRECTORY:
                edges += _directory_edges(package, path)
                continue
            option = self._rules.optional_for(path, package)
            edges.append(
                Edge(
                    source=package_node(package.id),
                    target=file_node(path),
                    kind=EdgeKind.COMPANION,
                    strength=Strength.HARD if option is None else Strength.OPTIONAL,
                    evidence=f"part of {package.name}" if option is None else option.why,
                    group=None if option is None else option.group,
                    default=True if option is None else option.default,
                    rule=None if option is None else option.rule,
                )
            )
        return edges

    def _siblings(self, package: Package) -> list[Edge]:
        source = package.source or package.name
        return [
            Edge(
                source=package_node(package.id),
                target=package_node(sibling),
                kind=EdgeKind.COMPANION,
                evidence=f"built from the same source {source}",
            )
            for sibling in sorted(self._view.siblings(package))
            if sibling != package.id
        ]

    def _configured(self, package: Package) -> list[Edge]:
        """The package's own programs that its configuration names: who reads it is running, and starts them."""
        files = (self._view.tree.files.get(path) for path in self._facts.files_of[package.id])
        return [
            structs.replace(edge, source=package_node(package.id), evidence=f"{file.path} {edge.evidence}")
            for file in files
            if file is not None
            for edge in programs_of_config(file, self._view)
        ]

    def _module_packages(self, package: Package) -> list[Edge]:
        """Declared dependencies of a package that is kept whole that are made of extension modules.

        The files of a whole package are inert, so what they import is taken from what the package declares. Extension
        modules lie in private directories where only a language's runtime looks, so no DT_NEEDED would ever bring them.
        """
        return [
            Edge(
                source=package_node(package.id),
                target=package_node(clause[0]),
                kind=EdgeKind.DEPENDS,
                evidence=f"{package.name} declares it, and it is made of modules",
            )
            for clause in self._view.clauses(package.id)
            if len(clause) == 1 and self._facts.has_elf(clause[0]) and self._facts.is_private(clause[0])
            if clause not in self._optional[package.id]
        ]

    def _of_requirement(self, package: PackageId) -> Findings:
        """A package that a kept one declares a need of is kept whole when it is made of data alone.

        One with ELF files is kept by file, as far as something loads or runs them.
        """
        if self._facts.has_elf(package):
            return Findings()
        data = Edge(
            source=requires_node(package),
            target=package_node(package),
            kind=EdgeKind.DATA,
            evidence="declared dependency that is made of data alone",
        )
        option = self._rules.optional_for("", self._view.packages[package])
        if option is not None:
            data = structs.replace(
                data,
                strength=Strength.OPTIONAL,
                evidence=option.why,
                group=option.group,
                default=option.default,
                rule=option.rule,
            )
        return Findings(edges=(data,))

    def _clause_edges(
        self,
        source: Node,
        package: Package,
        clauses: Iterable[tuple[PackageId, ...]],
        make: Callable[[PackageId], Node],
    ) -> Findings:
        """An edge for each of the package's `clauses` with one installed answer, a choice for each with several.

        `make` names the nodes. A need that is optional is one edge to the answer that is preferred, left out by default
        as package managers leave out what is not needed.
        """
        edges, choices = [], []
        for clause in clauses:
            options = tuple(make(option) for option in clause)
            evidence_text = f"{package.name} declares a dependency"
            if clause in self._optional[package.id]:
                edges.append(_optional_edge(source, options[0], package))
            elif len(options) == 1:
                edges.append(Edge(source=source, target=options[0], kind=EdgeKind.DEPENDS, evidence=evidence_text))
            elif options:
                choices.append(Choice(source=source, options=options, kind=EdgeKind.DEPENDS, evidence=evidence_text))
        return Findings(edges=tuple(edges), choices=tuple(choices))


def _optional_clauses(view: View) -> Mapping[PackageId, frozenset[tuple[PackageId, ...]]]:
    """For each package the clauses that are stated as optional and nowhere as needed."""
    optional: defaultdict[PackageId, Counter[tuple[PackageId, ...]]] = defaultdict(Counter)
    for given in view.inventory.dependencies:
        if given.strength is Strength.OPTIONAL:
            optional[given.dependant][given.dependency, *given.alternatives] += 1
    found = {
        package: frozenset(clause for clause, times in stated.items() if view.clauses(package).count(clause) == times)
        for package, stated in optional.items()
    }
    return defaultdict(frozenset, found)


def _optional_edge(source: Node, target: Node, package: Package) -> Edge:
    return Edge(
        source=source,
        target=target,
        kind=EdgeKind.DEPENDS,
        strength=Strength.OPTIONAL,
        evidence=f"{package.name} declares an optional dependency",
        group=OPTIONAL_PACKAGES,
        default=False,
    )


def _directory_edges(package: Package, path: str) -> list[Edge]:
    """A directory that the package ships where programs keep what they make, with its owner and mode; also empty."""
    if not path.startswith(_STATE_DIRECTORIES):
        return []
    evidence = f"a directory of {package.name} for what is made at run time"
    return [Edge(source=package_node(package.id), target=file_node(path), kind=EdgeKind.STATE, evidence=evidence)]
