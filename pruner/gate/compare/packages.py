"""What became of every package, and whether a scanner can still see what is left of it.

Three states that a scanner of databases can't tell apart: `removed` (entry and files gone), `present`, and `invisible`
(the entry is gone and files remain: whatever is wrong with them is found no more).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from pruner.errors import printable
from pruner.gate.compare.files import Listing, same_content
from pruner.gate.compare.matching import Match, matched
from pruner.gate.compare.remaining import Remains
from pruner.gate.keys import DISTRIBUTIONS
from pruner.gate.phrases import few_of
from pruner.gate.types import Change, PackageChange, SideKind
from pruner.gate.versions import order_of
from pruner.model import FileType

if TYPE_CHECKING:
    from collections.abc import Sequence

    from pruner.gate.types import Side, SideFile, SidePackage

_MOST_NAMES = 8


@dataclass(frozen=True, slots=True, kw_only=True)
class PackageChanges:
    """Changes in the order of keys, and what the reader must know about them."""

    changes: tuple[PackageChange, ...]
    notes: tuple[str, ...]


def package_changes(before: Side, after: Side) -> PackageChanges:
    """Every package that differs."""
    found: list[PackageChange] = []
    unlike: list[str] = []
    foreign: dict[str, int] = {}
    remains = Remains(before, after)
    for match in matched(before, after):
        package = match.before or match.after
        if package is None:
            continue
        if not _both_tell(before, after, package):
            foreign[package.key.type] = foreign.get(package.key.type, 0) + 1
            continue
        change = _change(before, after, match, remains)
        if change is None:
            continue
        if change.change is not Change.RESLICED and _is_the_tools(before, after, match):
            unlike.append(f"{package.key.type}:{package.key.name}")
            continue
        found.append(change)
    return PackageChanges(changes=tuple(found), notes=(*_foreign_note(foreign), *_unlike_note(before, after, unlike)))


def _both_tell(before: Side, after: Side, package: SidePackage) -> bool:
    return all(side.package_types is None or package.key.type in side.package_types for side in (before, after))


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
        return _made(match, kind, "unknown" if _untouched(before, after, older, newer) else "present")
    apart = not set(older.evidence) & set(newer.evidence)
    remaining = remains.of(older) if apart else None
    return _made(match, kind, "invisible" if remaining else "present", remaining or ())


def _untouched(before: Side, after: Side, older: SidePackage, newer: SidePackage) -> bool:
    """Whether both versions have the same regular files with the same content, so that only the entry says otherwise.

    False where nothing states the content of a file.
    """
    if before.files is None or after.files is None:
        return False
    regular = [
        {path for path in package.files if files[path].type is FileType.REGULAR}
        for package, files in ((older, before.files), (newer, after.files))
    ]
    if not regular[0] or regular[0] != regular[1]:
        return False
    return all(_is_stated(one := before.files[path], other := after.files[path]) and same_content(one, other)
               for path in regular[0])  # fmt: skip


def _is_stated(one: SideFile, other: SideFile) -> bool:
    """Whether both sides say something of the content that can be compared."""
    if one.digest is not None and other.digest is not None:
        return one.digest.partition(":")[0] == other.digest.partition(":")[0]
    return False


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
    return _lacks_any(after, before, older) or _lacks_any(before, after, newer)


def _lacks_any(side: Side, other: Side, package: SidePackage) -> bool:
    """Whether `side` lacks a regular file of `package`, which is of `other`, and would list it if it were there."""
    there, files, listing = side.files or {}, other.files or {}, Listing(side)
    missing = (files[path] for path in package.files if path not in there)
    return any(file.type is FileType.REGULAR and listing.would_have(file) for file in missing)


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
            if package.key.type in DISTRIBUTIONS and not _is_stated(one, other):
                return False
    return True


def _foreign_note(foreign: dict[str, int]) -> tuple[str, ...]:
    if not foreign:
        return ()
    counted = ", ".join(f"{number} {kind}" for kind, number in sorted(foreign.items()))
    return (f"packages that only one side can tell are not compared: {counted}",)


def _unlike_note(before: Side, after: Side, unlike: list[str]) -> tuple[str, ...]:
    if not unlike:
        return ()
    tools = " and ".join(_looker(side) for side in (before, after))
    return (f"{tools} see the same unchanged files differently: {few_of(sorted(set(unlike)), most=_MOST_NAMES)}",)


def _looker(side: Side) -> str:
    if side.kind is not SideKind.SBOM:
        return f"the {side.kind}"
    return printable(side.origin.get("tool", "")) or "an unnamed tool"
