"""The verdict as a JUnit report, as GitLab and Jenkins read it: a case for each limit, each section that holds and each
finding.
"""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING
from xml.etree.ElementTree import Element, SubElement, indent, tostring

from pruner.errors import printable
from pruner.gate.policy.limits import number
from pruner.gate.policy.types import Level

if TYPE_CHECKING:
    from pruner.gate.policy.types import Finding, LimitResult, Verdict
    from pruner.gate.types import Comparison
    from pruner.plan.types import Plan


def junit_report(comparison: Comparison, verdict: Verdict, plan: Plan | None) -> str:
    """XML without times. A limit that is kept is a case that passed, as is a section of the policy by which nothing was
    found, and one case stands for the policy as a whole.

    GitLab shows a failure's text alone and Jenkins its message as well, so the text says everything. A case has the
    same name while its limit is kept and when it is broken, and no other case has it: both tell what is new by names.
    """
    del comparison, plan  # findings carry their chains
    kept = [limit for limit in verdict.limits if limit.kept]
    levels = [finding.level for finding in verdict.findings]
    numbers = {
        "name": "pruner gate",
        "tests": str(1 + len(kept) + len(verdict.clean) + len(levels)),
        "failures": str(levels.count(Level.FAIL)),
        "errors": "0",
    }
    root = Element("testsuites", numbers)
    suite = SubElement(root, "testsuite", {**numbers, "skipped": str(levels.count(Level.WAIVED))})
    _case(suite, "policy", printable(verdict.policy) or "policy")
    for limit in kept:
        _limit(suite, limit)
    for section in verdict.clean:
        _case(suite, section, section)
    seen: Counter[tuple[str, str]] = Counter()
    for finding in verdict.findings:
        _finding(suite, finding, seen)
    indent(root)
    return f'<?xml version="1.0" encoding="UTF-8"?>\n{tostring(root, encoding="unicode")}\n'


def _case(suite: Element, rule: str, name: str) -> Element:
    return SubElement(suite, "testcase", {"classname": f"gate.{rule}", "name": name})


def _limit(suite: Element, limit: LimitResult) -> None:
    case = _case(suite, f"limits.{limit.name}", f"limits.{limit.name}")
    counted = f"{number(limit.before)} before, {number(limit.after)} after, {number(limit.allowed)} allowed"
    SubElement(case, "system-out").text = f"limit {limit.stated}: {counted}"


def _finding(suite: Element, finding: Finding, seen: Counter[tuple[str, str]]) -> None:
    name = printable(" ".join(filter(None, (finding.where, finding.subject))))
    seen[finding.rule, name] += 1
    again = seen[finding.rule, name]
    case = _case(suite, finding.rule, name if again == 1 else f"{name} ({again})")
    what, text = printable(finding.what), _text(finding)
    if finding.level is Level.FAIL:
        SubElement(case, "failure", {"type": finding.rule, "message": what}).text = text
    elif finding.level is Level.WAIVED:
        SubElement(case, "skipped", {"message": printable(finding.waiver)})
        SubElement(case, "system-out").text = text
    else:
        SubElement(case, "system-out").text = f"warning: {text}"


def _text(finding: Finding) -> str:
    lines = [
        finding.what,
        f"where: {finding.where}",
        f"why: {finding.why}",
        f"fix: {finding.fix}",
        *([f"policy: {finding.key}"] if finding.key else []),
        *(f"chain: {step}" for step in finding.chain),
    ]
    return "\n".join(map(printable, lines))
