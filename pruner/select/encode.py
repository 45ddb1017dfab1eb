"""From a cone to clauses and costs, and what each clause says in words."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from pruner.relations.versions import compare
from pruner.select.cone import ANY_MACHINE
from pruner.select.kernel import Problem
from pruner.select.triggers import trigger_clauses
from pruner.select.types import Objective, Prefer

if TYPE_CHECKING:
    from collections.abc import Mapping

    from pruner.candidate import Candidate
    from pruner.select.cone import Cone, Need, Trigger
    from pruner.select.propagate import Literals
    from pruner.select.types import Packages, SelectRequest


@dataclass(frozen=True, slots=True, kw_only=True)
class Encoded:
    """A problem whose variable n stands for package n-1 of the cone; those above for penalties and parts of clauses."""

    problem: Problem
    hard: tuple[Need | Trigger | tuple[int, int], ...]
    """What the first clauses say, in their order; the clauses behind them only count penalties."""
    pricing: tuple[Mapping[int, int], ...]
    """The costs up to the installed size: those below can't change it."""
    unmet: Mapping[int, Need]
    """Penalty variables that stand for a recommendation that is not met."""


def encode(cone: Cone, request: SelectRequest, packages: Packages) -> Encoded:
    """The clauses of `cone`, and the objectives of `request` in their order.

    Penalties that packages can't have are counted by variables of their own: a recommendation that is not met, and a
    package that is named by a need but stands replaced by providers of its name.
    """
    hard: list[Need | Trigger | tuple[int, int]] = [need for need in cone.needs if not need.recommended]
    clauses = [_clause(need) for need in cone.needs if not need.recommended]
    hard += cone.exclusions
    clauses += [(-one - 1, -other - 1) if one != other else (-one - 1,) for one, other in cone.exclusions]
    triggered = trigger_clauses(cone, len(cone.packages))
    hard += [trigger for trigger, _ in triggered]
    clauses += [clause for _, clause in triggered]
    top = max((len(cone.packages), *(abs(literal) for _, clause in triggered for literal in clause)))
    unmet: dict[int, Need] = {}
    replaced: dict[frozenset[int], int] = {}
    for need in cone.needs:
        if need.recommended:
            top += 1
            unmet[top] = need
            clauses.append((*_clause(need), top))
        if need.real and len(need.real) < len(need.options):
            if need.real not in replaced:
                top += 1
                replaced[need.real] = top
            own = () if need.dependant is None else (-need.dependant - 1,)
            clauses.append((*own, *(number + 1 for number in sorted(need.real)), replaced[need.real]))
    costs = _costs(cone, request, packages, unmet=tuple(unmet), virtual=tuple(replaced.values()))
    return Encoded(
        problem=Problem(clauses=tuple(clauses), costs=costs),
        hard=tuple(hard),
        pricing=costs[: costs.index(_sizes(cone)) + 1],
        unmet=unmet,
    )


def _clause(need: Need) -> Literals:
    options = tuple(number + 1 for number in need.options)
    return options if need.dependant is None else (-need.dependant - 1, *options)


def _costs(
    cone: Cone, request: SelectRequest, packages: Packages, *, unmet: tuple[int, ...], virtual: tuple[int, ...]
) -> tuple[Mapping[int, int], ...]:
    numbered = list(enumerate(cone.packages, 1))
    size = _sizes(cone)
    count = {number: 1 for number, _ in numbered}
    download = {number: candidate.download_bytes for number, candidate in numbered}
    replaced = dict.fromkeys(virtual, 1)
    levels: list[Mapping[int, int]] = [dict.fromkeys(unmet, 1)]
    if request.prefer == Prefer.INSTALLED:
        levels.append({n: 1 for n, one in numbered if (one.name, one.version) not in request.installed})
    elif request.prefer == Prefer.REAL:
        levels.append(replaced)
    native = (packages.architecture, *ANY_MACHINE)
    levels.append({number: 1 for number, candidate in numbered if candidate.architecture not in native})
    levels.append({number: 1 for number, candidate in numbered if _is_outdated(candidate, packages)})
    levels += {
        Objective.SIZE: [size, count],
        Objective.COUNT: [count, size],
        Objective.DOWNLOAD: [download, size, count],
    }[request.objective]
    return tuple(level for level in (*levels, replaced) if level)


def _sizes(cone: Cone) -> dict[int, int]:
    return {number: candidate.installed_kib for number, candidate in enumerate(cone.packages, 1)}


def _is_outdated(candidate: Candidate, packages: Packages) -> bool:
    """Whether a newer version of the same package exists: an older one is only taken where it must be."""
    same = [one for one in packages.named(candidate.name) if one.architecture == candidate.architecture]
    return len(same) > 1 and any(compare(one.ecosystem, one.version, candidate.version) > 0 for one in same)
