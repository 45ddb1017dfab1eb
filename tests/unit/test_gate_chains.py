"""Chains from an entry point to what a plan keeps."""

from __future__ import annotations

from pruner.gate.evaluate.chains import Chains, shortest_parents
from pruner.model import Distro, Edge, EdgeKind, Node, entry_node
from pruner.plan.types import OptionalPlan, Plan
from tests.unit.emit_plans import file_plan, totals


def edge(source: str, target: str) -> Edge:
    return Edge(source=Node(source), target=Node(target), kind=EdgeKind.LOAD, evidence="x")


def test_the_shortest_way_from_an_entry() -> None:
    """Each node is entered by an edge of a shortest chain; a chain begins at what nothing leads to."""
    entry = entry_node("/bin/a")
    edges = [edge(entry, "/bin/a"), edge("/bin/a", "/b"), edge("/b", "/c"), edge("/bin/a", "/c"), edge("/c", "/b")]
    parents = shortest_parents(edges)
    assert {node: found and found.source for node, found in parents.items()} == {
        entry: None, "/bin/a": entry, "/b": "/bin/a", "/c": "/bin/a"
    }  # fmt: skip


def test_a_ring_that_no_entry_leads_to() -> None:
    """What is kept by itself may be needed by what it needs: the chain begins within the ring, and leads out of it."""
    parents = shortest_parents([edge("/x", "/y"), edge("/y", "/x"), edge("/y", "/z"), edge("entry:e", "/a")])
    assert parents["/x"] is None
    assert [found and found.source for node in ("/y", "/z", "/a") if (found := parents[node])] == [
        "/x",
        "/y",
        "entry:e",
    ]


def plan_of(edges: tuple[Edge, ...], option: str, optional: tuple[Edge, ...]) -> Plan:
    """A plan that keeps what `edges` and the `optional` ones of `option` lead to."""
    everything = (*edges, *optional)
    return Plan(
        profile="balanced", entries=(), inputs=(), image=None, distro=Distro(id="debian"), mode="root",
        files=tuple(file_plan(path) for path in sorted({str(edge.target) for edge in everything})),
        packages=(), edges=everything, before=totals(1), after=totals(1),
        optional=(OptionalPlan(name=option, accepted=True, edges=optional, bytes=1, files=1, why="x"),),
    )  # fmt: skip


def test_the_option_that_alone_keeps_a_file() -> None:
    """A file that only chains over an option lead to goes with it; what something else needs as well does not."""
    entry = entry_node("/bin/a")
    needs = (edge(entry, "/bin/a"), edge("/bin/a", "/both"), edge("/extra", "/below"))
    chains = Chains(plan_of(needs, "extras", (edge("/bin/a", "/extra"), edge("/extra", "/both"))))
    assert {path: chains.option(path) for path in ("/extra", "/below", "/both", "/bin/a", "/none")} == {
        "/extra": "extras", "/below": "extras", "/both": "", "/bin/a": "", "/none": ""
    }  # fmt: skip
    assert chains.steps("/below") == (
        "entry /bin/a",
        "load: x -> /bin/a",
        "load, the option extras: x -> /extra",
        "load: x -> /below",
    )
