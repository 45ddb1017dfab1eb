"""Findings that one key of the policy made, together: what they have in common is said once."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from pruner.gate.policy.types import Level
from pruner.gate.reports.wording import place

if TYPE_CHECKING:
    from collections.abc import Iterator

    from pruner.gate.policy.types import Finding, Verdict

_LAST = 1 << 31
"""Behind every line: what the policy leaves to the default."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Group:
    """One or more findings of one level, rule and key that matter for one reason, in the verdict's order."""

    level: Level
    rule: str
    key: str
    findings: tuple[Finding, ...]
    why: str
    fix: str
    """What would end all of them; empty where they differ in it, as in the next."""
    waiver: str

    @property
    def title(self) -> str:
        """`forbid 'shell': 14 findings`; of a single one `forbid: /usr/bin/dash`, or `require 'shell'`."""
        named = f"{self.rule} '{self.asked}'" if self.asked else self.rule
        if len(self.findings) > 1:
            return f"{named}: {len(self.findings)} findings"
        where = self.findings[0].where
        return named if self.key.endswith(f" {where}") else f"{self.rule}: {where}"

    @property
    def asked(self) -> str:
        """What the policy says there, where the rule alone does not tell."""
        return self.findings[0].asked

    def own(self, finding: Finding) -> Iterator[tuple[str, str]]:
        """Names and texts of what is to be said of `finding` besides its `what`, the group being known."""
        if finding.where not in finding.what.split():
            yield "where", finding.where
        if not self.fix:
            yield "fix", finding.fix
        if finding.waiver and not self.waiver:
            yield "waived", finding.waiver

    def common(self) -> Iterator[tuple[str, str]]:
        """The same of what its findings have in common."""
        named = (("policy", self.key), ("why", self.why), ("fix", self.fix), ("waived", self.waiver))
        return ((name, text) for name, text in named if text)


def grouped(verdict: Verdict) -> tuple[Group, ...]:
    """All findings: failing ones first, then in the order in which the policy asks for them."""
    found: dict[tuple[Level, str, str, str], list[Finding]] = {}
    for finding in verdict.findings:
        found.setdefault((finding.level, finding.rule, finding.key, finding.why), []).append(finding)
    groups = [
        Group(
            level=level,
            rule=rule,
            key=key,
            findings=tuple(findings),
            why=why,
            fix=_common([finding.fix for finding in findings]),
            waiver=_common([finding.waiver for finding in findings]),
        )
        for (level, rule, key, why), findings in found.items()
    ]
    levels = list(Level)

    def order(group: Group) -> tuple[int, int]:
        at = place(group.findings[0], verdict)
        return levels.index(group.level), at.line if at.stated else _LAST

    return tuple(sorted(groups, key=order))


def _common(texts: list[str]) -> str:
    return texts[0] if len(set(texts)) == 1 else ""
