"""Why there is no answer: a smallest set of clauses that can't all hold.

First a minimal set (leaving out any clause makes it satisfiable), then a smallest one by implicit hitting sets: every
set of clauses that some assignment leaves unsatisfied must be hit, and a smallest hitting set that is itself
unsatisfiable is a smallest conflict (Ignatiev, Previti, Liffiton, Marques-Silva: "Smallest MUS Extraction with Minimal
Hitting Set Dualization", CP 2015).
"""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Collection, Sequence

    from pruner.select.propagate import Literals


_MOST_ROUNDS = 200
"""Of the search for a smallest set, some tens of milliseconds each; over Debian's archive 4 to 40 were needed."""


def smallest_conflict(clauses: Sequence[Literals], *, deadline: float) -> tuple[int, ...]:
    """Positions of a smallest subset of `clauses` without an answer, sorted; minimal only when that takes too long.

    `clauses` must have no answer.
    """
    checker = _Checker(clauses)
    minimal = _minimal(checker, list(range(len(clauses))), [], grown=False)
    return tuple(sorted(_smallest(checker, minimal, deadline)))


class _Checker:
    """Asks which clauses can hold together."""

    def __init__(self, clauses: Sequence[Literals]) -> None:
        import clingo

        self._control: Any = clingo.Control(["--warn=none"])
        with self._control.backend() as backend:
            variables = sorted({abs(literal) for clause in clauses for literal in clause})
            atoms = {variable: backend.add_atom() for variable in variables}
            self._switches = [backend.add_atom() for _ in clauses]
            backend.add_rule([*atoms.values(), *self._switches], choice=True)
            for switch, clause in zip(self._switches, clauses, strict=True):
                negated = [-atoms[x] if x > 0 else atoms[-x] for x in clause]
                backend.add_rule([], [switch, *negated])
            backend.add_minimize(0, [(-switch, 1) for switch in self._switches])
        settings: Any = self._control.configuration
        settings.solver.opt_strategy = "usc"
        settings.solve.opt_mode = "ignore"

    def can_hold(self, chosen: Collection[int]) -> bool:
        """Whether the clauses `chosen` can hold together."""
        return bool(self._control.solve(assumptions=[self._switches[number] for number in chosen]).satisfiable)

    def violated(self, chosen: Collection[int]) -> list[int]:
        """The fewest clauses that do not hold in an answer in which the clauses `chosen` do."""
        found: list[int] = []

        def take(model: Any) -> None:
            found[:] = [number for number, switch in enumerate(self._switches) if not model.is_true(switch)]

        self._control.configuration.solve.opt_mode = "opt"
        self._control.solve(assumptions=[self._switches[number] for number in chosen], on_model=take)
        self._control.configuration.solve.opt_mode = "ignore"
        return found


def _minimal(checker: _Checker, chosen: list[int], beside: list[int], *, grown: bool) -> list[int]:
    """A minimal part of `chosen` that can't hold together with `beside`, by halves; `grown`: `beside` is larger than
    when it was last asked about (Junker: "QuickXplain", AAAI 2004).
    """
    if grown and not checker.can_hold(beside):
        return []
    if len(chosen) == 1:
        return chosen
    middle = len(chosen) // 2
    first, second = chosen[:middle], chosen[middle:]
    of_second = _minimal(checker, second, beside + first, grown=True)
    of_first = _minimal(checker, first, beside + of_second, grown=bool(of_second))
    return of_first + of_second


def _smallest(checker: _Checker, minimal: list[int], deadline: float) -> list[int]:
    hitting = _HittingSets()
    for _ in range(_MOST_ROUNDS):
        if time.monotonic() > deadline:
            break
        chosen = hitting.smallest()
        if len(chosen) >= len(minimal):
            return minimal
        if not checker.can_hold(chosen):
            return chosen
        hitting.must_hit(checker.violated(chosen))
    return minimal


class _HittingSets:
    def __init__(self) -> None:
        import clingo

        self._control: Any = clingo.Control(["--warn=none"])
        self._atoms: dict[int, int] = {}
        self._sets = 0

    def must_hit(self, members: Sequence[int]) -> None:
        self._sets += 1
        with self._control.backend() as backend:
            for number in members:
                if number not in self._atoms:
                    atom = self._atoms[number] = backend.add_atom()
                    backend.add_rule([atom], choice=True)
                    backend.add_minimize(0, [(atom, 1)])
            backend.add_rule([], [-self._atoms[number] for number in members])

    def smallest(self) -> list[int]:
        if not self._sets:
            return []
        found: list[int] = []

        def take(model: Any) -> None:
            found[:] = [number for number, atom in self._atoms.items() if model.is_true(atom)]

        self._control.solve(on_model=take)
        return found
