"""Why a plan keeps what a finding names: one shortest chain from an entry point, by path."""

from __future__ import annotations

from collections import deque
from typing import TYPE_CHECKING

from pruner.errors import printable
from pruner.model import Node, node_kind, node_name
from pruner.plan.types import Decision

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Mapping, Sequence

    from pruner.model import Edge
    from pruner.plan.types import FilePlan, Plan

_OF_PACKAGES = frozenset({"package", "requires"})


class Chains:
    """Look-ups in the needs that a plan keeps things for.

    All chains are found in one walk: asking for each by itself would sort the plan's edges every time.
    """

    def __init__(self, plan: Plan) -> None:
        self._plan = plan
        self._parents = shortest_parents(plan.edges)
        self._kept = {file.path: file for file in plan.files if file.decision is not Decision.DROP}
        self._options = {edge: option.name for option in plan.optional if option.accepted for edge in option.edges}
        self._names = package_names(plan)
        self._reached: dict[str, Collection[Node]] = {}

    def steps(self, path: str) -> tuple[str, ...]:
        """The chain to `path`, one printable line a step; empty for what the plan does not keep."""
        file = self._kept.get(path)
        if file is None:
            return ()
        start, edges = self._way(file)
        if not edges:
            return (printable(file.reason),)
        return (shown_node(start, self._names), *(self._step(edge) for edge in edges))

    def option(self, path: str) -> str:
        """The option that the plan keeps `path` for, so that refusing it drops the file; empty where there is none."""
        file = self._kept.get(path)
        if file is None:
            return ""
        for edge in reversed(self._way(file)[1]):
            option = self._options.get(edge)
            if option is not None and self._node(file) not in self._without(option):
                return option
        return ""

    def _step(self, edge: Edge) -> str:
        option = self._options.get(edge)
        kind = edge.kind if option is None else f"{edge.kind}, the option {printable(option)}"
        return f"{kind}: {printable(edge.evidence)} -> {shown_node(edge.target, self._names)}"

    def _node(self, file: FilePlan) -> Node:
        return Node(file.path if file.path in self._parents else file.origin or file.path)

    def _way(self, file: FilePlan) -> tuple[Node, list[Edge]]:
        """Where the chain to `file` begins, and its edges in order."""
        node = self._node(file)
        edges: list[Edge] = []
        while (edge := self._parents.get(node)) is not None:
            edges.append(edge)
            node = edge.source
        return node, edges[::-1]

    def _without(self, option: str) -> Collection[Node]:
        """Everything that chains from the same beginnings lead to without the edges of `option`."""
        if option not in self._reached:
            targets: dict[Node, list[Edge]] = {}
            for edge in self._plan.edges:
                if self._options.get(edge) != option:
                    targets.setdefault(edge.source, []).append(edge)
            reached: dict[Node, Edge | None] = {node: None for node, edge in self._parents.items() if edge is None}
            _follow(reached, targets)
            self._reached[option] = reached.keys()
        return self._reached[option]


def shortest_parents(edges: Iterable[Edge]) -> dict[Node, Edge | None]:
    """For each node the edge by which a shortest chain enters it; None where a chain begins.

    Chains begin at what nothing leads to, and at the first node of every ring that no such chain enters.
    """
    targets: dict[Node, list[Edge]] = {}
    entered: set[Node] = set()
    for edge in edges:
        if edge.source != edge.target:
            targets.setdefault(edge.source, []).append(edge)
            entered.add(edge.target)
    parents: dict[Node, Edge | None] = dict.fromkeys(sorted(targets.keys() - entered))
    _follow(parents, targets)
    for node in sorted(targets.keys() - parents.keys()):
        if node not in parents:
            parents[node] = None
            _follow(parents, targets, (node,))
    return parents


def _follow(
    parents: dict[Node, Edge | None], targets: Mapping[Node, Sequence[Edge]], starts: Iterable[Node] | None = None
) -> None:
    """Add to `parents` all that its nodes, or `starts`, lead to."""
    waiting = deque(parents if starts is None else starts)
    while waiting:
        for edge in sorted(targets.get(waiting.popleft(), ()), key=_edge_order):
            if edge.target not in parents:
                parents[edge.target] = edge
                waiting.append(edge.target)


def _edge_order(edge: Edge) -> tuple[str, str, str]:
    return edge.target, edge.kind, edge.evidence


def package_names(plan: Plan | None) -> dict[str, str]:
    """Names and versions by the ids that the SBOM gave to packages, which mean nothing outside of it."""
    return {} if plan is None else {package.id: f"{package.name} {package.version}" for package in plan.packages}


def shown_node(node: Node, names: Mapping[str, str]) -> str:
    """A node as the reports name it: a path, or its kind and name; `names` are those of packages by id."""
    kind, name = node_kind(node), node_name(node)
    if kind == "file":
        return printable(node)
    return printable(f"{kind} {names.get(name, name) if kind in _OF_PACKAGES else name}")
