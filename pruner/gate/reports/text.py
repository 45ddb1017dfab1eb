"""The report for a terminal: the verdict, what was counted, and each finding with what would end it."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING

from pruner.errors import printable
from pruner.gate.reports.wording import counts, fates, headline
from pruner.gate.types import Level

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from pruner.gate.types import Comparison, Finding, Verdict
    from pruner.plan.types import Plan

_SHOWN = 20
"""Findings of one rule and level; the other formats have all."""


def text_report(comparison: Comparison, verdict: Verdict, plan: Plan | None) -> str:
    """Plain text without colours; names are escaped, so that none can move the cursor."""
    del plan  # findings carry their chains
    blocks = [
        [headline(verdict)],
        list(_counts(comparison, verdict)),
        *(_group(level, verdict.findings) for level in Level),
        _vulnerabilities(comparison),
        [f"note: {printable(note)}" for note in comparison.notes],
    ]
    return "\n\n".join("\n".join(block) for block in blocks if block) + "\n"


def _counts(comparison: Comparison, verdict: Verdict) -> Iterator[str]:
    rows = [
        ("", "before", "after", "limit"),
        *(
            (count.name, *count.shown(), f"{count.limit}{'' if count.kept else '  broken'}")
            for count in counts(comparison, verdict)
        ),
    ]
    widths = [max(len(row[column]) for row in rows) for column in range(3)]
    for name, before, after, stated in rows:
        yield f"  {name:<{widths[0]}}  {before:>{widths[1]}}  {after:>{widths[2]}}  {stated}".rstrip()


def _group(level: Level, findings: Sequence[Finding]) -> list[str]:
    lines: list[str] = []
    seen: Counter[str] = Counter()
    for finding in findings:
        if finding.level is level:
            seen[finding.rule] += 1
            if seen[finding.rule] <= _SHOWN:
                lines += _finding(finding)
    lines += [f"{level} {rule}: and {count - _SHOWN} more" for rule, count in sorted(seen.items()) if count > _SHOWN]
    return lines


def _finding(finding: Finding) -> Iterator[str]:
    yield f"{finding.level} {finding.rule}: {printable(finding.what)}"
    yield f"  where  {printable(finding.where)}"
    yield f"  why    {printable(finding.why)}"
    yield f"  fix    {printable(finding.fix)}"
    if finding.key:
        yield f"  policy {printable(finding.key)}"
    if finding.waiver:
        yield f"  waived {printable(finding.waiver)}"
    for depth, step in enumerate(finding.chain):
        yield f"  {'chain ' if depth == 0 else '      '} {'  ' * depth}{printable(step)}"


def _vulnerabilities(comparison: Comparison) -> list[str]:
    return [f"vulnerabilities: {met}"] if (met := fates(comparison)) else []
