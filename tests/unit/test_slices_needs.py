"""What kept files need of each other, from the edges of a plan."""

from __future__ import annotations

import pytest

from pruner.model import Edge, EdgeKind, Node
from pruner.slices.needs import WEAKNESS, active_nodes, entry_files, needs_of


def edge(source: str, target: str, kind: EdgeKind = EdgeKind.LOAD, evidence: str = "") -> Edge:
    return Edge(source=Node(source), target=Node(target), kind=kind, evidence=evidence or f"{source} {target}")


def targets(needs: dict[str, tuple[object, ...]], path: str) -> list[str]:
    return [need.target for need in needs.get(path, ())]  # type: ignore[attr-defined]


def reachable(needs: dict[str, tuple[object, ...]], start: str) -> set[str]:
    seen: set[str] = set()
    waiting = [start]
    while waiting:
        path = waiting.pop()
        if path not in seen:
            seen.add(path)
            waiting += targets(needs, path)
    return seen


def test_every_kind_of_edge_has_a_rank() -> None:
    """A need can be of every kind, so each is placed between strong and weak."""
    assert set(WEAKNESS) == set(EdgeKind)


def test_files_need_what_their_edges_lead_to() -> None:
    """Direct edges are needs with their own kind and evidence, sorted by path; nothing needs itself."""
    found = needs_of(
        [edge("/b", "/c"), edge("/b", "/a", EdgeKind.DATA, "names /a"), edge("/b", "/b")], ["/a", "/b", "/c"]
    )
    assert found == {"/b": (("/a", "data", "names /a"), ("/c", "load", "/b /c"))}


def test_nodes_between_are_left_out_and_the_weakest_edge_counts() -> None:
    """A way through capabilities, requirements and packages is one need of the weakest kind on it."""
    edges = [
        edge("/tool", "capability:tls", EdgeKind.CAPABILITY),
        edge("capability:tls", "requires:p", EdgeKind.DEPENDS),
        edge("requires:p", "package:p", EdgeKind.DATA),
        edge("package:p", "/data", EdgeKind.COMPANION, "part of p"),
    ]
    (need,) = needs_of(edges, ["/data", "/tool"])["/tool"]
    assert (need.target, need.kind) == ("/data", EdgeKind.COMPANION)
    assert need.evidence


def test_of_several_ways_the_strongest_counts() -> None:
    """A library that is loaded and also merely lies in the same package is needed as one that is loaded."""
    edges = [
        edge("/tool", "package:p", EdgeKind.ENTRY),
        edge("package:p", "/lib", EdgeKind.COMPANION),
        edge("/tool", "capability:c", EdgeKind.CAPABILITY),
        edge("capability:c", "/lib", EdgeKind.LOAD),
    ]
    (need,) = needs_of(edges, ["/lib", "/tool"])["/tool"]
    assert need.kind == EdgeKind.CAPABILITY


def test_circles_of_nodes_end() -> None:
    """Packages that lead to each other are each gone through once."""
    edges = [
        edge("/tool", "package:a"),
        edge("package:a", "package:b", EdgeKind.COMPANION),
        edge("package:b", "package:a", EdgeKind.COMPANION),
        edge("package:b", "/b"),
        edge("package:a", "/a"),
    ]
    assert targets(needs_of(edges, ["/a", "/b", "/tool"]), "/tool") == ["/a", "/b"]


def test_ways_lead_through_files_that_are_left_out() -> None:
    """What a file that is not kept as such leads to is still needed by who reads it."""
    edges = [edge("/tool", "/var/lib/dpkg/status"), edge("/var/lib/dpkg/status", "/etc/x", EdgeKind.CONFIG)]
    assert targets(needs_of(edges, ["/etc/x", "/tool"]), "/tool") == ["/etc/x"]


def test_what_an_entry_needs_its_files_need() -> None:
    """A package that an entry point keeps whole is needed by the files that the entry point names, each of them."""
    edges = [
        edge("entry:tool", "/bin/tool", EdgeKind.ENTRY),
        edge("entry:tool", "package:p", EdgeKind.ENTRY),
        edge("package:p", "/share/p", EdgeKind.COMPANION),
    ]
    files = ["/bin/tool", "/share/p"]
    assert targets(needs_of(edges, files), "/bin/tool") == ["/share/p"]
    assert entry_files(edges, files) == ("/bin/tool",)


def test_an_entry_without_files_leads_to_what_it_brings() -> None:
    """A feature names no file, so the files that it leads to are the entry's."""
    edges = [edge("entry:feature tls", "capability:tls", EdgeKind.ENTRY), edge("capability:tls", "/ca", EdgeKind.DATA)]
    assert entry_files(edges, ["/ca", "/other"]) == ("/ca",)


@pytest.mark.parametrize("tools", [2, 40])
def test_many_that_need_many_are_told_by_few(tools: int) -> None:
    """One file stands for the node between: reachability is the same, and the number of needs a sum, not a product."""
    data = [f"/share/d{number:02}" for number in range(30)]
    programs = [f"/bin/t{number:02}" for number in range(tools)]
    edges = [edge(program, "package:d", EdgeKind.DEPENDS) for program in programs]
    edges += [edge("package:d", path, EdgeKind.COMPANION) for path in data]
    edges.append(edge("/bin/other", data[0], EdgeKind.DATA))
    files = sorted([*data, *programs, "/bin/other"])
    plain = needs_of(edges, files)
    short = needs_of(edges, files, lambda path: path.startswith("/share/"))
    assert all(reachable(short, program) == reachable(plain, program) for program in programs)
    assert reachable(short, "/bin/other") == {"/bin/other", data[0]}
    assert sum(map(len, short.values())) == tools + 29 + 1
    assert sum(map(len, plain.values())) == 30 * tools + 1


def test_no_file_stands_for_others_that_something_else_needs() -> None:
    """A file that is needed by itself would bring the others along, so it is never chosen."""
    data = [f"/share/d{number}" for number in range(9)]
    edges = [edge(program, "package:d", EdgeKind.DEPENDS) for program in ("/bin/a", "/bin/b")]
    edges += [edge("package:d", path, EdgeKind.COMPANION) for path in data]
    edges += [edge("/bin/c", path, EdgeKind.DATA) for path in data]
    found = needs_of(edges, sorted([*data, "/bin/a", "/bin/b", "/bin/c"]), lambda _path: True)
    assert targets(found, "/bin/a") == data
    assert all(path not in found for path in data)


def test_active_is_what_runs() -> None:
    """Activity is carried from entry points over edges that run or load something, not over inert ones."""
    edges = [
        edge("entry:tool", "/bin/tool", EdgeKind.ENTRY),
        edge("/bin/tool", "/lib/a"),
        edge("/bin/tool", "/etc/tool.conf", EdgeKind.CONFIG),
        edge("/etc/tool.conf", "/lib/plugin"),
        edge("/stray", "/lib/b"),
    ]
    assert active_nodes(edges) == {"/bin/tool", "/lib/a"}
