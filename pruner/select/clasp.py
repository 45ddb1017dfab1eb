"""The solver behind the kernel: clingo, fed through its backend, so that nothing is written or parsed as text.

The order of costs is lexicographic (clingo's priorities), found from unsatisfiable cores: over package archives that is
as fast as branch and bound at its best, and a thousand times faster where thousands of recommendations count. What
costs leave open is decided by the order of variables, with satisfiability checks under the best cost. One thread and
fixed heuristics: the same question has one answer.
"""

from __future__ import annotations

import time
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from pruner.select.propagate import Literals

_LARGEST_WEIGHT = (1 << 31) - 1
"""clasp holds a weight in 32 bits and sums in 64."""

_MOST_TWINS = 64
"""A weight beyond 64 times the largest (2**37: 128 TiB in KiB, 128 GiB in bytes) counts as that much: a size of
eighteen digits in an index must not become half a thousand million atoms."""

_SHARE_OF_CORES = 0.7
"""Of the time left: cores show an answer only when it is the best one, so branch and bound gets the rest."""

_SECONDS_OF_DEAFNESS = 0.2
"""How long Ctrl-C may wait: Python answers no signal while the library waits."""

_SECONDS_FOR_ANY = 1.0
"""Beyond the deadline, to show any answer at all where none was seen by then."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Found:
    """What the solver came to."""

    true: frozenset[int] | None
    """The variables of the best answer seen; None where none was."""
    proven: bool
    """No answer is better; with `true` None: there is no answer."""


class Solver:
    """Clauses over `variables` and what true ones cost, for several questions.

    `costs` are levels, the first one decides first; each maps variables to what being true costs. Deadlines are on the
    clock of `time.monotonic`.
    """

    def __init__(
        self, variables: Sequence[int], clauses: Sequence[Literals], costs: Sequence[Mapping[int, int]]
    ) -> None:
        import clingo

        most = _MOST_TWINS * _LARGEST_WEIGHT
        self._costs = [{one: min(cost.get(one, 0), most) for one in variables} for cost in costs]
        is_large = any(weight > _LARGEST_WEIGHT for cost in self._costs for weight in cost.values())
        # Without looking for equivalent atoms, which would join the atoms that a large weight is spread over.
        self._control: Any = clingo.Control(["--warn=none", *(["--eq=0"] if is_large else [])])
        self._true: frozenset[int] | None = None
        with self._control.backend() as backend:
            self._atoms: dict[int, int] = {variable: backend.add_atom() for variable in variables}
            self._guard: int = backend.add_atom()
            backend.add_rule([*self._atoms.values(), self._guard], choice=True)
            for clause in clauses:
                backend.add_rule([], [-self._literal(literal) for literal in clause])
            for level, cost in enumerate(self._costs):
                backend.add_minimize(len(costs) - level, _weighted(backend, self._atoms, cost))

    def cheapest(self, wanted: Sequence[int] = (), *, deadline: float) -> Found:
        """The cheapest answer in which the literals `wanted` hold, any one of equally cheap ones."""
        self._true = None
        settings = self._control.configuration
        assumptions = [-self._guard, *map(self._literal, wanted)]
        settings.solver.opt_strategy = "usc"
        now = time.monotonic()
        proven = self._run(assumptions, now + (deadline - now) * _SHARE_OF_CORES)
        if not proven:
            settings.solver.opt_strategy = "bb"
            proven = self._run(assumptions, deadline)
        if not proven and self._true is None:
            settings.solve.opt_mode = "ignore"
            finished = self._run(assumptions, time.monotonic() + _SECONDS_FOR_ANY)
            settings.solve.opt_mode = "opt"
            proven = finished and self._true is None
        return Found(true=self._true, proven=proven)

    def first(self, *, deadline: float) -> Found:
        """Of the cheapest answers the one that holds the lowest variable in which they differ. The last question."""
        best = self.cheapest(deadline=deadline)
        if best.true is None or not best.proven:
            return best
        with self._control.backend() as backend:
            other = [atom if variable in best.true else -atom for variable, atom in self._atoms.items()]
            backend.add_rule([], [self._guard, *other])
        # Summed here, for the costs that clingo reports wrap around in 32 bits.
        reached = (sum(cost[variable] for variable in best.true) for cost in self._costs)
        self._control.configuration.solve.opt_mode = ",".join(["enum", *map(str, reached)])
        return Found(proven=self._order(best.true, deadline), true=self._true)

    def _order(self, best: frozenset[int], deadline: float) -> bool:
        """Exchange the answer for the equally good one that comes first; False when time ran out."""
        if not self._run([self._guard], deadline):
            return False
        if self._true == best:
            return True  # it is the only one
        fixed = [-self._guard]
        for variable, atom in self._atoms.items():
            fixed.append(atom)
            if not self._holds(variable):
                if not self._run(fixed, deadline):
                    return False
                if not self._holds(variable):
                    fixed[-1] = -atom
        return True

    def _holds(self, variable: int) -> bool:
        return self._true is not None and variable in self._true

    def _literal(self, literal: int) -> int:
        return self._atoms[literal] if literal > 0 else -self._atoms[-literal]

    def _take(self, model: Any) -> None:
        self._true = frozenset(variable for variable, atom in self._atoms.items() if model.is_true(atom))

    def _run(self, assumptions: list[int], deadline: float) -> bool:
        """Solve under `assumptions`, remembering the last answer; whether the search was finished in time."""
        with self._control.solve(assumptions=assumptions, on_model=self._take, async_=True) as handle:
            while not handle.wait(min(_SECONDS_OF_DEAFNESS, max(0.0, deadline - time.monotonic()))):
                if time.monotonic() >= deadline:
                    handle.cancel()
                    return False
            return bool(not handle.get().interrupted)


def _weighted(backend: Any, atoms: Mapping[int, int], cost: Mapping[int, int]) -> list[tuple[int, int]]:
    """Atoms with weights; a weight too large for one is spread over atoms that are true together."""
    found = []
    for variable, atom in atoms.items():
        rest = cost[variable]
        found.append((atom, min(rest, _LARGEST_WEIGHT)))
        while (rest := rest - _LARGEST_WEIGHT) > 0:
            twin = backend.add_atom()
            backend.add_rule([twin], [atom])
            found.append((twin, min(rest, _LARGEST_WEIGHT)))
    return found
