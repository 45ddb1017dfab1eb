"""What the entries reach: the packages, needs and exclusions that can matter to a request, and nothing else."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass
from itertools import combinations
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable

    from pruner.candidate import Candidate, Clause
    from pruner.select.types import Packages

Key = tuple[str, str, str]
"""Name, architecture and version: what two indexes that both list a package agree on."""


ANY_MACHINE = ("all", "noarch", "")
"""Architectures of packages that suit every machine."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Root:
    """One thing asked for, and the packages that answer to it."""

    text: str
    """As the user wrote it, or what stands for the user: `essential package NAME`."""
    options: tuple[Candidate, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Need:
    """`dependant` needs one of `options`; numbers are positions in `Cone.packages`."""

    dependant: int | None
    """None for what was asked for."""
    clause: Clause
    options: tuple[int, ...]
    """In the order in which they are named, real packages before providers of a name."""
    real: frozenset[int]
    """Those options that stand in for no other: called by their own name, or by a name that no package has."""
    recommended: bool = False
    text: str = ""
    """Only where there is no clause: what was asked for."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Trigger:
    """apk installs `package` by itself once each of its conditions is met by one of these."""

    package: int
    conditions: tuple[tuple[int, ...], ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Cone:
    """The packages that a request can reach, sorted by name, and what they say about each other."""

    packages: tuple[Candidate, ...]
    needs: tuple[Need, ...]
    exclusions: tuple[tuple[int, int], ...]
    """Pairs that can't be installed side by side, the lower number first, sorted; one that excludes itself twice."""
    triggers: tuple[Trigger, ...] = ()
    """Sorted by package."""


def explore(roots: Iterable[Root], packages: Packages, *, recommends: bool = False) -> Cone:
    """Follow every alternative of every clause from `roots`, and what apk would install by itself with any of them."""
    walk = _Walk(packages)
    for root in roots:
        options = tuple(dict.fromkeys(walk.number(option) for option in root.options))
        walk.needs.append(Need(dependant=None, clause=(), options=options, real=frozenset(options), text=root.text))
    done = 0
    while done < len(walk.found):
        walk.look(done, recommends=recommends)
        done += 1
        if done == len(walk.found):
            walk.add_triggered()
    return walk.sorted()


class _Walk:
    def __init__(self, packages: Packages) -> None:
        self._packages = packages
        self._numbers: dict[Key, int] = {}
        self._answers: dict[tuple[Clause, str], tuple[tuple[int, ...], frozenset[int]]] = {}
        self.found: list[Candidate] = []
        self.needs: list[Need] = []
        self.triggered: tuple[Candidate, ...] = ()

    def number(self, candidate: Candidate) -> int:
        known = self._numbers.setdefault(_key(candidate), len(self.found))
        if known == len(self.found):
            self.found.append(candidate)
        return known

    def look(self, number: int, *, recommends: bool) -> None:
        """Add the needs of one package."""
        dependant = self.found[number]
        wanted = [(clause, False) for clause in (*dependant.pre_depends, *dependant.depends)]
        wanted += [(clause, True) for clause in dependant.recommends] if recommends else []
        for clause, recommended in dict.fromkeys(wanted):
            options, real = self._answer(clause, dependant)
            if number not in options and (options or not recommended):
                self.needs.append(
                    Need(dependant=number, clause=clause, options=options, real=real, recommended=recommended)
                )

    def add_triggered(self) -> None:
        """What the packages so far could trigger."""
        if self._packages.ecosystem == "apk":
            self.triggered = self._packages.triggered(self.found)
            for candidate in self.triggered:
                self.number(candidate)

    def _conditions(self, candidate: Candidate) -> tuple[tuple[int, ...], ...]:
        answers = (self._packages.satisfying(relation) for relation in candidate.install_if)
        return tuple(tuple(self.number(one) for one in found if _key(one) in self._numbers) for found in answers)

    def _answer(self, clause: Clause, dependant: Candidate) -> tuple[tuple[int, ...], frozenset[int]]:
        key = (clause, dependant.architecture)
        known = self._answers.get(key)
        if known is None:
            options: dict[int, bool] = {}
            for relation in clause:
                found = self._packages.satisfying(relation, dependant)
                is_virtual = all(candidate.name != relation.name for candidate in found)
                for candidate in found:
                    number = self.number(candidate)
                    is_real = is_virtual or candidate.name == relation.name
                    options[number] = options.get(number, False) or is_real
            real = frozenset(number for number, is_real in options.items() if is_real)
            known = self._answers[key] = (tuple(options), real)
        return known

    def sorted(self) -> Cone:
        """The cone, its packages renumbered by name."""
        order = sorted(range(len(self.found)), key=lambda number: _key(self.found[number]))
        place = {number: position for position, number in enumerate(order)}
        packages = tuple(self.found[number] for number in order)
        needs = tuple(
            Need(
                dependant=None if need.dependant is None else place[need.dependant],
                clause=need.clause,
                options=tuple(place[number] for number in need.options),
                real=frozenset(place[number] for number in need.real),
                recommended=need.recommended,
                text=need.text,
            )
            for need in self.needs
        )
        triggers = [
            Trigger(
                package=place[self.number(candidate)],
                conditions=tuple(tuple(place[number] for number in options) for options in self._conditions(candidate)),
            )
            for candidate in self.triggered
        ]
        return Cone(
            packages=packages,
            needs=needs,
            exclusions=_exclusions(packages, self._packages),
            triggers=tuple(sorted(triggers, key=lambda trigger: trigger.package)),
        )


def _key(candidate: Candidate) -> Key:
    return (candidate.name, candidate.architecture, candidate.version)


def _exclusions(packages: tuple[Candidate, ...], known: Packages) -> tuple[tuple[int, int], ...]:
    """Declared conflicts, and that of one name there is one version, in one architecture unless it says otherwise."""
    numbers = {_key(candidate): number for number, candidate in enumerate(packages)}
    found: set[tuple[int, int]] = set()
    by_name: defaultdict[str, list[int]] = defaultdict(list)
    for number, candidate in enumerate(packages):
        by_name[candidate.name].append(number)
        if candidate.conflicts or candidate.breaks or candidate.ecosystem == "apk":
            for other in known.conflicting(candidate):
                beside = numbers.get(_key(other), number)
                if beside != number:
                    found.add((min(number, beside), max(number, beside)))
            if candidate.ecosystem == "apk" and _excludes_itself(candidate, known):
                found.add((number, number))
    for members in by_name.values():
        for pair in combinations(members, 2):
            if not _coinstallable(*(packages[number] for number in pair)):
                found.add(pair)
    return tuple(sorted(found))


def _excludes_itself(candidate: Candidate, known: Packages) -> bool:
    """Whether it is or provides what it says `!NAME` of: apk installs no such package (policy 7.4 lets Debian's be)."""
    return any(candidate in known.satisfying(relation) for relation in candidate.conflicts)


def _coinstallable(one: Candidate, other: Candidate) -> bool:
    """Debian's `Multi-Arch: same`: one version in several architectures (deb-control(5))."""
    return (
        one.architecture != other.architecture
        and one.multi_arch == other.multi_arch == "same"
        and one.version == other.version
    )
