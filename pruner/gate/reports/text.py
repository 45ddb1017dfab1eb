"""The report for a terminal: the verdict, what was counted, and each finding with what would end it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pruner.errors import printable
from pruner.gate.policy.types import Level
from pruner.gate.reports.groups import grouped
from pruner.gate.reports.wording import counts, fates, headline

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from pruner.gate.policy.types import Finding, Verdict
    from pruner.gate.reports.groups import Group
    from pruner.gate.types import Comparison
    from pruner.plan.types import Plan

_SHOWN = 20
"""Findings of one key of the policy; json, sarif and junit have all."""


def text_report(comparison: Comparison, verdict: Verdict, plan: Plan | None) -> str:
    """Plain text without colours; names are escaped, so that none can move the cursor."""
    del plan  # findings carry their chains
    groups = grouped(verdict)
    blocks = [
        [headline(verdict)],
        list(_counts(comparison, verdict)),
        *(_level(level, groups) for level in Level),
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


def _level(level: Level, groups: Sequence[Group]) -> list[str]:
    return [line for group in groups if group.level is level for line in _group(group)]


def _group(group: Group) -> Iterator[str]:
    first = group.findings[0]
    if len(group.findings) == 1:
        yield f"{group.level} {group.rule}: {printable(first.what)}"
        yield _field("where", first.where)
    else:
        yield f"{group.level} {printable(group.title)}"
    yield from (_field(name, text) for name, text in group.common())
    if len(group.findings) == 1:
        yield from _chain(first)
        return
    for finding in group.findings[:_SHOWN]:
        yield f"  - {printable(finding.what)}"
        yield from (f"  {_field(name, text)}" for name, text in group.own(finding))
        yield from (f"  {line}" for line in _chain(finding))
    if len(group.findings) > _SHOWN:
        yield f"  and {len(group.findings) - _SHOWN} more"


def _field(name: str, text: str) -> str:
    return f"  {name:<6} {printable(text)}"


def _chain(finding: Finding) -> Iterator[str]:
    for depth, step in enumerate(finding.chain):
        yield f"  {'chain ' if depth == 0 else '      '} {'  ' * depth}{printable(step)}"


def _vulnerabilities(comparison: Comparison) -> list[str]:
    return [f"vulnerabilities: {met}"] if (met := fates(comparison)) else []
