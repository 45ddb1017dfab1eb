"""Holds a comparison against a policy."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from pruner.errors import printable
from pruner.gate.evaluate.chains import Chains
from pruner.gate.evaluate.judgements import (
    conformity_findings,
    visibility_findings,
    vulnerability_findings,
)
from pruner.gate.evaluate.licensing import license_findings
from pruner.gate.policy.limits import limit_findings, limit_results
from pruner.gate.policy.selectors import forbid_findings, require_findings
from pruner.gate.policy.types import Finding, Level, Verdict
from pruner.gate.policy.waivers import covers

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import date

    from pruner.gate.policy.types import Policy, Waiver
    from pruner.gate.types import Comparison
    from pruner.plan.types import Plan


def evaluate(comparison: Comparison, policy: Policy, *, today: date, plan: Plan | None = None) -> Verdict:
    """What `policy` says of `comparison` on the day `today`; with a plan, findings say why a thing is there.

    A verdict passes when no finding fails: warnings and waived findings are listed and let it pass. A waiver that
    has expired covers nothing and is a finding itself.
    """
    limits = limit_results(comparison, policy)
    found = [
        *limit_findings(limits, comparison, policy),
        *forbid_findings(comparison, policy),
        *require_findings(comparison, policy),
        *vulnerability_findings(comparison, policy),
        *license_findings(comparison, policy),
        *visibility_findings(comparison, policy),
        *conformity_findings(comparison, policy),
    ]
    judged = _waived(found, policy, today)
    if plan is not None and judged:
        judged = _chained(judged, comparison, plan)
    findings = tuple(sorted(judged, key=_order))
    return Verdict(
        passed=not any(finding.level is Level.FAIL for finding in findings),
        findings=findings,
        policy=policy.name,
        limits=limits,
        clean=_clean(found, comparison, policy),
    )


def _clean(found: Sequence[Finding], comparison: Comparison, policy: Policy) -> tuple[str, ...]:
    """The sections that somebody looked at and that nothing was found by."""
    scanned = (policy.new, policy.unseen, policy.unrated, policy.database)
    judged = {
        "forbid": bool(policy.forbid),
        "require": bool(policy.require),
        "vulnerabilities": comparison.vulnerabilities is not None and any(scanned),
        "licenses": policy.licenses is not None,
        "visibility": policy.visibility is not None or policy.untold is not None,
        "conformity": comparison.conformity is not None and policy.conformity is not None,
    }
    spoken = {finding.rule.partition(".")[0] for finding in found}
    return tuple(section for section, looked in judged.items() if looked and section not in spoken)


def _order(finding: Finding) -> tuple[int, str, int, str, str]:
    return (list(Level).index(finding.level), finding.rule, finding.rank, finding.where, finding.what)


def _waived(found: Sequence[Finding], policy: Policy, today: date) -> list[Finding]:
    """`found` with waivers applied, and findings about the waivers themselves."""
    valid = [waiver for waiver in policy.waivers if today <= waiver.expires]
    used: set[str] = set()
    judged: list[Finding] = []
    for finding in found:
        covering = [waiver for waiver in valid if covers(waiver, finding)]
        used.update(waiver.place for waiver in covering)
        texts = "; ".join(waiver.text for waiver in covering)
        judged.append(replace(finding, level=Level.WAIVED, waiver=texts) if covering else finding)
    judged += [_expired(waiver, policy) for waiver in policy.waivers if today > waiver.expires]
    judged += [_idle(waiver, policy) for waiver in valid if waiver.place not in used]
    return judged


def _expired(waiver: Waiver, policy: Policy) -> Finding:
    return Finding(
        rule="waiver",
        level=Level.FAIL,
        what=f"the waiver of {_waived_thing(waiver)} expired on {waiver.expires.isoformat()}",
        where=waiver.place,
        why=f"{waiver.owner} was to settle it by then: {waiver.reason}",
        fix="remove the waiver and what it covered, or agree on a new date with its owner",
        key=f"{policy.name}:{waiver.line} {waiver.place}",
        asked=_waived_thing(waiver),
    )


def _waived_thing(waiver: Waiver) -> str:
    return printable(f"{waiver.rule} {waiver.where}".rstrip())


def _idle(waiver: Waiver, policy: Policy) -> Finding:
    return Finding(
        rule="waiver",
        level=Level.WARN,
        what=f"the waiver of {_waived_thing(waiver)} covers nothing",
        where=waiver.place,
        why="a waiver that is left behind would hide the next finding that it happens to fit",
        fix="remove it",
        key=f"{policy.name}:{waiver.line} {waiver.place}",
        asked=_waived_thing(waiver),
    )


def _chained(findings: Sequence[Finding], comparison: Comparison, plan: Plan) -> list[Finding]:
    """`findings` with the reason why the plan keeps the path, or a file of the package, that each is about.

    Where the plan keeps what is forbidden for an option alone, refusing the option is what would end the finding.
    """
    chains = Chains(plan)
    owned: dict[str, tuple[str, ...]] = {
        package.purl: package.files for packages in comparison.after.packages.values() for package in packages
    }

    def explained(finding: Finding) -> Finding:
        where = finding.where
        if where.startswith("/"):
            chain = chains.steps(where)
        else:
            found = [steps for path in owned.get(where, ()) if (steps := chains.steps(path))]
            chain = min(found, key=_directness, default=())
        option = chains.option(where) if finding.rule == "forbid" else ""
        fix = f"plan again with `--refuse {option}`: nothing else needs it" if option else finding.fix
        return replace(finding, chain=chain, fix=fix)

    return [explained(finding) for finding in findings]


def _directness(chain: Sequence[str]) -> tuple[bool, int]:
    """The lower, the better a chain says why a package is there: what is kept without a need says little."""
    return len(chain) == 1, len(chain)
