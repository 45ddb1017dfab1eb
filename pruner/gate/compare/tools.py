"""What comes of the tools that looked and not of what they looked at: one sees, or lists, what another does not."""

from __future__ import annotations

from collections import defaultdict
from typing import TYPE_CHECKING

from pruner.errors import printable
from pruner.gate.compare.files import same_content
from pruner.gate.keys import DISTRIBUTIONS
from pruner.gate.phrases import few_of
from pruner.gate.types import Change, SideKind

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from pruner.gate.compare.matching import Match
    from pruner.gate.types import PackageChange, Side, SideFile, SidePackage

_MOST_NAMES = 8


class Discounted:
    """Differences that are none of the two things compared, for the notes."""

    def __init__(self, before: Side, after: Side) -> None:
        self._before = before
        self._after = after
        self._foreign: defaultdict[str, int] = defaultdict(int)
        self._untold: defaultdict[str, int] = defaultdict(int)
        self._hidden: list[str] = []
        self._unlike: list[str] = []

    def takes(self, package: SidePackage) -> bool:
        """Whether one of the sides can't tell of such a package at all."""
        if _both_tell(self._before, self._after, package):
            return False
        self._foreign[package.key.type] += 1
        return True

    def takes_change(self, change: PackageChange, match: Match) -> bool:
        """Whether the change comes of the tools."""
        before, after, key = self._before, self._after, change.key
        name = f"{key.type}:{key.name}"
        if change.change is Change.ADDED and change.after is not None:
            if not _looks_for(before, after, change.after):
                self._untold[key.type] += 1
                return True
            if _was_accounted_for(before, after, change.after):
                self._hidden.append(name)
                return True
        if change.change is not Change.RESLICED and _is_the_tools(before, after, match):
            self._unlike.append(name)
            return True
        return False

    def notes(self) -> Iterator[str]:
        """One lowercase sentence each."""
        if self._foreign:
            yield f"packages that only one side can tell are not compared: {_counted(self._foreign)}"
        if self._untold:
            yield (
                f"{_looker(self._before)} lists no packages of these types, and may not look for them; not called new: "
                f"{_counted(self._untold)}"
            )
        if self._hidden:
            yield (
                "unchanged files that another package accounted for before are packages of their own now: "
                f"{_names(self._hidden)}"
            )
        if self._unlike:
            tools = " and ".join(_looker(side) for side in (self._before, self._after))
            yield f"{tools} see the same unchanged files differently: {_names(self._unlike)}"


def _counted(found: dict[str, int]) -> str:
    return ", ".join(f"{number} {kind}" for kind, number in sorted(found.items()))


def _names(found: Iterable[str]) -> str:
    return few_of(sorted(set(found)), most=_MOST_NAMES)


def _looker(side: Side) -> str:
    if side.kind is not SideKind.SBOM:
        return f"the {side.kind}"
    return printable(side.origin.get("tool", "")) or "an unnamed tool"


def _both_tell(before: Side, after: Side, package: SidePackage) -> bool:
    return all(side.package_types is None or package.key.type in side.package_types for side in (before, after))


def _looks_for(before: Side, after: Side, package: SidePackage) -> bool:
    """Whether `before` would list `package`, of a language, if it had been there.

    A document without files that another tool wrote may be of one ecosystem alone (cyclonedx-py, `npm sbom`).
    """
    one, other = (side.origin.get("tool", "").partition(" ")[0] for side in (before, after))
    if before.files is not None or package.key.type in DISTRIBUTIONS or not one or not other or one == other:
        return True
    return any(key.type == package.key.type for key in before.packages)


def _was_accounted_for(before: Side, after: Side, package: SidePackage) -> bool:
    """Whether all that `package` was found in was there unchanged as a file of a distribution's package.

    Scanners leave out what an entry of a database accounts for: a binary shows up as soon as that entry is gone.
    """
    older, newer = before.files or {}, after.files or {}
    if package.key.type in DISTRIBUTIONS or not package.evidence:
        return False
    for path in package.evidence:
        one, other = older.get(path), newer.get(path)
        if one is None or other is None or one.owner is None or one.owner.type not in DISTRIBUTIONS:
            return False
        if not is_stated(one, other) or not same_content(one, other):
            return False
    return True


def _is_the_tools(before: Side, after: Side, match: Match) -> bool:
    """Whether two scanners differ, and not the images: what the package was found in is there unchanged.

    A jar, a binary, a METADATA file; or the database itself, whose every byte is the same: an entry that one of two
    scanners does not find there is not gone (Syft 0.76 does not look into /usr/lib/sysimage/rpm).
    """
    if before.files is None or after.files is None or before.origin.get("tool") == after.origin.get("tool"):
        return False
    for package in match:
        if package is None:
            continue
        evidence = [path for path in package.evidence if path in before.files or path in after.files]
        if not evidence:
            return False
        for path in evidence:
            one, other = before.files.get(path), after.files.get(path)
            if one is None or other is None or not same_content(one, other):
                return False
            if package.key.type in DISTRIBUTIONS and not is_stated(one, other):
                return False
    return True


def is_stated(one: SideFile, other: SideFile) -> bool:
    """Whether both sides say something of the content that can be compared."""
    if one.digest is not None and other.digest is not None:
        return one.digest.partition(":")[0] == other.digest.partition(":")[0]
    return False
