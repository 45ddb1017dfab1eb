"""Chains from an entry point to what a plan keeps."""

from __future__ import annotations

from pruner.gate.evaluate.chains import shortest_parents
from pruner.model import Edge, EdgeKind, Node, entry_node


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
