"""What became of every package, and whether a scanner can still see what is left of it.

Three states that a scanner of databases can't tell apart: `removed` (entry and files gone), `present`, and `invisible`
(the entry is gone and files remain: whatever is wrong with them is found no more).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from pruner.gate.compare.files import Listing, same_content
from pruner.gate.compare.matching import Match, matched
from pruner.gate.compare.remaining import Remains
from pruner.gate.compare.tools import Discounted, is_stated
from pruner.gate.keys import DISTRIBUTIONS
from pruner.gate.types import Change, PackageChange
from pruner.gate.versions import order_of
from pruner.model import FileType

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from pruner.gate.types import Side, SideFile, SidePackage


@dataclass(frozen=True, slots=True, kw_only=True)
class PackageChanges:
    """Changes in the order of keys, and what the reader must know about them."""

    changes: tuple[PackageChange, ...]
    notes: tuple[str, ...]


def package_changes(before: Side, after: Side) -> PackageChanges:
    """Every package that differs."""
    found: list[PackageChange] = []
    discounted = Discounted(before, after)
    remains = Remains(before, after)
    for match in matched(before, after):
        package = match.before or match.after
        if package is None or discounted.takes(package):
            continue
        change = _change(before, after, match, remains)
        if change is not None and not discounted.takes_change(change, match):
            found.append(change)
    return PackageChanges(changes=tuple(found), notes=tuple(discounted.notes()))


def _change(before: Side, after: Side, match: Match, remains: Remains) -> PackageChange | None:
    older, newer = match
    if older is None or newer is None:
        return (
            _made(match, Change.ADDED, "present") if older is None else _removed(before, after, match, older, remains)
        )
    if older.version != newer.version:
        order = order_of(older.key.type, older.version, newer.version) if older.version and newer.version else 0
        if order == 0:
            return None  # one of the two does not say, or two spellings of one version
        kind = Change.CHANGED if order is None else Change.UPGRADED if order < 0 else Change.DOWNGRADED
        return _replaced(before, after, match, kind, remains)
    if _parts_differ(before, after, older, newer):
        return _made(match, Change.RESLICED, "present")
    return None


def _replaced(before: Side, after: Side, match: Match, kind: Change, remains: Remains) -> PackageChange:
    """The change of a version, with what is left of the older one elsewhere, and whether its files changed at all."""
    older, newer = match
    assert older is not None  # noqa: S101 -- a version that changed has two packages
    assert newer is not None  # noqa: S101
    if older.key.type in DISTRIBUTIONS:
        return _made(match, kind, "unknown" if _untouched(before, after, newer) else "present")
    apart = not set(older.evidence) & set(newer.evidence)
    remaining = remains.of(older) if apart else None
    return _made(match, kind, "invisible" if remaining else "present", remaining or ())


def _untouched(before: Side, after: Side, newer: SidePackage) -> bool:
    """Whether all that is left of the package is as it was before, so that only its entry says otherwise.

    Files that went with the version say nothing of those that stayed. False where nothing states the content of a file.
    """
    if before.files is None or after.files is None:
        return False
    there = [file for path in newer.files if (file := after.files[path]).type is FileType.REGULAR and file.bytes != 0]
    return bool(there) and all(
        (was := before.files.get(file.path)) is not None and is_stated(was, file) and same_content(was, file)
        for file in there
    )


def _removed(before: Side, after: Side, match: Match, package: SidePackage, remains: Remains) -> PackageChange:
    remaining = remains.of(package)
    if remaining:
        return _made(match, Change.REMOVED, "invisible", remaining)
    # Where the manifest alone was known, nothing tells what became of the code.
    told = remaining is not None and remains.code.is_known(package) and _tells_absence(before, after, package)
    return _made(match, Change.REMOVED, "removed" if told else "unknown")


def _made(match: Match, change: Change, visibility: str, remaining: Sequence[str] = ()) -> PackageChange:
    package = match.before or match.after
    assert package is not None  # noqa: S101 -- a match has one of the two
    return PackageChange(
        key=package.key,
        change=change,
        before=match.before,
        after=match.after,
        visibility=visibility,
        remaining=tuple(remaining),
    )


def _tells_absence(before: Side, after: Side, package: SidePackage) -> bool:
    """Whether `after` would list files of the package that remain unowned, so that not to see any means something."""
    if not package.files and not any(other.files for versions in before.packages.values() for other in versions):
        return False  # before does not say what any package holds
    if after.complete:
        return True
    files = before.files or {}
    return not any(files[path].type is FileType.REGULAR for path in package.files)


def _parts_differ(before: Side, after: Side, older: SidePackage, newer: SidePackage) -> bool:
    """Whether the same version has another set of files: some of its own that went or came.

    A file that is there on both sides and has another owner is no part that was cut off.
    """
    if before.files is None or after.files is None:
        return older.sliced is not None and newer.sliced is not None and older.sliced != newer.sliced
    if not all(package.files or package.states_files for package in (older, newer)):
        return False  # one of the two does not say what a package holds
    if older.files == newer.files:
        return False
    if not _lacks_any(after, before, older) and not _lacks_any(before, after, newer):
        return False
    # Found elsewhere, it may have been moved as a whole.
    moved = older.key.type not in DISTRIBUTIONS and older.evidence != newer.evidence
    return not moved or not (
        _has_all(older, before.files, newer, after.files) and _has_all(newer, after.files, older, before.files)
    )


def _has_all(
    whole: SidePackage, files: Mapping[str, SideFile], part: SidePackage, parts: Mapping[str, SideFile]
) -> bool:
    """Whether every regular file of `part` is in `whole`, by its content or its name, wherever each of them lies.

    What was moved, or is there in one copy more, has the same parts.
    """
    names = {path.rpartition("/")[2] for path in whole.files}
    digests = {files[path].digest for path in whole.files} - {None}
    return all(
        parts[path].digest in digests or path.rpartition("/")[2] in names
        for path in part.files
        if parts[path].type is FileType.REGULAR
    )


def _lacks_any(side: Side, other: Side, package: SidePackage) -> bool:
    """Whether `side` lacks a regular file of `package`, which is of `other`, and would list it if it were there."""
    there, files, listing = side.files or {}, other.files or {}, Listing(side)
    missing = (files[path] for path in package.files if path not in there)
    return any(file.type is FileType.REGULAR and listing.would_have(file) for file in missing)
