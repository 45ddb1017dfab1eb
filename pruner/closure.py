"""The kernel: the least set of states that holds the entry points and is closed under accepted edges.

It knows nodes, edges and two states (inert, active; active implies inert), and nothing of packages, files or rules:
what a node needs is asked of `edges_of(node, active)` when the node is reached, so cost follows what is kept.
No object of networkx leaves this module.

The laws, for a fixed answer of `settle`: the closure contains its entries, is idempotent, monotone, closed under
accepted edges, independent of input order, and equal to a naive search.
"""

from __future__ import annotations

from collections import defaultdict, deque
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from pruner.model import INERT_KINDS, Choice, Edge, Findings, Node, Unknown

if TYPE_CHECKING:
    import networkx

EdgesOf = Callable[[Node, bool], Findings]
"""What a node needs when it is inert (False) or active (True). The active answer contains the inert one."""

Accepts = Callable[[Edge], bool]
"""Whether an edge is followed. Asked of every edge, so that a user's `drop` can beat a hard need."""

Settle = Callable[[Mapping[Node, bool], tuple[Choice, ...]], Iterable[Edge]]
"""Asked at every fixpoint with the reached states and the open choices; the closure goes on with its answer.

A choice is open while none of its options is reached. The answer may hold further edges, choices or not;
nothing is ever retracted, and an answer without a new state ends the closure.
"""

State = tuple[Node, bool]


@dataclass(frozen=True, slots=True, kw_only=True)
class Closure:
    """What was reached, by which edges, and what was seen on the way."""

    reached: Mapping[Node, bool]
    """Every kept node; True where it is active."""
    edges: tuple[Edge, ...]
    """Accepted edges between reached nodes, sorted."""
    refused: tuple[Edge, ...]
    """Edges that were met and not followed, sorted."""
    unknowns: tuple[Unknown, ...]
    findings: Mapping[State, Findings]
    """What was asked, by state."""
    entries: tuple[Edge, ...]
    settled: tuple[Edge, ...]
    """The answers of `settle`, in order."""
    _beyond_of: EdgesOf = field(repr=False)
    _accepts: Accepts = field(repr=False)
    _beyond: dict[State, Findings] = field(default_factory=dict, repr=False)
    """What was asked only to price refused edges: several of them often lead to the same nodes."""
    _followed: dict[State, tuple[Edge, ...]] = field(default_factory=dict, repr=False)
    """Accepted edges between reached nodes by state: every accepted option explores nearly all of them again."""

    def reasons(self) -> dict[Node, Edge]:
        """For every reached node the last edge of a shortest chain to it; equal chains are decided by sort order."""
        outgoing = self._state_graph()
        found: dict[Node, Edge] = {}
        seen, waiting = {_ORIGIN}, deque([_ORIGIN])
        while waiting:
            edges = outgoing.get(waiting.popleft(), {})
            for target in sorted(edges):
                if target not in seen:
                    seen.add(target)
                    waiting.append(target)
                    found.setdefault(target[0], edges[target])
        return found

    def answered(self) -> tuple[Edge, ...]:
        """An edge for every choice of a reached state that was never left open: to its first option that is reached."""
        settled = {(edge.source, edge.target) for edge in self.settled}
        found = set()
        for (node, active), findings in self.findings.items():
            for choice in findings.choices if self.reached[node] is active else ():
                options = [option for option in choice.options if option in self.reached]
                if options and not any((choice.source, option) in settled for option in options):
                    found.add(Edge(source=choice.source, target=options[0], kind=choice.kind, evidence=choice.evidence))
        return tuple(sorted(found, key=_order))

    def added_by(self, edges: Iterable[Edge]) -> frozenset[Node]:
        """The nodes that accepting these refused edges would add, as far as the `beyond_of` of `close` tells what
        those need in turn; choices are held as they are.
        """
        accepted = frozenset(edges)
        states = _explore(
            [(edge, self.reached.get(edge.source, True)) for edge in sorted(accepted, key=_order)],
            followed=lambda node, active: [
                edge for edge in self._asked(node, active).edges if edge in accepted or self._accepts(edge)
            ],
            reached=dict(self.reached),
        )
        return frozenset(states.keys() - self.reached.keys())

    def freed_by(self, edges: Iterable[Edge]) -> frozenset[Node]:
        """The nodes that refusing these accepted edges would free; choices are held as they are."""
        without = frozenset(edges)
        sources = {edge.source for edge in without}

        def followed(node: Node, active: bool) -> Iterable[Edge]:
            found = self._followed_from(node, active)
            return [edge for edge in found if edge not in without] if node in sources else found

        start = [(edge, True) for edge in (*self.entries, *self.settled) if edge not in without and self._accepts(edge)]
        states = _explore(start, followed=followed, reached={})
        return frozenset(self.reached.keys() - states.keys())

    def _followed_from(self, node: Node, active: bool) -> tuple[Edge, ...]:
        found = self._followed.get((node, active))
        if found is None:
            edges = self._asked(node, active).edges
            found = tuple(edge for edge in edges if edge.target in self.reached and self._accepts(edge))
            self._followed[node, active] = found
        return found

    def _asked(self, node: Node, active: bool) -> Findings:
        found = self.findings.get((node, active)) or self._beyond.get((node, active))
        if found is None:
            found = self._beyond[node, active] = self._beyond_of(node, active)
        return found

    def _state_graph(self) -> Mapping[State, Mapping[State, Edge]]:
        """By state the states that accepted edges lead to from it, with the first of those edges.

        Plain mappings: every plan walks it once, and only to load networkx takes longer than that.
        """
        outgoing: defaultdict[State, dict[State, Edge]] = defaultdict(dict)

        def record(source: State, edge: Edge) -> None:
            if not self._accepts(edge):
                return
            target = (edge.target, source[1] and edge.kind not in INERT_KINDS)
            edges = outgoing[source]
            previous = edges.get(target)
            if previous is None or _order(edge) < _order(previous):
                edges[target] = edge

        for edge in self.entries:
            record(_ORIGIN, edge)
        for edge in self.settled:
            # Hung on its own source: from the origin it would be a short cut, and a chain could run in a circle.
            active = self.reached.get(edge.source)
            record(_ORIGIN if active is None else (edge.source, active), edge)
        for (node, active), findings in self.findings.items():
            for edge in findings.edges:
                record((node, active), edge)
        return outgoing


_ORIGIN: State = (Node(""), True)


def close(
    entries: Iterable[Edge],
    *,
    edges_of: EdgesOf,
    accepts: Accepts = lambda _edge: True,
    settle: Settle = lambda _reached, _choices: (),
    beyond_of: EdgesOf | None = None,
) -> Closure:
    """Return the closure of the targets of `entries`.

    Entry edges are taken as coming from an active source. `beyond_of` is asked in place of `edges_of` where refused
    edges are priced; one that tells less is faster and makes prices lower bounds. Raises whatever they raise.
    """
    findings: dict[State, Findings] = {}

    def ask(node: Node, active: bool) -> Findings:
        found = findings.get((node, active))
        if found is None:
            found = findings[node, active] = edges_of(node, active)
        return found

    def followed(node: Node, active: bool) -> Iterable[Edge]:
        return [edge for edge in ask(node, active).edges if accepts(edge)]

    first = tuple(sorted(set(entries), key=_order))
    reached = _explore([(edge, True) for edge in first if accepts(edge)], followed=followed, reached={})
    settled: dict[Edge, None] = {}
    while True:
        fresh = [edge for edge in settle(reached, _open_choices(findings, reached)) if edge not in settled]
        if not fresh:
            break
        settled.update(dict.fromkeys(fresh))
        start = [(edge, reached.get(edge.source, True)) for edge in fresh if accepts(edge)]
        _explore(start, followed=followed, reached=reached)
    final = {state: found for state, found in findings.items() if reached[state[0]] is state[1]}
    every = {edge for found in final.values() for edge in found.edges}
    every.update(first, settled)
    accepted = {edge for edge in every if accepts(edge)}
    return Closure(
        reached=reached,
        edges=tuple(sorted(accepted, key=_order)),
        refused=tuple(sorted(every - accepted, key=_order)),
        unknowns=tuple(sorted({unknown for found in final.values() for unknown in found.unknowns})),
        findings=findings,
        entries=first,
        settled=tuple(settled),
        _beyond_of=beyond_of or edges_of,
        _accepts=accepts,
    )


def _explore(
    start: list[tuple[Edge, bool]],
    *,
    followed: Callable[[Node, bool], Iterable[Edge]],
    reached: dict[Node, bool],
) -> dict[Node, bool]:
    """Extend `reached` by everything that `start` leads to over edges that are `followed`, and return it."""
    active_ends, inert_ends = list[Node](), list[Node]()

    def add(edges: Iterable[Edge], source_active: bool) -> None:
        for edge in edges:
            (active_ends if source_active and edge.kind not in INERT_KINDS else inert_ends).append(edge.target)

    for edge, source_active in start:
        add((edge,), source_active)
    while active_ends or inert_ends:
        # Active ones first: who is asked what it needs when it is active need not be asked before when it is inert.
        active = bool(active_ends)
        node = active_ends.pop() if active else inert_ends.pop()
        before = reached.get(node)
        if before is True or before is active:
            continue
        reached[node] = active
        add(followed(node, active), active)
    return reached


def _open_choices(findings: Mapping[State, Findings], reached: Mapping[Node, bool]) -> tuple[Choice, ...]:
    """The choices of reached states of which no option is reached, in a stable order."""
    seen = {
        choice
        for (node, active), found in findings.items()
        if found.choices and reached[node] is active
        for choice in found.choices
        if not any(option in reached for option in choice.options)
    }
    return tuple(sorted(seen, key=lambda choice: (choice.source, choice.options, choice.kind, choice.evidence)))


def _order(edge: Edge) -> tuple[str, str, str, str, str, str]:
    return (edge.source, edge.target, edge.kind, edge.strength, edge.evidence, edge.rule or "")


def shortest_chain(edges: Iterable[Edge], target: Node) -> tuple[Edge, ...]:
    """The edges of a shortest chain to `target` from a node that nothing leads to, in walking order.

    Empty when `target` is no edge's target. Equal chains are decided by sort order.
    """
    import networkx

    graph: networkx.DiGraph[Node] = networkx.DiGraph()
    between: dict[tuple[Node, Node], Edge] = {}
    for edge in sorted(edges, key=_order):
        if (edge.source, edge.target) not in between and edge.source != edge.target:
            between[edge.source, edge.target] = edge
            graph.add_edge(edge.source, edge.target)
    if target not in graph:
        return ()
    origins = sorted(node for node, degree in graph.in_degree() if degree == 0)
    graph.add_edges_from((_ORIGIN[0], origin) for origin in origins)
    predecessors = {child: parent for parent, child in networkx.bfs_edges(graph, _ORIGIN[0], sort_neighbors=sorted)}
    chain: list[Edge] = []
    node = target
    while node in predecessors and predecessors[node] != _ORIGIN[0]:
        chain.append(between[predecessors[node], node])
        node = predecessors[node]
    return tuple(reversed(chain))
