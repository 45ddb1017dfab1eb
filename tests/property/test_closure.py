"""The laws of the kernel, over random graphs of typed edges, choices aside."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from pruner.closure import close, shortest_chain
from pruner.model import INERT_KINDS, Choice, Edge, EdgeKind, Findings, Node, Strength

NODES = [Node(f"/n{number}") for number in range(8)]
nodes = st.sampled_from(NODES)
kinds = st.sampled_from([EdgeKind.EXEC, EdgeKind.LOAD, EdgeKind.DATA, EdgeKind.COMPANION])


@st.composite
def edges(draw: st.DrawFn, source: Node | None = None) -> Edge:
    return Edge(
        source=source or draw(nodes),
        target=draw(nodes),
        kind=draw(kinds),
        strength=draw(st.sampled_from(Strength)),
    )


graphs = st.lists(edges(), max_size=24)
roots = st.lists(edges(source=Node("entry:x")), max_size=4)


def edges_of(graph: list[Edge]):
    """An active node yields all its edges, an inert one only those that load or link."""

    def answer(node: Node, active: bool) -> Findings:
        mine = [edge for edge in graph if edge.source == node]
        return Findings(edges=tuple(edge for edge in mine if active or edge.kind is EdgeKind.LOAD))

    return answer


def hard(edge: Edge) -> bool:
    return edge.strength is Strength.HARD


def naive(graph: list[Edge], entries: list[Edge]) -> dict[Node, bool]:
    """The least fixpoint by repetition: the oracle."""
    states: dict[Node, bool] = {}

    def reach(edge: Edge, source_active: bool) -> bool:
        active = source_active and edge.kind not in INERT_KINDS
        if not hard(edge) or states.get(edge.target) in (True, active):
            return False
        states[edge.target] = active
        return True

    changed = True
    while changed:
        changed = any(reach(edge, True) for edge in entries)
        for node, active in list(states.items()):
            for edge in edges_of(graph)(node, active).edges:
                changed |= reach(edge, active)
    return states


@given(graphs, roots)
def test_closure_equals_a_naive_search(graph, entries):
    """The demand-driven kernel reaches what repeated application of the edges reaches, in the same states."""
    assert dict(close(entries, edges_of=edges_of(graph), accepts=hard).reached) == naive(graph, entries)


@given(graphs, roots)
def test_closure_contains_its_accepted_entries(graph, entries):
    """Every target of an accepted entry edge is kept."""
    closure = close(entries, edges_of=edges_of(graph), accepts=hard)
    assert {edge.target for edge in entries if hard(edge)} <= closure.reached.keys()


@given(graphs, roots)
def test_closure_is_closed(graph, entries):
    """No accepted edge leaves the closure."""
    closure = close(entries, edges_of=edges_of(graph), accepts=hard)
    for node, active in closure.reached.items():
        for edge in edges_of(graph)(node, active).edges:
            assert not hard(edge) or edge.target in closure.reached


@given(graphs, roots)
def test_closure_is_idempotent(graph, entries):
    """Closing over what was reached, in the states it was reached in, adds nothing."""
    closure = close(entries, edges_of=edges_of(graph), accepts=hard)
    again = [
        Edge(source=Node("entry:again"), target=node, kind=EdgeKind.EXEC if active else EdgeKind.DATA)
        for node, active in closure.reached.items()
    ]
    assert dict(close(again, edges_of=edges_of(graph), accepts=hard).reached) == dict(closure.reached)


@given(graphs, roots, roots)
def test_closure_is_monotone(graph, entries, more):
    """More entry points never lose a node, nor make an active one inert."""
    less = close(entries, edges_of=edges_of(graph), accepts=hard).reached
    all_of_it = close([*entries, *more], edges_of=edges_of(graph), accepts=hard).reached
    assert all(all_of_it.get(node, None) in (True, active) for node, active in less.items())


@given(graphs, roots, st.randoms(use_true_random=False))
def test_closure_and_reasons_do_not_depend_on_order(graph, entries, random):
    """Shuffled input gives the same closure, the same edges and the same reasons."""
    first = close(entries, edges_of=edges_of(graph), accepts=hard)
    graph, entries = list(graph), list(entries)
    random.shuffle(graph)
    random.shuffle(entries)
    second = close(entries, edges_of=edges_of(graph), accepts=hard)
    assert dict(first.reached) == dict(second.reached)
    assert (first.edges, first.refused) == (second.edges, second.refused)
    assert first.reasons() == second.reasons()


@given(graphs, roots)
def test_every_kept_node_has_a_chain_to_an_entry_point(graph, entries):
    """Walking the reasons backwards from any kept node ends at an entry point."""
    closure = close(entries, edges_of=edges_of(graph), accepts=hard)
    reasons = closure.reasons()
    assert reasons.keys() == closure.reached.keys()
    for node in closure.reached:
        seen = set()
        while not node.startswith("entry:"):
            assert node not in seen, "the chain runs in a circle"
            seen.add(node)
            node = reasons[node].source


@given(graphs, roots)
def test_costs_agree_with_closing_again(graph, entries):
    """The price of a refused edge and the saving of an accepted one equal two closures side by side."""

    def accepts(edge: Edge) -> bool:
        return edge.strength is Strength.HARD or edge.target <= NODES[3]

    base = close(entries, edges_of=edges_of(graph), accepts=accepts)
    for edge in base.refused:
        more = close(
            entries, edges_of=edges_of(graph), accepts=lambda other, edge=edge: accepts(other) or other == edge
        )
        assert base.added_by([edge]) == more.reached.keys() - base.reached.keys()
    for edge in base.edges:
        less = close(
            entries, edges_of=edges_of(graph), accepts=lambda other, edge=edge: accepts(other) and other != edge
        )
        assert base.freed_by([edge]) == base.reached.keys() - less.reached.keys()


def test_choice_is_satisfied_by_what_is_kept_already():
    """A provider that something else keeps is not joined by a second one."""
    start = Edge(source=Node("entry:x"), target=Node("/a"), kind=EdgeKind.EXEC)
    other = Edge(source=Node("entry:x"), target=Node("/c"), kind=EdgeKind.EXEC)
    choice = Choice(source=Node("/a"), options=(Node("/b"), Node("/c")), kind=EdgeKind.DEPENDS)
    asked = []

    def settle(_reached, choices):
        asked.extend(choices)
        return [Edge(source=item.source, target=item.options[0], kind=item.kind) for item in choices]

    def answer(node: Node, _active: bool) -> Findings:
        return Findings(choices=(choice,)) if node == "/a" else Findings()

    assert set(close([start, other], edges_of=answer, settle=settle).reached) == {"/a", "/c"}
    assert asked == []
    assert set(close([start], edges_of=answer, settle=settle).reached) == {"/a", "/b"}


def test_shortest_chain_walks_from_the_entry_point():
    """The chain to a node starts at its entry point and takes the fewest edges."""
    edges = [
        Edge(source=Node("entry:x"), target=Node("/a"), kind=EdgeKind.EXEC),
        Edge(source=Node("/a"), target=Node("/b"), kind=EdgeKind.LOAD),
        Edge(source=Node("/b"), target=Node("/c"), kind=EdgeKind.LOAD),
        Edge(source=Node("/a"), target=Node("/c"), kind=EdgeKind.LOAD),
        Edge(source=Node("/c"), target=Node("/a"), kind=EdgeKind.LOAD),
    ]
    assert [edge.target for edge in shortest_chain(edges, Node("/c"))] == ["/a", "/c"]
    assert shortest_chain(edges, Node("/nowhere")) == ()
