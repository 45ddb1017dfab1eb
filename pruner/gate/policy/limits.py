"""Limits: how much of something there may be, absolutely or relative to before."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pruner.errors import printable
from pruner.gate.categories import category_reason, telling_input
from pruner.gate.phrases import few_of
from pruner.gate.policy.types import Finding, Level, LimitResult
from pruner.gate.totals import links_differ, totals_of_side, types_of_both
from pruner.gate.types import Change, Comparison, Side, Surface

if TYPE_CHECKING:
    from collections.abc import Sequence

    from pruner.gate.policy.types import Limit, Policy

_NOUNS = {
    "megabytes": ("MB", "MB"),
    "packages": ("package", "packages"),
    "files": ("file", "files"),
    "executables": ("executable", "executables"),
    "executable": ("executable", "executables"),
    "library": ("library", "libraries"),
    "idle-library": ("idle library", "idle libraries"),
    "other-library": ("other library", "other libraries"),
    "setuid": ("setuid file", "setuid files"),
    "setgid": ("setgid file", "setgid files"),
    "capability": ("file with capabilities", "files with capabilities"),
    "world-writable": ("world-writable path", "world-writable paths"),
}
"""One and several of them; of the catalogue's categories, programs."""
_WHY = {
    "packages": "every package is code to patch and to answer for",
    "files": "every file is something to be looked at when something goes wrong",
    "megabytes": "size is paid for at every pull and start",
}
_GREW = "see with `pruner diff` what was added and prune it, or raise the limit with a reason"
_STAYED = "leave more of it out of the image, or prune it, or raise the limit with a reason"


def counted(
    name: str, side: Side, surface: Surface, *, types: frozenset[str] | None = None, every_name: bool = False
) -> float | None:
    """How much of `name` the side has; None where it can't tell. `megabytes` are 10^6 bytes of regular files.

    Of packages, those of `types` alone where it is given; with `every_name` each name of a file weighs, whatever other
    name it has.
    """
    if name in {"packages", "files", "megabytes"}:
        totals = totals_of_side(side, types=types, every_name=every_name)
        megabytes = None if totals.bytes is None else totals.bytes / 1e6
        return {"packages": totals.packages, "files": totals.files, "megabytes": megabytes}[name]
    return surface.counts().get(_category(name), 0)


def limit_results(comparison: Comparison, policy: Policy) -> tuple[LimitResult, ...]:
    """Every limit of the policy with what was counted, in the policy's order."""
    return tuple(_result(limit, comparison) for limit in policy.limits)


def _result(limit: Limit, comparison: Comparison) -> LimitResult:
    # What one side alone can tell is no difference between the two, and one image has one size.
    types = types_of_both(comparison.before, comparison.after) if limit.relative else None
    every_name = links_differ(comparison.before, comparison.after)
    before = counted(limit.name, comparison.before, comparison.surface_before, types=types, every_name=every_name)
    after = counted(limit.name, comparison.after, comparison.surface_after, types=types, every_name=every_name)
    allowed = limit.allowed(before)
    return LimitResult(
        name=limit.name,
        stated=limit.text,
        before=before,
        after=after,
        allowed=allowed,
        # A limit that can't be measured is not kept: nobody looked.
        kept=allowed is not None and after is not None and after <= allowed + 1e-9,
    )


def limit_findings(results: Sequence[LimitResult], comparison: Comparison, policy: Policy) -> list[Finding]:
    """One finding for each limit that is broken or can't be measured."""
    return [_finding(result, comparison, policy) for result in results if not result.kept]


def _finding(result: LimitResult, comparison: Comparison, policy: Policy) -> Finding:
    key = f"limits.{result.name}"
    if result.after is None or result.allowed is None:
        side, surface = comparison.before, comparison.surface_before
        if result.after is None:
            side, surface = comparison.after, comparison.surface_after
        what = f"{result.name} can't be counted: {printable(side.name)} does not record what it takes"
        fix = telling_input(_category(result.name), surface.unknown)
    else:
        relative = f" ({result.stated} of {number(result.before)} before)" if result.stated[0] in "+-" else ""
        what = f"{number(result.after)} {_noun(result.name, result.after)}"
        what += f", more than the limit of {number(result.allowed)}{relative}"
        what += _named(result.name, comparison)
        fix = _GREW if result.before is not None and result.after > result.before else _STAYED
    return Finding(
        rule=key,
        level=Level.FAIL,
        what=what,
        where=key,
        why=_WHY.get(result.name) or category_reason(_category(result.name)),
        fix=fix,
        key=policy.key(key),
        unknown=result.after is None or result.allowed is None,
    )


def _named(name: str, comparison: Comparison) -> str:
    """The first things that are counted: those that are new, where both sides can tell of any."""
    if name == "packages":
        added = [change.key.name for change in comparison.packages if change.change is Change.ADDED]
        return _list(_new_are(added), added)
    category = _category(name)
    known = {item.path for item in comparison.surface_before.items if item.category == category}
    found = [item.path for item in comparison.surface_after.items if item.category == category]
    new = [] if category in comparison.surface_before.unknown else [path for path in found if path not in known]
    return _list(_new_are(new), new) or _list(":", found)


def _new_are(names: Sequence[str]) -> str:
    return "; new is" if len(names) == 1 else "; new are"


def _list(words: str, names: Sequence[str]) -> str:
    return f"{words} {few_of(names)}" if names else ""


def _noun(name: str, count: float) -> str:
    one, several = _NOUNS.get(name, (f"{name} program", f"{name} programs"))
    return one if count == 1 else several


def _category(name: str) -> str:
    return "executable" if name == "executables" else name


def number(value: float | None) -> str:
    """A count as it is shown: whole where it is whole, else with one digit; `unknown` for None."""
    if value is None:
        return "unknown"
    return str(int(value)) if value == int(value) else f"{value:.1f}"
