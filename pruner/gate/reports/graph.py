"""Who needs whom of what is kept, for the HTML report: by a plan's edges, else by what loaders follow."""

from __future__ import annotations

import posixpath
from collections import deque
from typing import TYPE_CHECKING, NamedTuple

from pruner.errors import printable
from pruner.gate.compare.libraries import Needs
from pruner.gate.evaluate.chains import package_names, shortest_parents, shown_node
from pruner.gate.keys import key_of_plan
from pruner.gate.sides.entries import small_tree
from pruner.model import Edge, EdgeKind, FileType, Node, PackageId, entry_node, node_kind, node_name
from pruner.plan.types import Decision

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from pruner.gate.types import Comparison, PackageKey
    from pruner.plan.types import Plan

_NO_PACKAGE = "files of no package"
_ANY = "any program"
_UNREACHED = "no chain is known"


class Step(NamedTuple):
    """Why a node is there: what needs it, how, and what was seen."""

    source: Node
    kind: str
    evidence: str


class Group(NamedTuple):
    """A node of the drawn graph: a package, an entry point, or what else files hang on."""

    label: str
    kind: str
    """`package`, `directory` (files of no package that need something), `files` (those that need nothing), `entry`,
    `capability`, `requires` or `unreached`."""
    package: PackageKey | None
    parent: int
    """Index of the group that a shortest chain comes from; -1 for a root."""


class Graph(NamedTuple):
    """Files and what they hang on, and the same drawn together by package."""

    steps: Mapping[Node, Step | None]
    """For each node the last step of a shortest chain; None for a root."""
    group_of: Mapping[Node, int]
    """Index of the group of each node of `steps`, and of each file that is there and of no package."""
    groups: tuple[Group, ...]
    edges: tuple[tuple[int, int], ...]
    """Pairs of groups, dependant and dependency, sorted."""


def graph_of(comparison: Comparison, plan: Plan | None) -> Graph:
    """The graph of what `comparison.after` has; from `plan` where it is given."""
    edges = _loader_edges(comparison) if plan is None else plan.edges
    steps: dict[Node, Step | None] = {
        node: None if edge is None else Step(edge.source, str(edge.kind), edge.evidence)
        for node, edge in shortest_parents(edges).items()
    }
    if plan is not None:
        for file in plan.files:
            if file.decision is not Decision.DROP and file.origin is not None and file.path not in steps:
                steps[Node(file.path)] = Step(Node(file.origin), "", file.reason)
    return _grouped(comparison, plan, edges, steps)


def _loader_edges(comparison: Comparison) -> Sequence[Edge]:
    """Edges of DT_NEEDED and of interpreters, from the entry points; where none is known, from every program."""
    side = comparison.after
    if side.files is None or side.binaries is None:
        return ()
    needs = Needs(side.binaries, small_tree(side.files))
    begun = [path for path in side.entries or comparison.before.entries if path in side.files]
    edges = [Edge(source=entry_node(path), target=Node(path), kind=EdgeKind.ENTRY) for path in begun]
    if not begun:
        binaries = side.binaries.items()
        begun = [path for path, binary in binaries if binary.starts and (side.files[path].mode or 0) & 0o111]
        edges = [Edge(source=entry_node(_ANY), target=Node(path), kind=EdgeKind.ENTRY) for path in begun]
    evidence = "DT_NEEDED, or the program's interpreter"
    edges += [
        Edge(source=Node(path), target=Node(target), kind=EdgeKind.LOAD, evidence=evidence)
        for path in sorted(needs.reached(begun))
        for target in needs.direct(path)
    ]
    return edges


class _Grouping:
    """Gives every node its group."""

    def __init__(self, comparison: Comparison, plan: Plan | None, steps: Mapping[Node, Step | None]) -> None:
        self._files = comparison.after.files or {}
        self._of_plan = {} if plan is None else {item.id: key_of_plan(item, plan.distro) for item in plan.packages}
        self._names = package_names(plan)
        self._steps = steps
        self._leading = {step.source for step in steps.values() if step is not None}
        self.numbers: dict[Node, int] = {}
        self.known: dict[tuple[str, str, PackageKey | None], int] = {}

    def of(self, node: Node) -> int:
        number = self.numbers.get(node)
        if number is None:
            number = self.numbers[node] = self._found(node)
        return number

    def of_package(self, key: PackageKey) -> int:
        return self.other(key.name, "package", key)

    def other(self, label: str, kind: str, key: PackageKey | None = None) -> int:
        return self.known.setdefault((label, kind, key), len(self.known))

    def _found(self, node: Node) -> int:
        kind = node_kind(node)
        if kind == "file":
            file = self._files.get(node)
            owner = None if file is None else file.owner
            if owner is not None:
                return self.of_package(owner)
            if node in self._leading:
                return self.other(f"{printable(posixpath.dirname(node)).rstrip('/')}/", "directory")
            return self.other(_NO_PACKAGE, "files")
        if kind == "package" and (key := self._of_plan.get(PackageId(node_name(node)))) is not None:
            return self.of_package(key)
        step = self._steps.get(node)
        if kind == "requires" and step is not None and node_kind(step.source) != "requires":
            return self.of(step.source)  # what stands for a choice belongs to what has to choose
        return self.other(shown_node(node, self._names), kind)


def _grouped(
    comparison: Comparison, plan: Plan | None, edges: Iterable[Edge], steps: Mapping[Node, Step | None]
) -> Graph:
    grouping = _Grouping(comparison, plan, steps)
    parents = _tree(grouping, steps)
    pairs = {(grouping.of(edge.source), grouping.of(edge.target)) for edge in edges}
    for key in comparison.after.packages:
        grouping.of_package(key)
    for path, file in (comparison.after.files or {}).items():
        if file.owner is None and file.type is not FileType.DIRECTORY:
            grouping.of(Node(path))
    if len(parents) < len(grouping.known):
        root = grouping.other(_UNREACHED, "unreached")
        parents[root] = -1
        for number in range(root):
            parents.setdefault(number, root)
    groups = [Group(label, kind, key, parents[number]) for (label, kind, key), number in grouping.known.items()]
    return Graph(steps, grouping.numbers, tuple(groups), tuple(sorted(pair for pair in pairs if pair[0] != pair[1])))


def _tree(grouping: _Grouping, steps: Mapping[Node, Step | None]) -> dict[int, int]:
    """For each group that is reached the one that its first node is needed by; -1 for a root.

    Nodes are taken by the length of their chains, so that no group comes below itself.
    """
    below: dict[Node, list[Node]] = {}
    for node, step in steps.items():
        if step is not None:
            below.setdefault(step.source, []).append(node)
    waiting = deque(sorted(node for node, step in steps.items() if step is None))
    parents: dict[int, int] = {}
    while waiting:
        node = waiting.popleft()
        step = steps[node]
        group = grouping.of(node)
        if group not in parents:
            parents[group] = -1 if step is None else grouping.of(step.source)
        waiting.extend(sorted(below.get(node, ())))
    return parents
