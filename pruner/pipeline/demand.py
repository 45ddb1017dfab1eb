"""What a node needs: analyzers, rules and declared dependencies joined for the kernel."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from pruner.analyze import analyze, joined
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

DISTRIBUTION_TYPES = frozenset({"deb", "apk", "rpm", "alpm"})
"""Ecosystems whose packages are kept by file; those of a language are kept whole with what they require."""


class Demand:
    """Answers `edges_of(node, active)` for one inventory, one set of rules and one profile."""

    def __init__(self, view: View, rules: BoundRules, profile: Profile) -> None:
        self._view = view
        self._rules = rules
        self._profile = profile
        self._facts = PackageFacts(view)
        self._evidence = Evidence(view, rules, self._facts)

    def edges_of(self, node: Node, active: bool) -> Findings:
        """What `node` needs while inert or active (`pruner.closure.EdgesOf`)."""
        kind, name = node_kind(node), node_name(node)
        if kind == "file":
            file = self._view.tree.get(name)
            return Findings() if file is None else self._of_file(file, active)
        if kind == "package":
            return self._of_package(self._view.packages[PackageId(name)], active)
        if kind == "requires":
            return self._of_requirement(PackageId(name))
        if kind == "capability":
            capability, _, value = name.partition("=")
            return self._rules.edges_of_capability(capability, value or None)
        return Findings()

    # -- files --------------------------------------------------------------------------------------------------------

    def _of_file(self, file: File, active: bool) -> Findings:
        owner = self._view.owner(file.path)
        if self._view.root is None and file.type is FileType.REGULAR:
            seen = self._evidence.edges_of_file(file, active)
        elif self._view.root is None and file.type is FileType.DIRECTORY and active:
            seen = self._evidence.edges_of_directory(file)
        else:
            seen = analyze(file, active, self._view)
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
                parts.append(Findings(edges=tuple(self._siblings(package))))
            if active and self._view.root is None:
                parts.append(self._evidence.edges_of_package(package))
        return joined(parts)

    def _companions(self, package: Package) -> list[Edge]:
        """The files of a package that is kept whole, without its documentation classes."""
        edges = []
        for path in self._facts.files_of[package.id]:
            file = self._view.tree.files.get(path)
            if file is None or file.type is FileType.DIRECTORY or self._rules.is_documentation(path):
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
            data = replace(
                data,
                strength=Strength.OPTIONAL,
                evidence=option.why,
                group=option.group,
                default=option.default,
                rule=option.rule,
            )
        return Findings(edges=(data,))

    @staticmethod
    def _clause_edges(
        source: Node,
        package: Package,
        clauses: Iterable[tuple[PackageId, ...]],
        make: Callable[[PackageId], Node],
    ) -> Findings:
        """An edge for each of the package's `clauses` with one installed answer, a choice for each with several.

        `make` names the nodes.
        """
        edges, choices = [], []
        for clause in clauses:
            options = tuple(make(option) for option in clause)
            evidence_text = f"{package.name} declares a dependency"
            if len(options) == 1:
                edges.append(Edge(source=source, target=options[0], kind=EdgeKind.DEPENDS, evidence=evidence_text))
            elif options:
                choices.append(Choice(source=source, options=options, kind=EdgeKind.DEPENDS, evidence=evidence_text))
        return Findings(edges=tuple(edges), choices=tuple(choices))


def settle_choices(reached: Mapping[Node, bool], choices: tuple[Choice, ...]) -> list[Edge]:
    """For every open choice the edge to the first option that is kept already, or else to the first one named.

    A needed package is a node of its own, so that one may be kept whole while nothing has said that it is needed.
    """
    return [
        Edge(
            source=choice.source,
            target=next((option for option in choice.options if _is_kept(option, reached)), choice.options[0]),
            kind=choice.kind,
            evidence=choice.evidence,
        )
        for choice in choices
    ]


def _is_kept(option: Node, reached: Mapping[Node, bool]) -> bool:
    return package_node(PackageId(node_name(option))) in reached
