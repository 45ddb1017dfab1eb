"""The kernel of selection: the cheapest set of true variables that satisfies clauses. It knows integers only.

    clauses --propagate--> what has one answer --open_parts--> independent pieces --clasp--> the best of each

Costs are never negative, so that what nothing calls for stays false.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING

from pruner.select.propagate import Literals, Part, open_parts, propagate

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence


class Status(StrEnum):
    """How much is known of an answer."""

    OPTIMAL = "optimal"
    """No answer is better."""
    NOT_PROVEN = "not-proven"
    """The time limit was hit: a better answer may exist."""
    UNSATISFIABLE = "unsatisfiable"
    """There is no answer."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Problem:
    """Clauses over variables 1, 2, …, and what true variables cost."""

    clauses: tuple[Literals, ...]
    """Of each clause one literal is true; `-3` means that variable 3 is false."""
    costs: tuple[Mapping[int, int], ...]
    """Levels, the first one decides first; each from variables to what being true costs, not negative; beyond
    2**37 they count as about that much."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Solution:
    """The cheapest answer; of equal ones that which holds the lowest variable in which they differ."""

    status: Status
    true: frozenset[int] = frozenset()
    values: Mapping[int, bool]
    """What propagation alone decided."""
    parts: tuple[Part, ...] = ()
    """What it left open."""


def solve(problem: Problem, *, deadline: float = float("inf")) -> Solution:
    """The cheapest answer of `problem`, the best one seen when `deadline` (of `time.monotonic`) passes.

    With no answer seen a second after that the status is `not-proven` and nothing is true.
    """
    values = propagate(problem.clauses)
    if values is None:
        return Solution(status=Status.UNSATISFIABLE, values={})
    parts = open_parts(problem.clauses, values)
    true = {variable for variable, value in values.items() if value}
    status = Status.OPTIMAL
    for part in parts:
        found, proven = _solved(part, problem.costs, deadline)
        if found is None:
            status = Status.UNSATISFIABLE if proven else Status.NOT_PROVEN
            return Solution(status=status, values=values, parts=parts)
        true |= found
        status = status if proven else Status.NOT_PROVEN
    return Solution(status=status, true=frozenset(true), values=values, parts=parts)


class Prices:
    """What answers would cost in which a variable of one part is true, for many variables of it."""

    def __init__(self, part: Part, costs: Sequence[Mapping[int, int]], *, deadline: float = float("inf")) -> None:
        from pruner.select.clasp import Solver

        self._solver = Solver(part.variables, part.clauses, costs)
        self._deadline = deadline

    def with_true(self, variable: int) -> tuple[frozenset[int] | None, bool]:
        """The cheapest answer of the part that holds `variable` (any one of equal ones), and whether that is proven.

        None when there is no such answer, or when none was seen in time.
        """
        found = self._solver.cheapest([variable], deadline=self._deadline)
        return found.true, found.proven


def _solved(part: Part, costs: Sequence[Mapping[int, int]], deadline: float) -> tuple[frozenset[int] | None, bool]:
    from pruner.select.clasp import Solver

    found = Solver(part.variables, part.clauses, costs).first(deadline=deadline)
    return found.true, found.proven
