"""Vulnerabilities, visibility and conformity against the policy."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pruner.errors import printable
from pruner.gate.categories import FULL_LISTING
from pruner.gate.compare.conformity import UNPLANNED
from pruner.gate.compare.remaining import files_remain
from pruner.gate.evaluate.scans import blind_scan, no_reports, unsaid_new
from pruner.gate.phrases import few_of
from pruner.gate.policy.types import Finding, Level
from pruner.gate.types import Change, Comparison, Fate, PackageChange, SidePackage, VulnerabilityChange
from pruner.read.reported import SEVERITIES

if TYPE_CHECKING:
    from collections.abc import Iterator

    from pruner.gate.policy.types import Policy

_DOUBTFUL = frozenset({Fate.UNKNOWN, Fate.DOWNGRADED})


def vulnerability_findings(comparison: Comparison, policy: Policy) -> list[Finding]:
    """New vulnerabilities, and those that are gone from the report alone."""
    if comparison.vulnerabilities is None:
        return list(no_reports(policy))
    found = [*blind_scan(comparison, policy), *unsaid_new(comparison, policy)]
    for change in comparison.vulnerabilities:
        if change.fate is Fate.NEW:
            found += _new(change, comparison, policy)
        elif change.fate in {Fate.UNSEEN, Fate.DATABASE} or change.fate in _DOUBTFUL:
            found += _unseen(change, comparison, policy)
    return found


def _new(change: VulnerabilityChange, comparison: Comparison, policy: Policy) -> list[Finding]:
    found = change.vulnerability
    rated = found.severity != "unknown"
    if rated:
        level = None if policy.new is None or _milder(found.severity, policy.new) else Level.FAIL
    else:
        level = policy.unrated if policy.new is not None or policy.states("vulnerabilities.unrated") else None
    if level is None:
        return []
    key = "vulnerabilities.new" if rated else "vulnerabilities.unrated"
    fixed = ", ".join(printable(version) for version in found.fixed_in)
    return [
        Finding(
            rule=key,
            level=level,
            what=f"{printable(found.id)} ({found.severity}) is new in {_package(change)}: {change.detail}",
            where=_purl(change, comparison),
            why=f"the policy allows no new vulnerability of severity {policy.new} or above"
            if rated
            else "nobody has rated it, so it can't be held against the policy's severity",
            fix=f"upgrade to {fixed}" if fixed else "no fixed version is known: leave the package out, or waive it",
            key=policy.key(key),
            subject=printable(found.id),
            rank=-SEVERITIES.index(found.severity),
            aliases=found.aliases,
        )
    ]


def _milder(severity: str, limit: str) -> bool:
    return SEVERITIES.index(severity) < SEVERITIES.index(limit)


def _unseen(change: VulnerabilityChange, comparison: Comparison, policy: Policy) -> list[Finding]:
    level = policy.unseen if change.fate is Fate.UNSEEN else policy.unseen and Level.WARN
    key = "vulnerabilities.unseen"
    if change.fate is Fate.DATABASE:
        level, key = policy.database, "vulnerabilities.database"
    if level is None:
        return []
    fixes = {
        Fate.UNSEEN: "keep the package's entry, or remove its files as well",
        Fate.DATABASE: "scan both sides with one vulnerability database, by a scanner that names it",
        Fate.UNKNOWN: _fix_of_unknown(change, comparison),
        Fate.DOWNGRADED: "look whether the older version is really not affected",
    }
    found = change.vulnerability
    return [
        Finding(
            rule=key,
            level=level,
            what=f"{printable(found.id)} ({found.severity}) of {_package(change)} is no longer reported, and not "
            f"fixed: {change.detail}",
            where=_purl(change, comparison),
            why="the same version is no safer because a database no longer lists the vulnerability"
            if change.fate is Fate.DATABASE
            else "a scanner that can't see a package reports nothing about it",
            fix=fixes[change.fate],
            key=policy.key(key),
            subject=printable(found.id),
            rank=-SEVERITIES.index(found.severity),
            aliases=found.aliases,
        )
    ]


def _fix_of_unknown(change: VulnerabilityChange, comparison: Comparison) -> str:
    moved = {other.key for other in comparison.packages if other.is_moved}
    if change.vulnerability.package in moved:
        return "install the version that the entry states, or give the entry back the version that is there"
    return "give a root filesystem, or an SBOM with the files of packages"


def _package(change: VulnerabilityChange) -> str:
    return printable(f"{change.vulnerability.package.name} {change.vulnerability.version}")


def _purl(change: VulnerabilityChange, comparison: Comparison) -> str:
    """The package's purl on the side that has it, in the version that was reported."""
    found = change.vulnerability
    sides = (comparison.after, comparison.before) if change.fate is Fate.NEW else (comparison.before, comparison.after)
    packages = [item for side in sides for item in side.packages.get(found.package, ())]
    exact = [item for item in packages if item.version == found.version]
    if exact or packages:
        return printable((exact or packages)[0].purl)
    return printable(f"pkg:{found.package.type}/{found.package.name}@{found.version}")


def visibility_findings(comparison: Comparison, policy: Policy) -> list[Finding]:
    """Packages that scanners no longer see although their files are there."""
    found = [
        _invisible(change, change.before, policy.visibility, policy)
        for change in comparison.packages
        if policy.visibility is not None and change.visibility == "invisible" and change.before is not None
    ]
    unknown = [change for change in comparison.packages if change.visibility == "unknown"]
    if policy.untold is not None:
        found += [_moved(change, policy.untold, policy) for change in unknown if change.is_moved]
        gone = sum(not change.is_moved for change in unknown)
        if gone:
            found.append(_untold(gone, policy.untold, comparison, policy))
    return found


def _invisible(change: PackageChange, package: SidePackage, level: Level, policy: Policy) -> Finding:
    return Finding(
        rule="visibility",
        level=level,
        what=f"the entry of {printable(change.key.name)} {printable(package.version)} is gone, "
        f"{files_remain(len(change.remaining))}: {few_of(change.remaining)}",
        where=printable(package.purl),
        why="scanners know packages by their entries: its vulnerabilities are there and no longer reported",
        fix="keep the package's entry in the database, or remove the rest of its files",
        key=policy.key("visibility.invisible" if policy.states("visibility.invisible") else "visibility"),
    )


def _moved(change: PackageChange, level: Level, policy: Policy) -> Finding:
    """An entry whose version moved while none of the package's files changed."""
    assert change.before is not None  # noqa: S101 -- a version that moved has two packages
    assert change.after is not None  # noqa: S101
    name, older, newer = (printable(text) for text in (change.key.name, change.before.version, change.after.version))
    return Finding(
        rule="visibility",
        level=level,
        what=f"the version of {name} moved from {older} to {newer} while none of its files changed: which one is there "
        "can't be told",
        where=printable(change.after.purl),
        why="scanners go by the entry's version: what is wrong with the files may be there and no longer reported",
        fix=f"install {newer}, or give the entry its version {older} back; if {newer} changed none of these files, "
        "waive it with that reason",
        key=policy.key("visibility.unknown" if policy.states("visibility.unknown") else "visibility"),
        unknown=True,
    )


def _untold(number: int, level: Level, comparison: Comparison, policy: Policy) -> Finding:
    packages = "one package" if number == 1 else f"{number} packages"
    return Finding(
        rule="visibility",
        level=level,
        what=f"whether files of {packages} whose entry is gone remain can't be told",
        where=printable(comparison.after.name),
        why="a package whose entry is gone while its files remain is invisible to scanners",
        fix=FULL_LISTING,
        key=policy.key("visibility.unknown" if policy.states("visibility.unknown") else "visibility"),
        unknown=True,
    )


def _unlooked(what: str, fix: str, level: Level, policy: Policy) -> Finding:
    return Finding(
        rule="conformity",
        level=level,
        what=what,
        where="conformity",
        why="the policy wants the image to be what its plan says, and nobody looked"
        if policy.states("conformity")
        else "by default, since a plan is given, the image is to be what that says, and nobody looked",
        fix=fix,
        key=policy.key("conformity"),
        unknown=True,
    )


def _partly_looked(comparison: Comparison, policy: Policy, level: Level) -> Iterator[Finding]:
    """What a side that does not list every file leaves open: a failure only where the policy asks for conformity."""
    side = comparison.after
    if side.files is not None and side.complete:
        return
    what = (
        "only packages were held against the plan"
        if side.files is None
        else "files of no package were not held against the plan"
    )
    yield _unlooked(
        f"{printable(side.name)} does not list every file: {what}",
        FULL_LISTING,
        level if policy.states("conformity") else Level.WARN,
        policy,
    )


def conformity_findings(comparison: Comparison, policy: Policy) -> list[Finding]:
    """What is there although the plan dropped it, what is missing although it keeps it, and what can't be told."""
    level = policy.conformity
    if level is None:
        return []
    if comparison.conformity is None:
        fix = "give the plan's directory with --plan"
        return [_unlooked("no plan was given", fix, level, policy)] if policy.states("conformity") else []
    texts = {
        Change.ADDED: ("is there though the plan dropped it", "what the plan counts on being gone is not"),
        Change.REMOVED: ("is missing though the plan keeps it", "what it is kept for does not work without it"),
    }
    other = ("is not as the plan has it", "the image was not built as planned")
    found = list(_partly_looked(comparison, policy, level))
    for change in comparison.conformity:
        what, why = texts.get(change.change, other)
        if UNPLANNED in change.what:
            what, why = "is there and the plan does not know it", "it came in after the plan was made, or beside it"
        found.append(
            Finding(
                rule="conformity",
                level=level,
                what=f"{printable(change.path)} {what}",
                where=printable(change.path),
                why=why,
                fix="build the image from this plan, or plan again from what it is built of",
                key=policy.key("conformity"),
            )
        )
    return found
