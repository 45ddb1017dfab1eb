"""What several reports say in the same words."""

from __future__ import annotations

import re
from collections import Counter
from typing import TYPE_CHECKING, NamedTuple

from pruner.gate.phrases import number_of
from pruner.gate.policy import COUNTS
from pruner.gate.policy.limits import counted, number
from pruner.gate.policy.types import Level
from pruner.gate.totals import links_differ, types_of_both

if TYPE_CHECKING:
    from collections.abc import Sequence

    from pruner.gate.policy.types import Finding, Verdict
    from pruner.gate.types import Comparison

TITLES = {Level.FAIL: "Failing", Level.WARN: "Warnings", Level.WAIVED: "Waived"}
_KEY = re.compile(r"(?P<file>.*):(?P<line>[1-9][0-9]*) (?P<key>.*)", re.DOTALL)


class Count(NamedTuple):
    """One row of the table of counts, as shown."""

    name: str
    before: float | None
    after: float | None
    limit: str
    kept: bool
    """True where there is no limit."""

    def shown(self) -> tuple[str, str]:
        """Before and after as text."""
        return number(self.before), number(self.after)


class Place(NamedTuple):
    """Where the policy asks for what a finding is about."""

    file: str
    line: int
    """1 where the policy says nothing of it."""
    key: str
    stated: bool = True
    """Whether the policy says it, rather than leaving it to the default."""


def counts(comparison: Comparison, verdict: Verdict) -> tuple[Count, ...]:
    """The counts that every policy may limit, and those that this one limits besides: as the limits counted them."""
    limits = {result.name: result for result in verdict.limits}
    types = types_of_both(comparison.before, comparison.after)
    every_name = links_differ(comparison.before, comparison.after)
    rows = []
    for name in dict.fromkeys((*COUNTS, *limits)):
        limit = limits.get(name)
        if limit is not None:
            rows.append(Count(name, limit.before, limit.after, limit.stated, limit.kept))
            continue
        before = counted(name, comparison.before, comparison.surface_before, types=types, every_name=every_name)
        after = counted(name, comparison.after, comparison.surface_after, types=types, every_name=every_name)
        rows.append(Count(name, before, after, "", kept=True))
    return tuple(rows)


def tally(findings: Sequence[Finding]) -> str:
    """`2 failing, 0 warnings, 1 waived`."""
    count = Counter(finding.level for finding in findings)
    return f"{count[Level.FAIL]} failing, {number_of(count[Level.WARN], 'warning')}, {count[Level.WAIVED]} waived"


def headline(verdict: Verdict) -> str:
    """The verdict in one line."""
    return f"gate {'passed' if verdict.passed else 'FAILED'}: {tally(verdict.findings)}"


def place(finding: Finding, verdict: Verdict) -> Place:
    """The policy's file, line and key of a finding; line 1 where it names none."""
    found = _KEY.fullmatch(finding.key)
    if found is None:
        return Place(verdict.policy, 1, finding.rule, stated=False)
    return Place(found["file"], int(found["line"]), found["key"])


def fates(comparison: Comparison) -> str:
    """How many vulnerabilities met which fate; empty where no scanner reports were given."""
    if comparison.vulnerabilities is None:
        return ""
    met = Counter(change.fate for change in comparison.vulnerabilities)
    return ", ".join(f"{count} {fate}" for fate, count in met.items()) or "none"
