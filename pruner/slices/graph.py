"""Needs between files made into a graph without loops: chisel refuses a release in which slices need each other.

Files that need each other within a package are one *atom*. Where needs run in a circle through several packages, the
weakest of them are cut; the atoms of such a circle are a *knot*.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from typing import TYPE_CHECKING, NamedTuple

from pruner.model import EdgeKind

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence

    from pruner.slices.types import Need, SourceFile

_HARD_EVIDENCE = ("DT_NEEDED", "PT_INTERP", "shebang", "symbolic link")
"""What the kernel and the dynamic loader refuse to go without (execve(2), ld.so(8), path_resolution(7))."""
_STRENGTHS = {
    EdgeKind.LINK: 8,
    EdgeKind.ENTRY: 8,
    EdgeKind.IMPORT: 7,
    EdgeKind.EXEC: 6,
    EdgeKind.LOAD: 5,
    EdgeKind.CONFIG: 4,
    EdgeKind.STATE: 3,
    EdgeKind.DATA: 3,
    EdgeKind.CAPABILITY: 2,
    EdgeKind.COMPANION: 1,
    EdgeKind.DEPENDS: 1,
    EdgeKind.RULE: 0,
}


@dataclass(frozen=True, slots=True, kw_only=True, order=True)
class Cut:
    """A need between two packages that no slice has, so that slices don't need each other in a circle."""

    source: str
    target: str
    kind: str
    evidence: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Atoms:
    """Files that need each other, and the needs between them: a graph without loops."""

    members: tuple[tuple[str, ...], ...]
    """Sorted files of each atom; an atom comes after all that it needs."""
    package: tuple[str, ...]
    """Of each atom."""
    needs: tuple[frozenset[int], ...]
    """Atoms that each atom needs directly, its own left out."""
    of: Mapping[str, int]
    """File -> atom."""
    knots: tuple[frozenset[int], ...]
    """Atoms of several packages between which needs were cut, sorted."""
    cuts: tuple[Cut, ...]


class _Inputs(NamedTuple):
    paths: Sequence[str]
    packages: Sequence[str]
    """By number of a file, as the paths are."""
    needs: Mapping[str, Iterable[Need]]
    number: Mapping[str, int]


def strength(need: Need) -> int:
    """How firmly the dependant holds on, from 0 (a rule) to 9 (DT_NEEDED, an interpreter, a symbolic link)."""
    if need.evidence.startswith(_HARD_EVIDENCE):
        return 9
    try:
        return _STRENGTHS[EdgeKind(need.kind)]
    except ValueError:
        return 0


def atoms_of(files: Mapping[str, SourceFile], needs: Mapping[str, Iterable[Need]]) -> Atoms:
    """The atoms of `files`. Needs of anything else are passed over, and so are those of files that aren't there."""
    paths = sorted(files)
    number = {path: index for index, path in enumerate(paths)}
    packages = [files[path].package for path in paths]
    after = [
        {number[need.target] for need in needs.get(path, ()) if need.target in number} - {index}
        for index, path in enumerate(paths)
    ]
    inputs = _Inputs(paths, packages, needs, number)
    knotted: list[list[int]] = []
    cuts: list[Cut] = []
    for circle in components(after):
        if len({packages[index] for index in circle}) > 1:
            knotted.append(circle)
            for source, target in _cut(circle, after, inputs):
                after[source].discard(target)
                cuts.append(_cut_of(paths[source], paths[target], needs))
    parts = components(after)
    part_of = {index: part for part, indexes in enumerate(parts) for index in indexes}
    return Atoms(
        members=tuple(tuple(paths[index] for index in indexes) for indexes in parts),
        package=tuple(packages[indexes[0]] for indexes in parts),
        needs=tuple(
            frozenset({part_of[target] for index in indexes for target in after[index]} - {part})
            for part, indexes in enumerate(parts)
        ),
        of={paths[index]: part for index, part in part_of.items()},
        knots=tuple(sorted((frozenset(part_of[index] for index in circle) for circle in knotted), key=sorted)),
        cuts=tuple(sorted(cuts)),
    )


def components(after: Sequence[Collection[int]]) -> list[list[int]]:
    """Strongly connected components, each sorted, every one after those that it needs.

    Tarjan's algorithm without recursion: on the files of 130 packages, networkx needs five times as long, nearly all
    of it to make its graph.
    """
    index = [0] * len(after)  # from 1, in order of the visit; 0 before it
    low = [0] * len(after)
    is_open = [False] * len(after)
    path: list[int] = []
    found: list[list[int]] = []
    count = 0
    for root in range(len(after)):
        walk: list[tuple[int, Iterator[int]]] = [] if index[root] else [(root, iter(()))]
        while walk:
            node, targets = walk[-1]
            if not index[node]:
                count += 1
                index[node] = low[node] = count
                is_open[node] = True
                path.append(node)
                targets = iter(sorted(after[node]))
                walk[-1] = (node, targets)
            for target in targets:
                if not index[target]:
                    walk.append((target, iter(())))
                    break
                if is_open[target]:
                    low[node] = min(low[node], index[target])
            else:
                walk.pop()
                if walk:
                    low[walk[-1][0]] = min(low[walk[-1][0]], low[node])
                if low[node] == index[node]:
                    found.append(_closed(path, node, is_open))
    return found


def _closed(path: list[int], first: int, is_open: list[bool]) -> list[int]:
    """Takes the component that began with `first` from the end of `path`."""
    position = len(path) - 1
    while path[position] != first:
        position -= 1
    part = sorted(path[position:])
    del path[position:]
    for node in part:
        is_open[node] = False
    return part


def _cut(circle: Sequence[int], after: Sequence[Collection[int]], inputs: _Inputs) -> list[tuple[int, int]]:
    """The needs of a circle that have to go: the strongest are let in first, each unless it closes a circle.

    Of equals, those of the pair of packages that has more of them come first.
    """
    packages = inputs.packages
    inside = {index: position for position, index in enumerate(circle)}
    strengths: dict[tuple[int, int], int] = {}
    for index in circle:
        for need in inputs.needs.get(inputs.paths[index], ()):
            target = inputs.number.get(need.target)
            if target in inside and packages[index] != packages[target]:
                strengths[index, target] = max(strengths.get((index, target), 0), strength(need))
    weight = Counter((packages[source], packages[target], found) for (source, target), found in strengths.items())
    # Within a package needs always hold: what is circular there becomes one atom.
    own = [
        {inside[target] for target in after[index] if target in inside and packages[target] == packages[index]}
        for index in circle
    ]
    part_of, reach = _reach(own)

    def order(pair: tuple[int, int]) -> tuple[int, int, int, int]:
        source, target = pair
        return (-strengths[pair], -weight[packages[source], packages[target], strengths[pair]], source, target)

    gone: list[tuple[int, int]] = []
    for pair in sorted(strengths, key=order):
        source, target = (part_of[inside[index]] for index in pair)
        if reach[target] >> source & 1:
            gone.append(pair)
        elif not reach[source] >> target & 1:
            reach = [reached | reach[target] if reached >> source & 1 else reached for reached in reach]
    return gone


def _reach(after: Sequence[Collection[int]]) -> tuple[dict[int, int], list[int]]:
    """The component of each node, and for each component itself and all that it needs, as a set of bits."""
    parts = components(after)
    part_of = {position: part for part, positions in enumerate(parts) for position in positions}
    reach: list[int] = []
    for part, positions in enumerate(parts):
        reach.append(1 << part)
        for target in {part_of[target] for position in positions for target in after[position]} - {part}:
            reach[part] |= reach[target]
    return part_of, reach


def _cut_of(source: str, target: str, needs: Mapping[str, Iterable[Need]]) -> Cut:
    need = max((need for need in needs[source] if need.target == target), key=lambda need: (strength(need), need))
    return Cut(source=source, target=target, kind=need.kind, evidence=need.evidence)
