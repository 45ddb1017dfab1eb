"""Groups of files made into sets that need each other without loops: the future slices.

A group is split where a circle runs through several packages, and groups are merged where it stays in one. Whatever
needs one member of a knot from outside is given all of them: then all that a file needs still comes with its slice,
wherever that slice is none of a knot's own.
"""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from pruner.slices.graph import components

if TYPE_CHECKING:
    from collections.abc import Collection, Hashable, Iterable, Mapping, Sequence

    from pruner.slices.graph import Atoms


@dataclass(frozen=True, slots=True, kw_only=True)
class Partition:
    """Sets of atoms, each of one package, and what they need of each other: a graph without loops."""

    atoms: Atoms
    parts: tuple[tuple[int, ...], ...]
    """Atoms of each part."""
    needs: tuple[frozenset[int], ...]
    """Parts that each part needs directly, its own left out."""


def partition(atoms: Atoms, group_of: Mapping[str, Hashable]) -> Partition:
    """The parts of `atoms`: the groups that `group_of` tells by file, each within a package, as far as that can be."""
    eased = _whole(atoms, group_of)
    found = _parts(eased, [group_of[members[0]] for members in eased.members])
    needs = _with_whole_knots(_needs(eased, found), _knots_of_parts(eased, found))
    if any(len(circle) > 1 for circle in components(needs)):
        # A knot's group has something that the rest of the knot's dependants need: file by file, that can't be.
        eased = _whole(atoms, None)
        found = _parts(eased, [group_of[members[0]] for members in eased.members])
        needs = _needs(eased, found)
    return Partition(atoms=eased, parts=tuple(map(tuple, found)), needs=tuple(map(frozenset, needs)))


def whole(atoms: Atoms) -> Atoms:
    """`atoms` where whatever needs one of a knot from outside needs all of it."""
    return _whole(atoms, None)


def _whole(atoms: Atoms, group_of: Mapping[str, Hashable] | None) -> Atoms:
    """`atoms` with whole knots; with `group_of`, not for atoms of the groups that the knot's own are of."""
    groups = [group_of[members[0]] for members in atoms.members] if group_of is not None else None
    spared: list[set[int]] = []
    for knot in atoms.knots:
        own = {groups[atom] for atom in knot} if groups is not None else set()
        spared.append({atom for atom, group in enumerate(groups or ()) if group in own})
    needs = _with_whole_knots(atoms.needs, atoms.knots, spared)
    order = [atom for circle in components(needs) for atom in circle]  # anew: whole knots now come first
    place = {atom: position for position, atom in enumerate(order)}
    return replace(
        atoms,
        members=tuple(atoms.members[atom] for atom in order),
        package=tuple(atoms.package[atom] for atom in order),
        needs=tuple(frozenset(place[other] for other in needs[atom]) for atom in order),
        of={path: place[atom] for path, atom in atoms.of.items()},
        knots=tuple(sorted((frozenset(place[atom] for atom in knot) for knot in atoms.knots), key=sorted)),
    )


def _with_whole_knots(
    needs: Sequence[Collection[int]],
    knots: Sequence[Collection[int]],
    spared: Sequence[Collection[int]] | None = None,
) -> list[set[int]]:
    found = [set(own) for own in needs]
    for number, knot in enumerate(knots):
        members = frozenset(knot)
        left = members.union(spared[number] if spared is not None else ())
        for one, own in enumerate(needs):
            if one not in left and not members.isdisjoint(own):
                found[one] |= members
    return found


def _knots_of_parts(atoms: Atoms, parts: Sequence[Sequence[int]]) -> list[set[int]]:
    """The parts that hold atoms of each knot; knots that share a part count as one."""
    of = {atom: part for part, members in enumerate(parts) for atom in members}
    joined: list[set[int]] = []
    for knot in atoms.knots:
        here = {of[atom] for atom in knot}
        for other in [other for other in joined if not other.isdisjoint(here)]:
            here |= other
            joined.remove(other)
        joined.append(here)
    return joined


def _needs(atoms: Atoms, parts: Sequence[Sequence[int]]) -> list[set[int]]:
    of = {atom: part for part, members in enumerate(parts) for atom in members}
    return [
        {of[other] for atom in members for other in atoms.needs[atom]} - {part} for part, members in enumerate(parts)
    ]


def _parts(atoms: Atoms, groups: Sequence[Hashable]) -> list[list[int]]:
    """Sets of atoms, each of one package, that need each other without loops: `groups` (one for each atom, each within
    a package) as far as that can be, split where a circle runs through several packages, merged where it stays in one.
    """
    number: dict[Hashable, int] = {}
    group = [number.setdefault(name, len(number)) for name in groups]
    origin = list(group)
    while True:
        circles = [part for part in components(_quotient(atoms, group)) if len(part) > 1]
        wide = [part for part in circles if len(_packages(atoms, group, part)) > 1]
        if not wide:
            break
        group = _refined(atoms, group, wide)
    merged = components(_quotient(atoms, group))
    of = {old: new for new, part in enumerate(merged) for old in part}
    return _coarsened(atoms, [of[old] for old in group], origin)


def _packages(atoms: Atoms, group: Sequence[int], part: Collection[int]) -> set[str]:
    wanted = set(part)
    return {atoms.package[atom] for atom, own in enumerate(group) if own in wanted}


def _quotient(atoms: Atoms, group: Sequence[int]) -> list[set[int]]:
    found: list[set[int]] = [set() for _ in range(max(group, default=-1) + 1)]
    for atom, needs in enumerate(atoms.needs):
        found[group[atom]].update(group[other] for other in needs)
    for number, targets in enumerate(found):
        targets.discard(number)
    return found


def _refined(atoms: Atoms, group: Sequence[int], circles: Iterable[Collection[int]]) -> list[int]:
    """Groups of each circle split by what their atoms reach within it. As atoms have no loops, the last of a circle
    reach less than the others of their group: every call splits one group at least.
    """
    refined = list(group)
    for circle in circles:
        inside = set(circle)
        bit = {old: 1 << position for position, old in enumerate(sorted(inside))}
        reached: dict[int, int] = {}
        new: dict[tuple[int, int], int] = {}
        for atom, own in enumerate(group):  # dependencies come first
            if own not in inside:
                continue
            mask = bit[own]
            for other in atoms.needs[atom]:
                mask |= reached.get(other, 0)
            reached[atom] = mask
            refined[atom] = new.setdefault((own, mask), -len(new) - 1)
        renumbered: dict[int, int] = {}
        top = max(refined) + 1
        for atom, own in enumerate(refined):
            if own < 0:
                refined[atom] = renumbered.setdefault(own, top + len(renumbered))
    dense: dict[int, int] = {}
    return [dense.setdefault(own, len(dense)) for own in refined]


def _coarsened(atoms: Atoms, group: Sequence[int], origin: Sequence[int]) -> list[list[int]]:
    """The parts put together again that came of one group, wherever that makes no loop."""
    after = _quotient(atoms, group)
    parts: dict[int, list[int]] = defaultdict(list)
    for atom, own in enumerate(group):
        parts[own].append(atom)
    siblings: dict[int, set[int]] = defaultdict(set)
    for own, members in parts.items():
        for atom in members:
            siblings[origin[atom]].add(own)
    for name in sorted(siblings):
        family = sorted(siblings[name] & parts.keys(), key=lambda own: (-len(parts[own]), parts[own]))
        kept: list[int] = []
        for own in family:
            home = next((other for other in kept if _joinable(after, own, other)), None)
            if home is None:
                kept.append(own)
                continue
            parts[home] += parts.pop(own)
            after[home] = (after[home] | after[own]) - {home, own}
            after[own] = set()
            for targets in after:
                if own in targets:
                    targets.discard(own)
                    targets.add(home)
            after[home].discard(home)
    return sorted(sorted(members) for members in parts.values())


def _joinable(after: Sequence[Collection[int]], one: int, other: int) -> bool:
    """Whether no way leads from one to the other through a third."""
    for source, target in ((one, other), (other, one)):
        seen = set(after[source]) - {target}
        stack = list(seen)
        while stack:
            for following in after[stack.pop()]:
                if following == target:
                    return False
                if following not in seen and following != source:
                    seen.add(following)
                    stack.append(following)
    return True
