"""Why a plan keeps what a finding names: one shortest chain from an entry point, by path."""

from __future__ import annotations

from collections import deque
from typing import TYPE_CHECKING

from pruner.errors import printable
from pruner.model import Node, node_kind, node_name
from pruner.plan.types import Decision

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence

    from pruner.model import Edge
    from pruner.plan.types import Plan


def chain_finder(plan: Plan) -> Callable[[str], tuple[str, ...]]:
    """A function from a path to its chain, one printable line a step; empty for what the plan does not keep.

    All chains are found in one walk: asking for each by itself would sort the plan's edges every time.
    """
    parents = shortest_parents(plan.edges)
    kept = {file.path: file for file in plan.files if file.decision is not Decision.DROP}

    def chain(path: str) -> tuple[str, ...]:
        file = kept.get(path)
        if file is None:
            return ()
        node = Node(path if path in parents else file.origin or path)
        steps: list[str] = []
        while (edge := parents.get(node)) is not None:
            steps.append(f"{edge.kind}: {printable(edge.evidence)} -> {shown_node(edge.target)}")
            node = edge.source
        return (shown_node(node), *reversed(steps)) if steps else (printable(file.reason),)

    return chain


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


def shown_node(node: Node) -> str:
    """A node as the reports name it: a path, or its kind and name."""
    kind = node_kind(node)
    return printable(node if kind == "file" else f"{kind} {node_name(node)}")
