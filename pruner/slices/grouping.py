"""Which files of a package belong together before loops are looked at: by meaning, by tool, and by what they cost.

A kind (`libs`, `data`, …) is split only where that saves something: where a dependant of one part would otherwise get
packages that only the other part needs. A package of many tools has one group for each.
"""

from __future__ import annotations

import posixpath
from collections import defaultdict
from functools import reduce
from heapq import heapify, heappop, heappush
from itertools import combinations
from operator import or_
from typing import TYPE_CHECKING, NamedTuple

from pruner.model import FileType
from pruner.slices.meaning import BINS, CONFIG, COPYRIGHT, KINDS, SCRIPTS, is_program_path

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from pruner.slices.graph import Atoms
    from pruner.slices.types import SliceSource

MANY_TOOLS = 4
"""So many names in directories of programs make a package one of many tools."""
_MOST_PARTS = 8
"""Into how many parts a kind is split at the most: a reviewer reads them."""
_NEVER_SPLIT = frozenset({COPYRIGHT, CONFIG, "services", "docs", "headers", "locales"})


class Group(NamedTuple):
    """Files of a package that belong together."""

    package: str
    kind: str
    tool: str = ""
    """The program that a group of a package of many tools is about."""
    part: int = 0
    """Which part of a kind that is split, from 0."""


def groups_of(atoms: Atoms, kinds: Mapping[str, str], source: SliceSource) -> list[Group]:
    """The group of each atom."""
    many = {name for name, listed in source.listed.items() if sum(map(is_program_path, listed)) >= MANY_TOOLS}
    plain = [_plain(atoms, atom, kinds, source, many) for atom in range(len(atoms.members))]
    owned = _owned_by_tools(atoms, plain, source)
    return _split(atoms, owned, source)


def kind_of_atom(members: Iterable[str], kinds: Mapping[str, str]) -> str:
    """The most meaningful kind among files that need each other."""
    found = {kinds[path] for path in members}
    return min(found, key=lambda kind: (KINDS.index(kind) if kind in KINDS else -1, kind))


def _plain(atoms: Atoms, atom: int, kinds: Mapping[str, str], source: SliceSource, many: set[str]) -> Group:
    """By kind alone, and by tool in a package of many."""
    members, package = atoms.members[atom], atoms.package[atom]
    kind = kind_of_atom(members, kinds)
    if kind == BINS and package in many:
        tools = [_tool(path, source) for path in members if is_program_path(path)]
        if tools:
            size = {posixpath.basename(path): source.files[path].bytes for path in members}
            tool = min(tools, key=lambda name: (name != package, -size.get(name, 0), name))
            return Group(package, kind, "" if tool == package else tool)
    return Group(package, kind)


def _tool(path: str, source: SliceSource) -> str:
    """Name of the program; a link of a directory of programs goes with the program that it leads to."""
    for _ in range(40):  # the kernel's own limit, path_resolution(7)
        file = source.files[path]
        following = posixpath.normpath(posixpath.join(posixpath.dirname(path), file.target or "."))
        there = source.files.get(following)
        if file.type is not FileType.SYMLINK or there is None or there.package != file.package:
            break
        path = following
    return posixpath.basename(path)


def _owned_by_tools(atoms: Atoms, groups: Sequence[Group], source: SliceSource) -> list[Group]:
    """What only one tool needs goes with the tool."""
    users: defaultdict[int, set[int]] = defaultdict(set)
    for atom, needs in enumerate(atoms.needs):
        for other in needs:
            users[other].add(atom)
    entries = frozenset(source.entries)
    tooled = {group.package for group in groups if group.tool}
    owned = list(groups)
    for atom in range(len(groups) - 1, -1, -1):  # dependants first
        group = groups[atom]
        if group.package not in tooled or group.kind in {BINS, SCRIPTS, *_NEVER_SPLIT} or not users[atom]:
            continue
        homes = {owned[user] for user in users[atom]}
        if len(homes) == 1 and entries.isdisjoint(atoms.members[atom]):
            (home,) = homes
            if home.tool and home.package == group.package:
                owned[atom] = home
    return owned


def _split(atoms: Atoms, groups: Sequence[Group], source: SliceSource) -> list[Group]:
    """Kinds in parts, where a dependant that needs one part is spared what another part brings."""
    costs, dependants = _costs(atoms), _dependants(atoms, groups)
    of_group: defaultdict[Group, int] = defaultdict(int)
    by_group: defaultdict[Group, list[int]] = defaultdict(list)
    for atom, group in enumerate(groups):
        of_group[group] |= costs[atom]
        by_group[group].append(atom)
    order = sorted(by_group)
    costs_of = [of_group[group] for group in order]
    entries = {atoms.of[path] for path in source.entries if path in atoms.of}
    done = list(groups)
    for group in order:
        if group.kind in _NEVER_SPLIT or group.tool or group.kind not in KINDS:
            continue
        classes = _classes(by_group[group], costs, dependants)
        starts = set(by_group[group]) if group.package in source.complete else entries
        for number, part in enumerate(_joined(classes, starts, costs_of)):
            for atom in part.atoms:
                done[atom] = group._replace(part=number)
    return done


def _costs(atoms: Atoms) -> list[int]:
    """For each atom the packages besides its own that it brings along, as a set of bits."""
    bit = {name: 1 << position for position, name in enumerate(sorted(set(atoms.package)))}
    reached: list[int] = []
    for atom, needs in enumerate(atoms.needs):
        mask = bit[atoms.package[atom]]
        for other in needs:
            mask |= reached[other]
        reached.append(mask)
    for knot in atoms.knots:  # its atoms are only cut from each other: whoever needs one has all
        together = 0
        for atom in knot:
            together |= reached[atom]
        for atom in knot:
            reached[atom] = together
    return [mask & ~bit[package] for mask, package in zip(reached, atoms.package, strict=True)]


def _dependants(atoms: Atoms, groups: Sequence[Group]) -> list[int]:
    """For each atom the groups besides its own that need it, by their place in sorted order, as a set of bits."""
    bit = {group: 1 << position for position, group in enumerate(sorted(set(groups)))}
    found = [0] * len(groups)
    for atom in range(len(groups) - 1, -1, -1):
        mask = found[atom] | bit[groups[atom]]
        for other in atoms.needs[atom]:
            found[other] |= mask
    return [mask & ~bit[group] for mask, group in zip(found, groups, strict=True)]


class _Part(NamedTuple):
    cost: int
    users: int
    atoms: tuple[int, ...]

    @property
    def order(self) -> tuple[int, tuple[int, ...]]:
        """Cheap ones first; no two are equal, as each atom is in one part."""
        return self.cost.bit_count(), self.atoms


def _classes(members: Iterable[int], costs: Sequence[int], dependants: Sequence[int]) -> list[_Part]:
    """Atoms of a group that bring the same packages along."""
    classes: defaultdict[int, list[int]] = defaultdict(list)
    for atom in members:
        classes[costs[atom]].append(atom)
    return [
        _Part(cost, reduce(or_, (dependants[atom] for atom in found)), tuple(found)) for cost, found in classes.items()
    ]


def _joined(parts: list[_Part], starts: set[int], costs_of: Sequence[int]) -> list[_Part]:
    """`parts` put together as long as that costs no dependant anything, the one with the most dependants first.

    Atoms of `starts` are asked for themselves, not only by dependants.
    """
    left = {part.order: part for part in parts}
    prices = [
        (_price(left[one], left[other], starts, costs_of), one, other) for one, other in combinations(sorted(left), 2)
    ]
    heapify(prices)
    while prices:
        price, first, second = heappop(prices)
        if first not in left or second not in left:
            continue
        if price and len(left) <= _MOST_PARTS:
            break
        one, other = left.pop(first), left.pop(second)
        joined = _Part(one.cost | other.cost, one.users | other.users, tuple(sorted((*one.atoms, *other.atoms))))
        for order, part in left.items():
            pair = (min(order, joined.order), max(order, joined.order))
            heappush(prices, (_price(part, joined, starts, costs_of), *pair))
        left[joined.order] = joined
    return sorted(left.values(), key=lambda part: (-part.users.bit_count(), -len(part.atoms), part.atoms))


def _price(one: _Part, other: _Part, starts: set[int], costs_of: Sequence[int]) -> int:
    """How many packages dependants of one part would get for the other part alone, if the two were one."""
    price = 0
    for part, beside in ((one, other), (other, one)):
        more = beside.cost & ~part.cost
        if not more:
            continue
        if not starts.isdisjoint(part.atoms):
            price += more.bit_count()
        only = part.users & ~beside.users
        while only:
            lowest = only & -only
            price += (more & ~costs_of[lowest.bit_length() - 1]).bit_count()
            only ^= lowest
    return price
