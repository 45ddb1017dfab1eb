"""What became of vulnerabilities between two scanner reports.

Scanners number one vulnerability differently (CVE, GHSA, DSA), so names are united first. And a finding that is no
longer reported is not a fix by that alone: the package may have become invisible to the scanner, the scanner's database
may be another one, or somebody may have told it to be silent.
"""

from __future__ import annotations

from collections import defaultdict
from dataclasses import replace
from typing import TYPE_CHECKING

from pruner.errors import InputError, printable
from pruner.gate.types import Comparison, Fate
from pruner.gate.vulnerabilities.aliases import united_names
from pruner.gate.vulnerabilities.fates import Judge, changed
from pruner.gate.vulnerabilities.scanners import is_blind, report_notes, side_key, side_keys
from pruner.read.reported import SEVERITIES

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from pruner.gate.types import PackageKey, ScannerReport, Side, Vulnerability, VulnerabilityChange

_Place = tuple[str, "PackageKey"]
_Found = dict[_Place, dict[str, "Vulnerability"]]
"""By name of the vulnerability and package: what is reported, by version."""


def with_vulnerabilities(comparison: Comparison, before: ScannerReport, after: ScannerReport) -> Comparison:
    """`comparison` with what became of each vulnerability, and with notes on what the reports can't tell.

    Raises `InputError` for reports of two different scanners, and for one that is about another image than its side.
    """
    if before.scanner != after.scanner:
        raise InputError(
            f"{after.file}: written by {printable(after.scanner)}, but {before.file} by {printable(before.scanner)}",
            hint="two scanners find different things in one image: scan both sides with the same one",
        )
    notes = [
        *comparison.notes,
        *report_notes(before, comparison.before, "before"),
        *report_notes(after, comparison.after, "after"),
        *_scanner_notes(before, after),
    ]
    changes = compare_reports(comparison, before, after)
    blind = after.file if is_blind(after, comparison.after) else ""
    return replace(comparison, vulnerabilities=changes, blind_report=blind, notes=tuple(dict.fromkeys(notes)))


def _scanner_notes(before: ScannerReport, after: ScannerReport) -> list[str]:
    notes = []
    if before.version != after.version:
        notes.append(
            f"the reports are of two versions of {printable(before.scanner)}: {printable(before.version or 'unknown')} "
            f"and {printable(after.version or 'unknown')}"
        )
    silent = [report.file for report in (before, after) if not report.database]
    if silent:
        files = " and ".join(dict.fromkeys(silent))
        notes.append(f"{files}: {printable(before.scanner)} does not say there which vulnerability database it used")
    elif before.database != after.database:
        notes.append(
            f"the vulnerability databases differ: {printable(before.database)} and {printable(after.database)}"
        )
    return notes


def compare_reports(
    comparison: Comparison, before: ScannerReport, after: ScannerReport
) -> tuple[VulnerabilityChange, ...]:
    """What became of each vulnerability of each package; worst first within each fate, then by name."""
    names = united_names((*before.vulnerabilities, *after.vulnerabilities, *before.ignored, *after.ignored))
    judge = Judge(comparison, before, after)
    old = _grouped(before.vulnerabilities, names, comparison.before)
    new = _grouped(after.vulnerabilities, names, comparison.after, judge.alias)
    was_silent = _grouped(before.ignored, names, comparison.before)
    silent = _grouped(after.ignored, names, comparison.after, judge.alias)
    changes: list[VulnerabilityChange] = []
    inherited = _inherited(old, new, judge)
    for place, heir in sorted(inherited.items()):
        now = new[heir][min(new[heir])]
        detail = f"{now.package.name} {now.version} has its files now, and is reported for it"
        changes += [changed(Fate.UNCHANGED, found, now, detail) for _, found in sorted(old.pop(place).items())]
    for heir in {*inherited.values()} - old.keys():
        del new[heir]
    for place in sorted(old.keys() | new.keys()):
        ignored = (was_silent.get(place, {}), silent.get(place, {}))
        changes += judge.changes(old.get(place, {}), new.get(place, {}), ignored)
    return tuple(sorted(changes, key=_order))


def _inherited(old: _Found, new: _Found, judge: Judge) -> dict[_Place, _Place]:
    """Findings of packages that are gone by those, of the same vulnerability, of the packages that have their files."""
    found: dict[_Place, _Place] = {}
    for name, package in old:
        heir = judge.heir(package)
        if heir is not None and (name, heir) in new and (name, package) not in new:
            found[name, package] = (name, heir)
    return found


def _order(change: VulnerabilityChange) -> tuple[int, int, str, PackageKey, str]:
    worst = -SEVERITIES.index(change.vulnerability.severity)
    found = change.vulnerability
    return (list(Fate).index(change.fate), worst, found.id, found.package, found.version)


def _grouped(
    found: Iterable[Vulnerability],
    names: Mapping[str, tuple[str, ...]],
    side: Side,
    alias: Mapping[PackageKey, PackageKey] | None = None,
) -> _Found:
    """`found` under the united names and the side's own package keys; twins are merged, the worst severity wins.

    `alias` leads from the side's keys to those of the other one.
    """
    keys = side_keys(side)
    groups: _Found = defaultdict(dict)
    for item in found:
        package = side_key(item.package, keys) or item.package
        package = alias.get(package, package) if alias is not None else package
        for name in names[item.id]:
            aliases = {item.id, *item.aliases} - {name}
            named = replace(item, id=name, aliases=tuple(sorted(aliases)), package=package)
            have = groups[name, package].get(item.version)
            groups[name, package][item.version] = named if have is None else _merged(have, named)
    return groups


def _merged(one: Vulnerability, other: Vulnerability) -> Vulnerability:
    return replace(
        one,
        aliases=tuple(sorted({*one.aliases, *other.aliases})),
        severity=max(one.severity, other.severity, key=SEVERITIES.index),
        fixed_in=tuple(dict.fromkeys((*one.fixed_in, *other.fixed_in))),
        paths=tuple(sorted({*one.paths, *other.paths})),
    )


def united(report: ScannerReport, side: Side) -> tuple[Vulnerability, ...]:
    """What `report` says of `side`, each vulnerability of a package and version once under its united name, sorted."""
    groups = _grouped(report.vulnerabilities, united_names((*report.vulnerabilities, *report.ignored)), side)
    return tuple(item for place in sorted(groups) for _, item in sorted(groups[place].items()))
