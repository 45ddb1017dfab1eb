"""What kept files need of each other: the plan's accepted edges with everything between two files left out.

A file's needs are the files that its edges lead to, and those that the packages, requirements and capabilities lead to
that its edges name. Cutting everything that is reachable by needs gives a file what it has in the plan.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from typing import TYPE_CHECKING

from msgspec import structs

from pruner.model import INERT_KINDS, EdgeKind, Node
from pruner.slices.types import Need

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterable, Iterator, Mapping

    from pruner.model import Edge

WEAKNESS: Mapping[str, int] = {
    kind: rank
    for rank, kind in enumerate(
        (
            EdgeKind.LINK,
            EdgeKind.LOAD,
            EdgeKind.ENTRY,
            EdgeKind.EXEC,
            EdgeKind.IMPORT,
            EdgeKind.CAPABILITY,
            EdgeKind.RULE,
            EdgeKind.DEPENDS,
            EdgeKind.CONFIG,
            EdgeKind.STATE,
            EdgeKind.DATA,
            EdgeKind.COMPANION,
        )
    )
}
"""Kinds of needs from what stops a program from starting to what merely came along; the higher, the weaker."""


_MANY = 8
"""Fewer targets are cheaper named than stood for."""


def needs_of(
    edges: Iterable[Edge], files: Collection[str], is_anchor: Callable[[str], bool] = lambda _path: False
) -> dict[str, tuple[Need, ...]]:
    """By file of `files`, bytewise order as theirs, the files of `files` that it needs, sorted by path.

    A need has the kind of the weakest edge on its way, and of several ways the strongest counts. Ways lead through
    nodes that are no file and through files that are not among `files` (a package database that is made anew). What
    an entry point needs is needed by each file that it names, where it names any.

    Where many files need many others through one node, one of the others, the anchor, stands for the node: the many
    need it, and it needs the others. That is exact for all but the anchor itself, since nothing else leads to it.
    `is_anchor` says which files may stand for others.
    """
    outgoing: defaultdict[str, list[Edge]] = defaultdict(list)
    for edge in _of_files(edges):
        if edge.source != edge.target:
            outgoing[edge.source].append(edge)
    _set_anchors(outgoing, files, is_anchor)
    hubs: dict[str, Mapping[str, Need]] = {}
    needs: dict[str, tuple[Need, ...]] = {}
    for path in files:
        found = _targets(path, outgoing, files, hubs) if path in outgoing else {}
        if found:
            needs[path] = tuple(found[target] for target in sorted(found))
    return needs


def _of_files(edges: Iterable[Edge]) -> Iterator[Edge]:
    """The edges, with what an entry point needs besides the files that it names as a need of each of those."""
    named: defaultdict[str, list[str]] = defaultdict(list)
    besides: list[Edge] = []
    for edge in edges:
        if not edge.source.startswith("entry:"):
            yield edge
        elif edge.target.startswith("/"):
            named[edge.source].append(edge.target)
        else:
            besides.append(edge)
    for edge in besides:
        for path in named[edge.source]:
            yield structs.replace(edge, source=Node(path))


def _set_anchors(outgoing: dict[str, list[Edge]], files: Collection[str], is_anchor: Callable[[str], bool]) -> None:
    """Let files stand for the nodes that many lead to and that lead to many."""
    incoming = Counter(edge.target for found in outgoing.values() for edge in found)
    shared = {edge.target for found in outgoing.values() for edge in found if edge.source not in files}
    shared |= {target for target, count in incoming.items() if count >= 2}
    for hub in sorted(node for node, found in outgoing.items() if node not in files and len(found) >= _MANY):
        if hub not in shared:
            continue
        found = outgoing[hub]
        places = Counter(_place(edge.target) for edge in found if edge.target in files)
        fit = [edge for edge in found if edge.target in files and incoming[edge.target] == 1 and is_anchor(edge.target)]
        anchor = min(fit, key=lambda edge: (-places[_place(edge.target)], edge.target), default=None)
        if anchor is None:
            continue
        strongest = min((edge.kind for edge in found), key=lambda kind: WEAKNESS[kind])
        others = [structs.replace(edge, source=anchor.target) for edge in found if edge is not anchor]
        outgoing[hub] = [structs.replace(anchor, kind=strongest)]
        outgoing.setdefault(anchor.target, [])
        outgoing[anchor.target] = [*outgoing[anchor.target], *(edge for edge in others if edge.target != edge.source)]


def _place(path: str) -> str:
    """The directory of a file less what is below its fourth component."""
    return "/".join(path.split("/")[:5][:-1])


def active_nodes(edges: Iterable[Edge]) -> frozenset[str]:
    """The nodes that the closure left active: reached from an entry point over edges that carry activity."""
    outgoing: defaultdict[str, list[str]] = defaultdict(list)
    waiting: list[str] = []
    for edge in edges:
        if edge.kind in INERT_KINDS:
            continue
        outgoing[edge.source].append(edge.target)
        if edge.source.startswith("entry:"):
            waiting.append(edge.target)
    active: set[str] = set()
    while waiting:
        node = waiting.pop()
        if node not in active:
            active.add(node)
            waiting += outgoing.get(node, ())
    return frozenset(active)


def entry_files(edges: Iterable[Edge], files: Collection[str]) -> tuple[str, ...]:
    """The files of `files` that entry points name, sorted; for one that names none, those that it leads to."""
    outgoing: defaultdict[str, list[Edge]] = defaultdict(list)
    for edge in edges:
        if edge.source.startswith("entry:") or not edge.source.startswith("/"):
            outgoing[edge.source].append(edge)
    found: set[str] = set()
    hubs: dict[str, Mapping[str, Need]] = {}
    for entry in [node for node in outgoing if node.startswith("entry:")]:
        named = {edge.target for edge in outgoing[entry] if edge.target in files}
        found |= named or _targets(entry, outgoing, files, hubs).keys()
    return tuple(sorted(found))


def _targets(
    source: str, outgoing: Mapping[str, list[Edge]], files: Collection[str], hubs: dict[str, Mapping[str, Need]]
) -> dict[str, Need]:
    """The strongest need of each file that `source` leads to."""
    found: dict[str, Need] = {}
    for edge in outgoing[source]:
        if edge.target in files:
            _take(found, Need(edge.target, edge.kind, edge.evidence))
            continue
        for target, need in _hub(edge.target, outgoing, files, hubs).items():
            if target != source:
                _take(found, need if WEAKNESS[need.kind] >= WEAKNESS[edge.kind] else need._replace(kind=edge.kind))
    return found


def _take(found: dict[str, Need], need: Need) -> None:
    known = found.get(need.target)
    if known is None or WEAKNESS[need.kind] < WEAKNESS[known.kind]:
        found[need.target] = need


def _hub(
    node: str, outgoing: Mapping[str, list[Edge]], files: Collection[str], hubs: dict[str, Mapping[str, Need]]
) -> Mapping[str, Need]:
    """The strongest need of each file that `node`, which is none of `files`, leads to through others of its kind.

    Nodes are visited in order of the weakest edge on the way, as Dijkstra's algorithm does with sums.
    """
    known = hubs.get(node)
    if known is not None:
        return known
    found: dict[str, Need] = {}
    levels: list[list[tuple[str, str]]] = [[] for _ in WEAKNESS]
    levels[0].append((node, ""))
    seen: set[str] = set()
    order = list(WEAKNESS)
    for rank, level in enumerate(levels):
        while level:
            hub, way = level.pop()
            if hub in seen:
                continue
            seen.add(hub)
            for edge in outgoing.get(hub, ()):
                weakest = max(rank, WEAKNESS[edge.kind])
                if edge.target in files:
                    _take(found, Need(edge.target, order[weakest], way or edge.evidence))
                elif edge.target not in seen:
                    levels[weakest].append((edge.target, edge.evidence))
    hubs[node] = found
    return found
