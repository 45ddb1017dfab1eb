"""The verdict as a JUnit report, as GitLab and Jenkins read it: a case for each limit and each finding."""

from __future__ import annotations

from typing import TYPE_CHECKING
from xml.etree.ElementTree import Element, SubElement, indent, tostring

from pruner.errors import printable
from pruner.gate.policy.limits import number
from pruner.gate.types import Level

if TYPE_CHECKING:
    from pruner.gate.types import Comparison, Finding, LimitResult, Verdict
    from pruner.plan.types import Plan


def junit_report(comparison: Comparison, verdict: Verdict, plan: Plan | None) -> str:
    """XML without times. A limit that is kept is a case that passed, and one case stands for the policy as a whole."""
    del comparison, plan  # findings carry their chains
    kept = [limit for limit in verdict.limits if limit.kept]
    levels = [finding.level for finding in verdict.findings]
    numbers = {
        "tests": str(1 + len(kept) + len(levels)),
        "failures": str(levels.count(Level.FAIL)),
        "errors": "0",
        "skipped": str(levels.count(Level.WAIVED)),
    }
    root = Element("testsuites", {"name": "pruner gate", **numbers})
    suite = SubElement(root, "testsuite", {"name": "pruner gate", **numbers})
    _case(suite, "policy", printable(verdict.policy) or "policy")
    for limit in kept:
        _limit(suite, limit)
    for finding in verdict.findings:
        _finding(suite, finding)
    indent(root)
    return f'<?xml version="1.0" encoding="UTF-8"?>\n{tostring(root, encoding="unicode")}\n'


def _case(suite: Element, rule: str, name: str) -> Element:
    return SubElement(suite, "testcase", {"classname": f"gate.{rule}", "name": name})


def _limit(suite: Element, limit: LimitResult) -> None:
    case = _case(suite, f"limits.{limit.name}", f"at most {limit.stated}")
    output = f"{number(limit.before)} before, {number(limit.after)} after, {number(limit.allowed)} allowed"
    SubElement(case, "system-out").text = output


def _finding(suite: Element, finding: Finding) -> None:
    name = printable(finding.where + (f" {finding.subject}" if finding.subject else ""))
    case = _case(suite, finding.rule, name)
    what, text = printable(finding.what), _text(finding)
    if finding.level is Level.FAIL:
        SubElement(case, "failure", {"type": finding.rule, "message": what}).text = text
    elif finding.level is Level.WAIVED:
        SubElement(case, "skipped", {"message": printable(finding.waiver)})
        SubElement(case, "system-out").text = f"{what}\n{text}"
    else:
        SubElement(case, "system-out").text = f"warning: {what}\n{text}"


def _text(finding: Finding) -> str:
    lines = [
        f"where: {finding.where}",
        f"why: {finding.why}",
        f"fix: {finding.fix}",
        *([f"policy: {finding.key}"] if finding.key else []),
        *(f"chain: {step}" for step in finding.chain),
    ]
    return "\n".join(map(printable, lines))
