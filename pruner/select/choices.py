"""The decisions between packages of which any one would have done, and what the others would have cost."""

from __future__ import annotations

from collections import defaultdict
from typing import TYPE_CHECKING

from pruner.select.kernel import Prices
from pruner.select.types import Alternative, Choice
from pruner.select.words import clause_text, label

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from pruner.select.cone import Cone, Need
    from pruner.select.kernel import Solution
    from pruner.select.propagate import Part
    from pruner.select.types import Packages


def open_choices(
    cone: Cone, costs: Sequence[Mapping[int, int]], solution: Solution, packages: Packages, *, deadline: float
) -> tuple[Choice, ...]:
    """The needs of selected packages that propagation had left open, needs with the same options joined.

    `costs` are the levels that the price depends on: those up to the size. The price of an option is that of the best
    selection that holds it, whether the chosen one is still needed in it or not.
    """
    priced = _Priced(cone, costs, solution, deadline)
    needs: defaultdict[tuple[int, ...], list[Need]] = defaultdict(list)
    for need in cone.needs:
        options = tuple(sorted(need.options))
        if priced.is_open(need):
            needs[options].append(need)
    choices = []
    for options, members in sorted(needs.items()):
        chosen = [number for number in options if number + 1 in solution.true]
        if not chosen:  # a recommendation that is not met
            continue
        choices.append(
            Choice(
                needed_by=tuple(sorted({_needed_by(cone, need, packages) for need in members})),
                chosen=tuple(cone.packages[number] for number in chosen),
                others=tuple(priced.alternative(number) for number in options if number not in chosen),
            )
        )
    return tuple(choice for choice in choices if choice.others)


def _needed_by(cone: Cone, need: Need, packages: Packages) -> tuple[str, str]:
    if need.dependant is None:
        return (need.text, "")
    dependant = cone.packages[need.dependant]
    return (label(packages, dependant), clause_text(dependant.ecosystem, need.clause))


class _Priced:
    def __init__(self, cone: Cone, costs: Sequence[Mapping[int, int]], solution: Solution, deadline: float) -> None:
        self._cone = cone
        self._costs = costs
        self._solution = solution
        self._deadline = deadline
        self._parts: Mapping[int, Part] = {number: part for part in solution.parts for number in part.variables}
        self._known: dict[int, Alternative] = {}
        self._asked: dict[int, Prices] = {}

    def is_open(self, need: Need) -> bool:
        """Whether the need counts and propagation left at least two packages for it."""
        true, values = self._solution.true, self._solution.values
        if need.dependant is not None and need.dependant + 1 not in true:
            return False
        if any(values.get(number + 1) for number in need.options):
            return False
        return sum(number + 1 in self._parts for number in need.options) > 1

    def alternative(self, number: int) -> Alternative:
        known = self._known.get(number)
        if known is None:
            known = self._known[number] = self._priced(number)
        return known

    def _priced(self, number: int) -> Alternative:
        package = self._cone.packages[number]
        part = self._parts.get(number + 1)
        if part is None:
            return Alternative(package=package, delta_kib=None)
        if id(part) not in self._asked:
            self._asked[id(part)] = Prices(part, self._costs, deadline=self._deadline)
        found, proven = self._asked[id(part)].with_true(number + 1)
        if found is None:
            return Alternative(package=package, delta_kib=None, proven=proven)
        before = self._solution.true.intersection(part.variables)
        return Alternative(package=package, delta_kib=self._kib(found) - self._kib(before), proven=proven)

    def _kib(self, variables: Sequence[int] | frozenset[int]) -> int:
        packages = self._cone.packages
        return sum(packages[number - 1].installed_kib for number in variables if number <= len(packages))
