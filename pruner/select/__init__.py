"""Exact package selection: the provably smallest set of packages that satisfies a request.

    entries --explore--> cone --encode--> clauses and costs --kernel--> packages --> choices, or the conflict in words

`select` is the stage's verb. The kernel (`pruner.select.kernel`) knows integers, clauses and costs, and no packages.
"""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

from pruner.select.choices import open_choices
from pruner.select.cone import Need, Trigger, explore
from pruner.select.encode import Encoded, encode
from pruner.select.entries import find_roots
from pruner.select.kernel import solve
from pruner.select.types import Alternative, Choice, Objective, Prefer, Selection, SelectRequest, Status
from pruner.select.words import exclusion_text, label, need_text, trigger_text

if TYPE_CHECKING:
    from pruner.select.cone import Cone
    from pruner.select.kernel import Solution
    from pruner.select.types import Packages

__all__ = ["Alternative", "Choice", "Objective", "Prefer", "SelectRequest", "Selection", "Status", "select"]


def select(request: SelectRequest, packages: Packages) -> Selection:
    """The best set of `packages` that holds the entries of `request` and everything that they need.

    The objectives, the first one first: satisfy; what is recommended, where that was asked for; the preference; the
    native architecture; newest versions; the objective; size; count; fewest packages replaced by providers of their
    name; name order.
    Raises `UsageError` or `EntryError` for an entry that is none.
    """
    roots = find_roots(request.entries, packages, with_essential=request.with_essential)
    cone = explore(roots, packages, recommends=request.recommends)
    encoded = encode(cone, request, packages)
    begin = time.monotonic()
    deadline = begin + request.time_limit
    solution = solve(encoded.problem, deadline=deadline)
    seconds = time.monotonic() - begin
    if solution.status is Status.UNSATISFIABLE:
        return Selection(
            status=solution.status,
            conflict=_conflict(cone, encoded, packages, deadline),
            considered=len(cone.packages),
            solver_seconds=seconds,
        )
    return _selection(cone, encoded, solution, packages, deadline=deadline, seconds=seconds)


def _selection(
    cone: Cone, encoded: Encoded, solution: Solution, packages: Packages, *, deadline: float, seconds: float
) -> Selection:
    chosen = tuple(one for number, one in enumerate(cone.packages, 1) if number in solution.true)
    return Selection(
        packages=chosen,
        installed_kib=sum(one.installed_kib for one in chosen),
        download_bytes=sum(one.download_bytes for one in chosen),
        status=solution.status,
        choices=open_choices(cone, encoded.pricing, solution, packages, deadline=deadline),
        unmet=tuple(
            sorted(
                _need_text(cone, need, packages).replace(" needs ", " recommends ", 1)
                for number, need in encoded.unmet.items()
                if number in solution.true
            )
        ),
        by_itself=_by_itself(cone, {number - 1 for number in solution.true}, packages),
        considered=len(cone.packages),
        solver_seconds=seconds,
    )


def _by_itself(cone: Cone, chosen: set[int], packages: Packages) -> tuple[str, ...]:
    """Of the packages that are triggered those that nothing chosen needs, each with what triggers it."""
    found = []
    for trigger in cone.triggers:
        met = [[cone.packages[number] for number in options if number in chosen] for options in trigger.conditions]
        is_needed = any(
            trigger.package in need.options and (need.dependant is None or need.dependant in chosen)
            for need in cone.needs
        )
        if trigger.package in chosen and all(met) and not is_needed:
            found.append(trigger_text(packages, cone.packages[trigger.package], met))
    return tuple(found)


def _conflict(cone: Cone, encoded: Encoded, packages: Packages, deadline: float) -> tuple[str, ...]:
    from pruner.select.conflict import smallest_conflict

    clauses = encoded.problem.clauses[: len(encoded.hard)]
    facts = []
    for number in smallest_conflict(clauses, deadline=deadline):
        said = encoded.hard[number]
        if isinstance(said, Need):
            facts.append(_need_text(cone, said, packages))
        elif isinstance(said, Trigger):
            options = [[cone.packages[one] for one in condition] for condition in said.conditions]
            facts.append(trigger_text(packages, cone.packages[said.package], options))
        else:
            facts.append(exclusion_text(packages, *(cone.packages[one] for one in said)))
    return tuple(dict.fromkeys(facts))  # several clauses may stand for one trigger


def _need_text(cone: Cone, need: Need, packages: Packages) -> str:
    if need.dependant is not None:
        return need_text(packages, cone.packages[need.dependant], need.clause, met=bool(need.options))
    answers = [cone.packages[number] for number in need.options]
    names = " or ".join(sorted({label(packages, one) for one in answers}))
    is_named = any(one.name in need.text for one in answers)
    return f"{need.text} is asked for" + ("" if is_named else f", which is {names}")
