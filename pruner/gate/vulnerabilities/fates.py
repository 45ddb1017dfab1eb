"""What became of each finding of one vulnerability in one package."""

from __future__ import annotations

from collections import defaultdict
from typing import TYPE_CHECKING

from pruner.gate.compare.matching import key_aliases
from pruner.gate.compare.remaining import files_remain
from pruner.gate.keys import DISTRIBUTIONS, plain_version
from pruner.gate.types import Change, Fate, VulnerabilityChange
from pruner.gate.versions import order_of
from pruner.gate.vulnerabilities.heirs import heirs
from pruner.gate.vulnerabilities.scanners import same_version

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from pruner.gate.types import Comparison, PackageChange, PackageKey, ScannerReport, SidePackage, Vulnerability

_WORST = ("present", "removed", "unknown", "invisible")


class Judge:
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
        self._heirs = heirs(comparison.before, comparison.after, self.alias)
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
        pairs = self._pairs(old, new)
        changes = [changed(Fate.UNCHANGED, old[one], new[other], _rated(old[one], new[other])) for one, other in pairs]
        for version in sorted(old.keys() - {one for one, _ in pairs}):
            now = _silenced(version, *ignored)
            if now is not None:
                changes.append(changed(Fate.UNCHANGED, old[version], now, "the scanner was told to ignore it"))
            else:
                changes.append(changed(*self.gone(old[version])))
        come = sorted(new.keys() - {other for _, other in pairs})
        return changes + [
            changed(Fate.NEW, None, new[version], self.news(new[version], ignored[0])) for version in come
        ]

    def _pairs(self, old: Mapping[str, Vulnerability], new: Mapping[str, Vulnerability]) -> list[tuple[str, str]]:
        """Versions before and after that are the same finding: one version, and what became of one by the comparison.

        Versions that the sides themselves do not list are paired as they come.
        """
        pairs = [(version, version) for version in sorted(old.keys() & new.keys())]
        gone, come = sorted(old.keys() - new.keys()), sorted(new.keys() - old.keys())
        for version in tuple(gone):
            change = self._change_of(old[version])
            then = change.after.version if change is not None and change.after is not None else None
            kind = old[version].package.type
            found = next((other for other in come if then is not None and same_version(kind, other, then)), None)
            if found is not None:
                pairs.append((version, found))
                gone.remove(version)
                come.remove(found)
        gone = [version for version in gone if not self._lists(1, old[version])]
        come = [version for version in come if not self._lists(1, new[version])]
        return [*pairs, *zip(gone, come, strict=False)]

    def _lists(self, side: int, found: Vulnerability) -> bool:
        return _has(self.sides[side].get(found.package, ()), found.version)

    def news(self, found: Vulnerability, ignored: Mapping[str, Vulnerability]) -> str:
        """What there is to say of a finding that only the second report has; `ignored` is of the first one."""
        if found.version in ignored:
            return "the scanner was told to ignore it before"
        if not self._lists(0, found):
            listed = self._lists(1, found)
            return "the package or its version is new" if listed else "neither side lists the package in this version"
        return "the same version was there before" + ("" if self.one_database else ", and the databases differ")

    def heir(self, package: PackageKey) -> PackageKey | None:
        """The package that now has the files of one whose entry is gone, none of them being hidden by that."""
        changes = self.differing.get(package, {}).values()
        gone = all(change.change is Change.REMOVED and change.visibility == "removed" for change in changes)
        return self._heirs(package) if changes and gone else None

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
        if not self._lists(0, found):
            return "the side before does not list the package in this version"
        return "what lists the packages states its version on one side alone, or in two ways"

    def _removed(self, found: Vulnerability) -> tuple[Fate, str]:
        """The fate of a finding whose package has no entry any more."""
        change = self._change_of(found)
        if change is None:
            return Fate.UNKNOWN, self._untold(found)
        if change.visibility == "removed":
            heir = self.heir(found.package)
            if heir is not None:
                return self._taken_over(found, heir)
            return Fate.REMOVED, "the package's entry, code and data are gone"
        return _hidden(change)

    def _taken_over(self, found: Vulnerability, heir: PackageKey) -> tuple[Fate, str]:
        """The fate of a finding whose package is gone while another has its files and is not reported for it."""
        version = self.sides[1][heir][-1].version
        order = order_of(found.package.type, found.version, version)
        detail = f"{heir.name} {version} has its files now"
        if order is None or order == 0:
            return Fate.UNKNOWN, f"{detail}, and which of the two is newer is not known"
        return (Fate.UPGRADED if order < 0 else Fate.DOWNGRADED), detail

    def _change_of(self, found: Vulnerability) -> PackageChange | None:
        """What became of the version that was found; where that is not listed, the worst of the package's versions."""
        changes = self.differing.get(found.package, {})
        for version, change in changes.items():
            if same_version(found.package.type, version, found.version):
                return change
        if self._lists(0, found):
            return None  # the very version did not change
        return max(changes.values(), key=lambda change: _WORST.index(change.visibility), default=None)


def _hidden(change: PackageChange) -> tuple[Fate, str]:
    """The fate of a finding whose package lost its entry, or has another version's, while its files may remain."""
    if change.is_moved and change.before is not None and change.after is not None:
        versions = f"from {change.before.version} to {change.after.version}"
        return Fate.UNKNOWN, f"the entry's version moved {versions}, and none of the package's files changed"
    gone = change.change is Change.REMOVED
    entry = "the package's entry is gone" if gone else "the package's entry is of another version"
    if change.visibility == "invisible":
        return Fate.UNSEEN, f"{entry}, {files_remain(len(change.remaining))}"
    return Fate.UNKNOWN, f"{entry}, and whether its files remain is not known"


def _silenced(
    version: str, before: Mapping[str, Vulnerability], after: Mapping[str, Vulnerability]
) -> Vulnerability | None:
    """What the scanner is now silent about in place of `version`: the same one, else one that has come."""
    if version in after:
        return after[version]
    return next((found for other, found in sorted(after.items()) if other not in before), None)


def _rated(before: Vulnerability, after: Vulnerability) -> str:
    return "" if before.severity == after.severity else f"rated {after.severity} now"


def _has(packages: Iterable[SidePackage], version: str) -> bool:
    return any(same_version(item.key.type, item.version, version) for item in packages)


def _plain(package: SidePackage) -> str:
    return plain_version(package.key.type, package.version)


def changed(fate: Fate, before: Vulnerability | None, after: Vulnerability | None, detail: str) -> VulnerabilityChange:
    """The change, shown as the first report has it, else the second."""
    shown = after if after is not None and before is None else before
    assert shown is not None  # noqa: S101 -- one of the two is given
    return VulnerabilityChange(fate=fate, vulnerability=shown, before=before, after=after, detail=detail)
