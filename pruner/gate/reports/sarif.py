"""The findings as SARIF 2.1.0, for code-scanning services; each is placed at the line of the policy that it breaks."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import pruner
from pruner.emit.sarif import SarifResult, sarif_text
from pruner.errors import printable
from pruner.gate.policy.types import Level
from pruner.gate.reports.wording import place

if TYPE_CHECKING:
    from pruner.emit.sarif import SarifLevel
    from pruner.gate.policy.types import Finding, Verdict
    from pruner.gate.types import Comparison
    from pruner.plan.types import Plan

_LEVELS: dict[Level, SarifLevel] = {
    Level.FAIL: "error",
    Level.WARN: "warning",
    Level.WAIVED: "note",
}
_RULES = {
    "limits": "There is more of something than the policy allows.",
    "forbid": "Something is there that the policy forbids.",
    "require": "Something is missing that the policy requires.",
    "vulnerabilities": "A vulnerability is new, or is gone from the scanner's report alone.",
    "licenses": "A package's license is not allowed, or not known.",
    "visibility": "A package's entry is gone, or of another version, while its files remain: no scanner sees them.",
    "conformity": "The image differs from the plan that it was built from.",
    "waiver": "A waiver has expired or covers nothing.",
}
"""By the first word of a rule's id."""
_INDEX = re.compile(r"\[[0-9]+\]\Z")
"""The place in a list of the policy: it moves when the list gets another item."""
_ESCAPES = str.maketrans({"\\": "\\\\", "[": "\\[", "]": "\\]", "{": "{{", "}": "}}"})
"""Of links and placeholders in a message (sections 3.11.5 and 3.11.6): a hostile name makes none."""


def sarif_report(comparison: Comparison, verdict: Verdict, plan: Plan | None) -> str:
    """A SARIF log. A finding keeps its fingerprint when counts change, and when the policy's lines and items move."""
    del comparison, plan  # findings carry their chains
    rules = {finding.rule: _RULES[finding.rule.partition(".")[0]] for finding in verdict.findings}
    return sarif_text(
        tool="pruner gate",
        version=pruner.__version__,
        rules=rules,
        results=[_result(finding, verdict) for finding in verdict.findings],
    )


def _result(finding: Finding, verdict: Verdict) -> SarifResult:
    at = place(finding, verdict)
    return SarifResult(
        rule=finding.rule,
        level=_LEVELS[finding.level],
        message=_message(finding),
        file=at.file,
        line=at.line,
        fingerprint="\0".join((_INDEX.sub("", at.key), finding.asked, _INDEX.sub("", finding.where), finding.subject)),
        subject=finding.where if finding.where.startswith(("/", "pkg:")) else "",
        accepted=finding.waiver,
    )


def _message(finding: Finding) -> str:
    sentences = [
        finding.what,
        f"Where: {finding.where}",
        f"Why: {finding.why}",
        f"Fix: {finding.fix}",
        *([f"Waived: {finding.waiver}"] if finding.waiver else []),
        *([f"It is there because: {' > '.join(finding.chain)}"] if finding.chain else []),
    ]
    return "\n".join(printable(sentence).translate(_ESCAPES) for sentence in sentences)
