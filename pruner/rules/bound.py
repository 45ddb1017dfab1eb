"""Rules at work on one root filesystem: from nodes to edges."""

from __future__ import annotations

import posixpath
import re
from typing import TYPE_CHECKING

from pruner.model import (
    Edge,
    EdgeKind,
    File,
    Findings,
    Inventory,
    Node,
    Package,
    Strength,
    Unknown,
    capability_node,
    file_node,
    package_node,
)
from pruner.rules.index import FileIndex
from pruner.rules.match import Match, about_package, match_of_capability, matches_of_file, source_of
from pruner.rules.targets import Targets

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from pruner.rootfs.tree import Tree
    from pruner.rules.ruleset import RuleSet
    from pruner.rules.types import Option, Rule

_PLACEHOLDER = re.compile(r"\{([^{}]*)\}")


class BoundRules:
    """Answers which edges the rules add to a node; made by `RuleSet.bind`. Pure: equal questions, equal answers."""

    def __init__(self, rules: RuleSet, inventory: Inventory, tree: Tree, search_path: tuple[str, ...]) -> None:
        usable = tuple(rule for rule in rules.rules if rule.when.content in {None, inventory.has_content})
        self._rules = rules
        self._targets = Targets(tree, inventory.packages, search_path, rules.is_documentation)
        self._files = FileIndex(tuple(rule for rule in usable if rule.when.about_files))
        self._order = {rule.id: number for number, rule in enumerate(usable)}
        self._packages = tuple(rule for rule in usable if _about_packages(rule))
        self._capabilities = tuple(rule for rule in usable if rule.when.capabilities)

    def is_documentation(self, path: str) -> bool:
        """See `RuleSet.is_documentation`; rules for other distributions don't count."""
        return self._rules.is_documentation(path)

    def optional_for(self, path: str, package: Package) -> Option | None:
        """See `RuleSet.optional_for`."""
        return self._rules.optional_for(path, package)

    def edges_of_file(self, file: File, active: bool, findings: Findings, owner: Package | None) -> Findings:
        """What the rules add for a kept file; `findings` are the analyzers' (its symbols and literals count).

        Symbols count for an inert file too: an extension module of a runtime is loaded when a program imports it, and
        what it calls in libc or libssl reads the same files then.
        """
        candidates = {rule.id: rule for rule in self._files.candidates(file.path, findings.symbols, findings.literals)}
        edges: list[Edge] = []
        for identifier in sorted(candidates, key=self._order.__getitem__):
            rule = candidates[identifier]
            for match in matches_of_file(rule, file, active, findings, owner):
                values = {**_package_values(owner), **_file_values(file.path)}
                edges.extend(self._edges(rule, file_node(file.path), match, values, owner))
        return Findings(edges=_united(edges))

    def edges_of_package(self, package: Package, whole: bool) -> Findings:
        """What the rules add for a package; nothing unless it is kept whole."""
        if not whole:
            return Findings()
        edges: list[Edge] = []
        for rule in self._packages:
            match = about_package(rule, package)
            if match is not None:
                edges.extend(self._edges(rule, package_node(package.id), match, _package_values(package), package))
        return Findings(edges=_united(edges))

    def edges_of_capability(self, name: str, value: str | None) -> Findings:
        """What provides a capability. One that was asked for by value and that nothing provides is an unknown."""
        text = name if value is None else f"{name}={value}"
        source = capability_node(name, value)
        values = {} if value is None else {"value": value}
        edges: list[Edge] = []
        found: list[bool] = []
        for rule in self._capabilities:
            match = match_of_capability(rule, text)
            if match is not None:
                edges.extend(self._edges(rule, source, match, values, None))
                found.extend(self._finds_value(rule, source, match, values))
        unknown = Unknown(kind="capability", subject=source, detail="nothing in the root provides it")
        missing = value is not None and not (any(found) if found else edges)
        return Findings(edges=_united(edges), unknowns=(unknown,) if missing else ())

    def _finds_value(self, rule: Rule, source: Node, match: Match, values: Mapping[str, str]) -> Iterable[bool]:
        """For each target of the rule that is spelled by the value: whether the root has it. Options don't count."""
        values = {**values, **{str(number): text for number, text in enumerate(match.captures, 1)}}
        for target in rule.keep if rule.optional is None else ():
            if _PLACEHOLDER.search(target):
                yield any(True for _ in self._kept(target, source, values, rule, None))

    def _edges(
        self, rule: Rule, source: Node, match: Match, values: Mapping[str, str], owner: Package | None
    ) -> Iterable[Edge]:
        """The edges of one rule that fired."""
        values = {**values, **{str(number): text for number, text in enumerate(match.captures, 1)}}
        optional = rule.optional if rule.optional and not rule.optional.files else None

        def edge(target: Node, kind: EdgeKind) -> Edge:
            return Edge(
                source=source,
                target=target,
                kind=kind,
                strength=Strength.OPTIONAL if optional else Strength.HARD,
                evidence=match.evidence,
                rule=rule.id,
                group=optional.group if optional else None,
                default=optional.default if optional else True,
            )

        for wanted in rule.ask:
            filled = _filled(wanted, values)
            if filled is not None:
                asked, _, argument = filled.partition("=")
                yield edge(capability_node(asked, argument or None), EdgeKind.CAPABILITY)
        for target in rule.keep:
            for node, kind in self._kept(target, source, values, rule, owner):
                yield edge(node, kind)
        for node, kind in self._targets.of_state(rule, values):
            yield edge(node, kind)

    def _kept(
        self, target: str, source: Node, values: Mapping[str, str], rule: Rule, owner: Package | None
    ) -> Iterable[tuple[Node, EdgeKind]]:
        """The nodes that one item of `keep` stands for, each with the kind of its edge."""
        if target == "owner":
            return [(package_node(owner.id), rule.kind or EdgeKind.RULE)] if owner is not None else []
        if target in {"names", "alternatives"}:
            names = self._targets.names_of(source, alternatives=target == "alternatives")
            return [(node, rule.kind or EdgeKind.STATE) for node in names]
        return self._targets.of(target, values, rule)


def _filled(text: str, values: Mapping[str, str]) -> str | None:
    """`text` with its placeholders filled in; None where one has no value."""
    names = _PLACEHOLDER.findall(text)
    if any(not values.get(name) for name in names):
        return None
    return _PLACEHOLDER.sub(lambda found: values[found[1]], text)


def _about_packages(rule: Rule) -> bool:
    return rule.drop is None and not rule.when.about_files and bool(rule.when.packages or rule.when.sources)


def _file_values(path: str) -> dict[str, str]:
    directory, name = posixpath.split(path)
    return {
        "dir": directory,
        "prefix": posixpath.dirname(directory).rstrip("/"),
        "name": name,
        "stem": name.partition(".")[0] or name,
    }


def _package_values(package: Package | None) -> dict[str, str]:
    return {} if package is None else {"package": package.name, "source": source_of(package)}


def _united(edges: Iterable[Edge]) -> tuple[Edge, ...]:
    """Edges without repetitions and without loops to their own source, in order."""
    return tuple(dict.fromkeys(edge for edge in edges if edge.source != edge.target))
