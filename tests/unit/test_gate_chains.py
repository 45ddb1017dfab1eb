"""Chains from an entry point to what a plan keeps."""

from __future__ import annotations

from datetime import date

from pruner.gate.compare import compare
from pruner.gate.evaluate import evaluate
from pruner.gate.evaluate.chains import Chains, shortest_parents
from pruner.gate.policy import policy_of
from pruner.model import Distro, Edge, EdgeKind, Node, PackageId, entry_node, package_node
from pruner.plan.types import OptionalPlan, Plan
from tests.unit.emit_plans import file_plan, package_plan, totals
from tests.unit.sides import TOOL, made_side, package, regular


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


def plan_with(paths: tuple[str, ...], edges: tuple[Edge, ...]) -> Plan:
    return Plan(
        profile="balanced", entries=(), inputs=(), image=None, distro=Distro(id="debian"), mode="root",
        files=tuple(file_plan(path, reason="copyright files stay") for path in paths),
        packages=(package_plan("tool", "pkg:deb/debian/tool@1?arch=amd64"),), edges=edges,
        before=totals(1), after=totals(1),
    )  # fmt: skip


def test_packages_have_their_names() -> None:
    """Not the ids that an SBOM gave to them, which nobody knows."""
    whole = package_node(PackageId("id-tool"))
    plan = plan_with(("/usr/bin/tool",), (edge(entry_node("e"), whole), edge(whole, "/usr/bin/tool")))
    assert Chains(plan).steps("/usr/bin/tool") == ("entry e", "load: x -> package tool 1", "load: x -> /usr/bin/tool")


def test_the_most_direct_chain_says_why_a_package_is_there() -> None:
    """Of all its files the one that an entry point leads to soonest; one that is kept without a need only at last."""
    entry = entry_node("e")
    paths = ("/a", "/b", "/c")
    edges = (edge(entry, "/x"), edge("/x", "/b"), edge(entry, "/c"))

    def chain(*owned: str) -> tuple[str, ...]:
        side = made_side([package(TOOL, files=owned)], [regular(path) for path in paths])
        policy = policy_of("version: 1\nforbid: ['pkg:deb/tool']\nconformity: allow\n")
        verdict = evaluate(compare(side, side), policy, today=date(2026, 1, 2), plan=plan_with(paths, edges))
        (found,) = verdict.findings
        return found.chain

    assert chain("/a", "/b", "/c") == ("entry e", "load: x -> /c")
    assert chain("/a", "/b") == ("entry e", "load: x -> /x", "load: x -> /b")
    assert chain("/a") == ("copyright files stay",)
