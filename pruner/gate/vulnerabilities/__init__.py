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
from pruner.gate.compare.matching import key_aliases
from pruner.gate.keys import DISTRIBUTIONS, plain_version
from pruner.gate.types import Change, Comparison, Fate, VulnerabilityChange
from pruner.gate.vulnerabilities.aliases import united_names
from pruner.gate.vulnerabilities.scanners import report_notes, same_version, side_key, side_keys
from pruner.read.reported import SEVERITIES

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from pruner.gate.types import PackageChange, PackageKey, ScannerReport, Side, SidePackage, Vulnerability

_WORST = ("present", "removed", "unknown", "invisible")
_Found = dict[tuple[str, "PackageKey"], dict[str, "Vulnerability"]]
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
    return replace(comparison, vulnerabilities=changes, notes=tuple(dict.fromkeys(notes)))


def _scanner_notes(before: ScannerReport, after: ScannerReport) -> list[str]:
    notes = []
    if before.version != after.version:
        notes.append(
            f"the reports are of two versions of {printable(before.scanner)}: {printable(before.version or 'unknown')} "
            f"and {printable(after.version or 'unknown')}"
        )
    if not before.database or not after.database:
        notes.append(f"{printable(before.scanner)} does not say which vulnerability database it used")
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
    judge = _Judge(comparison, before, after)
    old = _grouped(before.vulnerabilities, names, comparison.before)
    new = _grouped(after.vulnerabilities, names, comparison.after, judge.alias)
    was_silent = _grouped(before.ignored, names, comparison.before)
    silent = _grouped(after.ignored, names, comparison.after, judge.alias)
    changes: list[VulnerabilityChange] = []
    for place in sorted(old.keys() | new.keys()):
        ignored = (was_silent.get(place, {}), silent.get(place, {}))
        changes += judge.changes(old.get(place, {}), new.get(place, {}), ignored)
    return tuple(sorted(changes, key=_order))


def _order(change: VulnerabilityChange) -> tuple[int, int, str, PackageKey, str]:
    worst = -SEVERITIES.index(change.vulnerability.severity)
    found = change.vulnerability
    return (list(Fate).index(change.fate), worst, found.id, found.package, found.version)


class _Judge:
    """Says what became of the findings of one vulnerability in one package."""

    def __init__(self, comparison: Comparison, before: ScannerReport, after: ScannerReport) -> None:
        self.alias = key_aliases(comparison.before.packages, comparison.after.packages)
        """Keys after by their keys before, where the two sides spell them differently."""
        later = {self.alias.get(key, key): packages for key, packages in comparison.after.packages.items()}
        self.sides = (comparison.before.packages, later)
        self.types = (comparison.before.package_types, comparison.after.package_types)
        self.differing: dict[PackageKey, dict[str, PackageChange]] = defaultdict(dict)
        """By package and plain version before: several versions of one may differ, each in its own way."""
        for change in comparison.packages:
            if change.before is not None:
                self.differing[change.key][_plain(change.before)] = change
        self.blind = not after.sees_system
        self.one_database = bool(before.database) and before.database == after.database

    def changes(
        self,
        old: Mapping[str, Vulnerability],
        new: Mapping[str, Vulnerability],
        ignored: tuple[Mapping[str, Vulnerability], Mapping[str, Vulnerability]],
    ) -> list[VulnerabilityChange]:
        """Findings by version, paired: one version that both sides have, else one that took the other's place.

        `ignored` is what the scanner was told to be silent about, on either side.
        """
        pairs = [(version, version) for version in sorted(old.keys() & new.keys())]
        gone, come = sorted(old.keys() - new.keys()), sorted(new.keys() - old.keys())
        pairs += list(zip(gone, come, strict=False))
        changes = [_change(Fate.UNCHANGED, old[one], new[other], "") for one, other in pairs]
        for version in gone[len(come) :]:
            now = _silenced(version, *ignored)
            if now is not None:
                changes.append(_change(Fate.UNCHANGED, old[version], now, "the scanner was told to ignore it"))
            else:
                changes.append(_change(*self.gone(old[version])))
        changes += [
            _change(Fate.NEW, None, new[version], self.news(new[version], ignored[0])) for version in come[len(gone) :]
        ]
        return changes

    def news(self, found: Vulnerability, ignored: Mapping[str, Vulnerability]) -> str:
        """What there is to say of a finding that only the second report has; `ignored` is of the first one."""
        if found.version in ignored:
            return "the scanner was told to ignore it before"
        if not _has(self.sides[0].get(found.package, ()), found.version):
            return "the package or its version is new"
        return "the same version was there before" + ("" if self.one_database else ", and the databases differ")

    def gone(self, found: Vulnerability) -> tuple[Fate, Vulnerability, None, str]:
        """What became of a finding that only the first report has."""
        fate, detail = self._gone(found)
        return fate, found, None, detail

    def _gone(self, found: Vulnerability) -> tuple[Fate, str]:
        there = self.sides[1].get(found.package, ())
        if not there:
            return self._removed(found)
        if self.blind and found.package.type in DISTRIBUTIONS:
            return Fate.UNSEEN, "the package is there, but the scanner no longer recognises the distribution"
        if _has(there, found.version):
            if self.one_database:
                return Fate.UNSEEN, "the same version is there, and the scanner no longer finds it"
            return Fate.DATABASE, "the same version is there, and the databases differ or are not stated"
        return self._replaced(found, there)

    def _replaced(self, found: Vulnerability, there: tuple[SidePackage, ...]) -> tuple[Fate, str]:
        """The fate of a finding whose package is there in another version."""
        change = self._change_of(found)
        if change is None:
            return Fate.UNKNOWN, self._untold(found)
        if change.visibility in {"invisible", "unknown"}:
            return _hidden(change)
        versions = ", ".join(item.version for item in there)
        if change.change is Change.REMOVED:
            return Fate.REMOVED, f"only version {versions} is left"
        if change.change is Change.DOWNGRADED:
            return Fate.DOWNGRADED, f"version {versions} is older"
        return Fate.UPGRADED, f"version {versions} is there"

    def _untold(self, found: Vulnerability) -> str:
        """Why nothing is known of what became of a package of which the comparison says nothing."""
        kind = found.package.type
        for types, which in zip(self.types, ("before", "after"), strict=True):
            if types is not None and kind not in types:
                return f"the side {which} can't tell {kind} packages"
        if found.package not in self.sides[0] and found.package not in self.sides[1]:
            return "the package is listed on neither side"
        if not _has(self.sides[0].get(found.package, ()), found.version):
            return "the side before does not list the package in this version"
        return "what lists the packages states its version on one side alone, or in two ways"

    def _removed(self, found: Vulnerability) -> tuple[Fate, str]:
        """The fate of a finding whose package has no entry any more."""
        change = self._change_of(found)
        if change is None:
            return Fate.UNKNOWN, self._untold(found)
        if change.visibility == "removed":
            return Fate.REMOVED, "the package and all of its files are gone"
        return _hidden(change)

    def _change_of(self, found: Vulnerability) -> PackageChange | None:
        """What became of the version that was found; where that is not listed, the worst of the package's versions."""
        changes = self.differing.get(found.package, {})
        for version, change in changes.items():
            if same_version(found.package.type, version, found.version):
                return change
        if _has(self.sides[0].get(found.package, ()), found.version):
            return None  # the very version did not change
        return max(changes.values(), key=lambda change: _WORST.index(change.visibility), default=None)


def _hidden(change: PackageChange) -> tuple[Fate, str]:
    """The fate of a finding whose package lost its entry, or has another version's, while its files may remain."""
    gone = change.change is Change.REMOVED
    entry = "the package's entry is gone" if gone else "the package's entry is of another version"
    if change.visibility == "invisible":
        number = len(change.remaining)
        return Fate.UNSEEN, f"{entry}, {number} of its files {'remains' if number == 1 else 'remain'}"
    return Fate.UNKNOWN, f"{entry}, and {'whether its files remain is not known' if gone else 'no file changed'}"


def _silenced(
    version: str, before: Mapping[str, Vulnerability], after: Mapping[str, Vulnerability]
) -> Vulnerability | None:
    """What the scanner is now silent about in place of `version`: the same one, else one that has come."""
    if version in after:
        return after[version]
    return next((found for other, found in sorted(after.items()) if other not in before), None)


def _has(packages: Iterable[SidePackage], version: str) -> bool:
    return any(same_version(item.key.type, item.version, version) for item in packages)


def _plain(package: SidePackage) -> str:
    return plain_version(package.key.type, package.version)


def _change(fate: Fate, before: Vulnerability | None, after: Vulnerability | None, detail: str) -> VulnerabilityChange:
    shown = after if after is not None and before is None else before
    assert shown is not None  # noqa: S101 -- one of the two is given
    return VulnerabilityChange(fate=fate, vulnerability=shown, before=before, after=after, detail=detail)


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
