"""Unit propagation, and what it leaves open: the part of a problem that needs a solver, in independent pieces.

Literals are integers as in DIMACS: variable 1 is `1` when true and `-1` when false. The rule for what may stay false
(`open_parts`) holds because a true variable only ever costs: a variable that no open clause could call for is false in
some best answer.
"""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

Literals = tuple[int, ...]


def propagate(clauses: Sequence[Literals], units: Iterable[int] = ()) -> dict[int, bool] | None:
    """What every answer of `clauses` has in common, as far as clauses with one literal left tell: variable -> value.

    `units` are taken as true. None when that leaves a clause without a literal.
    """
    if not all(clauses):
        return None
    made_false_by: defaultdict[int, list[int]] = defaultdict(list)
    for number, clause in enumerate(clauses):
        for literal in clause:
            made_false_by[-literal].append(number)
    left = list(map(len, clauses))
    pending = [*units, *(clause[0] for clause in clauses if len(clause) == 1)]
    values: dict[int, bool] = {}
    while pending:
        literal = pending.pop()
        if abs(literal) in values:
            if values[abs(literal)] is not (literal > 0):
                return None
            continue
        values[abs(literal)] = literal > 0
        for number in made_false_by.get(literal, ()):
            left[number] -= 1
            if left[number] <= 1:
                last = _last(clauses[number], values)
                if last is None:
                    return None
                pending.append(last)
    return values


def _last(clause: Literals, values: dict[int, bool]) -> int | None:
    """The literal of `clause` that is not false; None when all are."""
    for literal in clause:
        if values.get(abs(literal), literal > 0) is (literal > 0):
            return literal
    return None


@dataclass(frozen=True, slots=True, kw_only=True)
class Part:
    """A piece of a problem that shares no variable with any other piece."""

    variables: tuple[int, ...]
    clauses: tuple[Literals, ...]


def open_parts(clauses: Sequence[Literals], values: dict[int, bool]) -> tuple[Part, ...]:
    """The clauses that `values` leaves open, without what is false already, in pieces that share no variable.

    Variables that no open clause could ever make true are taken as false.
    """
    live, live_clauses = _live(clauses, values)
    kept = []
    for number in live_clauses:
        clause = clauses[number]
        if any(literal < 0 and -literal not in live and -literal not in values for literal in clause):
            continue
        kept.append(tuple(literal for literal in clause if abs(literal) in live))
    return _pieces(sorted(set(kept)))


def _live(clauses: Sequence[Literals], values: dict[int, bool]) -> tuple[set[int], list[int]]:
    """The open variables that a chain of open clauses calls for, and the open clauses."""
    unsettled = [
        number
        for number, clause in enumerate(clauses)
        if not any(values.get(abs(literal)) is (literal > 0) for literal in clause)
    ]
    waiting: defaultdict[int, list[int]] = defaultdict(list)
    conditions: dict[int, int] = {}
    for number in unsettled:
        open_conditions = [-literal for literal in clauses[number] if literal < 0 and -literal not in values]
        conditions[number] = len(open_conditions)
        for variable in open_conditions:
            waiting[variable].append(number)
    called = [number for number, count in conditions.items() if not count]
    live: set[int] = set()
    while called:
        for literal in clauses[called.pop()]:
            if literal > 0 and literal not in values and literal not in live:
                live.add(literal)
                for number in waiting[literal]:
                    conditions[number] -= 1
                    if not conditions[number]:
                        called.append(number)
    return live, unsettled


def _pieces(clauses: list[Literals]) -> tuple[Part, ...]:
    parent: dict[int, int] = {}

    def root(variable: int) -> int:
        while (above := parent.setdefault(variable, variable)) != variable:
            parent[variable] = parent[above]
            variable = above
        return variable

    for clause in clauses:
        first = root(abs(clause[0]))
        for literal in clause[1:]:
            parent[root(abs(literal))] = first
    members: defaultdict[int, list[int]] = defaultdict(list)
    for variable in sorted(parent):
        members[root(variable)].append(variable)
    held: defaultdict[int, list[Literals]] = defaultdict(list)
    for clause in clauses:
        held[root(abs(clause[0]))].append(clause)
    return tuple(Part(variables=tuple(members[piece]), clauses=tuple(held[piece])) for piece in members)
