"""What scanner reports, or their absence, leave open, and what the policy does not say of them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pruner.errors import printable
from pruner.gate.policy.types import Finding, Level
from pruner.gate.types import Comparison, Fate
from pruner.read.reported import SEVERITIES

if TYPE_CHECKING:
    from collections.abc import Iterator

    from pruner.gate.policy.types import Policy

_NEW = "vulnerabilities.new"


def no_reports(policy: Policy) -> Iterator[Finding]:
    """One finding, of the first and worst of the keys that the policy states and that need reports."""
    stated: dict[str, Level | None] = {
        _NEW: None if policy.new is None else Level.FAIL,
        "vulnerabilities.unseen": policy.unseen,
        "vulnerabilities.unrated": policy.unrated,
        "vulnerabilities.database": policy.database,
    }
    levels = [(level, key) for key, level in stated.items() if level is not None and _asks(key, policy)]
    for level, key in sorted(levels, key=lambda pair: list(Level).index(pair[0]))[:1]:
        yield Finding(
            rule=key,
            level=level,
            what="no scanner reports were given",
            where=key,
            why="the policy speaks of vulnerabilities, and nobody looked for any",
            fix="scan both sides with one scanner and give --vulns-before and --vulns-after",
            key=policy.key(key),
            unknown=True,
        )


def _asks(key: str, policy: Policy) -> bool:
    """Whether the policy asks for what `key` says, rather than leaving it to the default."""
    return policy.states(key) or (key == _NEW and policy.new is not None)


def blind_scan(comparison: Comparison, policy: Policy) -> Iterator[Finding]:
    """A warning where the scanner did not look at the system's packages after: then nothing new says little."""
    if policy.new_allowed or not comparison.blind_report:
        return
    yield Finding(
        rule=_NEW,
        level=Level.WARN,
        what=f"{comparison.blind_report} says nothing of the system's packages, so that new vulnerabilities in them "
        "can't be told",
        where=printable(comparison.after.name),
        why="the scanner recognised no distribution: nobody looked at the packages of its database",
        fix="scan the image itself, or an SBOM that says its distribution, or tell the scanner (`grype --distro`)",
        key=policy.key(_NEW),
        unknown=True,
    )


def unsaid_new(comparison: Comparison, policy: Policy) -> Iterator[Finding]:
    """A warning where there are new vulnerabilities and the policy does not say which may be."""
    if policy.new is not None or policy.new_allowed:
        return
    new = [change.vulnerability.severity for change in comparison.vulnerabilities or () if change.fate is Fate.NEW]
    if policy.states("vulnerabilities.unrated"):  # it is said what those may be
        new = [severity for severity in new if severity != "unknown"]
    if not new:
        return
    worst = max(new, key=SEVERITIES.index)
    rated = "none of them rated" if worst == "unknown" else f"the worst {worst}"
    yield Finding(
        rule=_NEW,
        level=Level.WARN,
        what=f"{len(new)} new {'vulnerability' if len(new) == 1 else 'vulnerabilities'}, {rated}, and the policy does "
        "not say what is allowed",
        where=_NEW,
        why="reports were given, and nothing holds what they say of new vulnerabilities against a limit",
        fix="state `vulnerabilities: {new: high}` in the policy, or `new: allow`; the report lists them",
        key=policy.key(_NEW),
    )
