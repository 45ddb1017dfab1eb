"""Which program runs the modules of a package: the interpreter of their language that the package depends on.

No module names its interpreter, so it is told by what the package declares: `libjson-perl` depends on `perl`, and that
on `perl-base`, which brings `/usr/bin/perl`.
"""

from __future__ import annotations

from collections import defaultdict
from typing import TYPE_CHECKING

from pruner.analyze import language_of_interpreter, language_of_module
from pruner.model import Edge, EdgeKind, Node, file_node
from pruner.pipeline.demand import DISTRIBUTION_TYPES

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Mapping

    from pruner.analyze.view import View
    from pruner.model import Package


def edges_to_interpreter(package: Package, modules: Iterable[str], view: View) -> list[Edge]:
    """An edge from each of the `modules` of `package` to its interpreter, where another package brings that."""
    found: dict[str, tuple[str, str] | None] = {}
    edges: list[Edge] = []
    for path in modules:
        language = language_of_module(path)
        if language is None:
            continue
        if language not in found:
            found[language] = _interpreter(package, language, view)
        interpreter = found[language]
        if interpreter is not None:
            program, owner = interpreter
            evidence = f"{package.name} depends on {owner}, whose {language} runs its modules"
            edges += view.edges_to(file_node(path), program, EdgeKind.DEPENDS, evidence=evidence)
    return edges


def interpreters_kept(edges: Collection[Edge], reached: Mapping[Node, bool], view: View) -> tuple[Edge, ...]:
    """Edges from kept modules to the interpreter of their packages, where that is kept too, sorted.

    Left out for a package of which the interpreter itself needs a module: there the need goes the other way.
    """
    modules: defaultdict[str, list[str]] = defaultdict(list)
    owners: dict[str, Package] = {}
    for path in sorted(node for node in reached if node.startswith("/") and language_of_module(node)):
        owner = view.owner(path)
        if owner is not None and owner.type in DISTRIBUTION_TYPES:
            owners[owner.id] = owner
            modules[owner.id].append(path)
    outgoing: defaultdict[str, list[str]] = defaultdict(list)
    for edge in edges:
        outgoing[edge.source].append(edge.target)
    needed: dict[str, frozenset[str]] = {}
    found: list[Edge] = []
    for identity, paths in modules.items():
        for edge in edges_to_interpreter(owners[identity], paths, view):
            if edge.target not in needed:
                needed[edge.target] = _reachable(edge.target, outgoing)
            if edge.target in reached and needed[edge.target].isdisjoint(paths):
                found.append(edge)
    return tuple(sorted(found, key=lambda edge: (edge.source, edge.target)))


def _interpreter(package: Package, language: str, view: View) -> tuple[str, str] | None:
    """The interpreter of `language` in the packages that `package` needs, nearest first, and its package's name."""
    level, seen = [package.id], {package.id}
    while level:
        following = []
        for clause in (clause for one in level for clause in view.clauses(one)):
            for other in clause[:1]:
                if other in seen:
                    continue
                seen.add(other)
                following.append(other)
                programs = (path for path in view.executables(other) if path.rpartition("/")[0].endswith("/bin"))
                fit = [path for path in programs if language_of_interpreter(path.rpartition("/")[2]) == language]
                if fit:
                    return min(fit, key=lambda path: (len(path), path)), view.packages[other].name
        level = following
    return None


def _reachable(start: str, outgoing: Mapping[str, Iterable[str]]) -> frozenset[str]:
    seen: set[str] = set()
    waiting = [start]
    while waiting:
        node = waiting.pop()
        if node not in seen:
            seen.add(node)
            waiting += outgoing.get(node, ())
    return frozenset(seen)
