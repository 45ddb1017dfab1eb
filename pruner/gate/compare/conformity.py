"""Whether an image is what a plan says: nothing that it dropped is there, nothing that it keeps is missing."""

from __future__ import annotations

from typing import TYPE_CHECKING

import msgspec

from pruner.bytewise import bytewise
from pruner.gate.compare.files import Listing, differences
from pruner.gate.keys import key_of_plan
from pruner.gate.sides.plan import planned_file
from pruner.gate.types import Change, FileChange, SideFile
from pruner.model import FileType
from pruner.plan.types import Decision
from pruner.read.mismatch import WRITTEN_BY_RUNTIMES

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from pruner.gate.types import PackageKey, Side
    from pruner.model import PackageId
    from pruner.plan.types import FilePlan, Plan

UNPLANNED = "unplanned"
_MOUNTED = ("/dev", "/proc", "/sys", "/run")
"""Where a container runtime mounts (runtime-spec, config-linux.md): what is seen there is not the image's."""


def conformity(after: Side, plan: Plan) -> tuple[FileChange, ...]:
    """Where `after` departs from `plan`, in bytewise order of paths.

    `added` is there though the plan dropped it, or is code that the plan has never heard of (`unplanned`); `removed`
    is missing though the plan keeps or makes it; `changed` differs in type, content, mode, owner or link target, as
    far as both state them. A side without files, or with some of them, is held against the packages; then paths are
    purls.
    """
    packages = tuple(_package_changes(after, plan)) if after.files is None or not after.lists_owned else ()
    if after.files is None:
        return packages
    listing = Listing(after)
    keys = {package.id: key_of_plan(package, plan.distro) for package in plan.packages}
    changes = (_change(after, listing, file, keys) for file in plan.files)
    found = {change.path: change for change in changes if change is not None}
    planned = {file.path for file in plan.files}
    for path, there in after.files.items():
        if path not in planned and not _is_laid_over(path) and _is_code(after, there):
            found[path] = FileChange(path=path, change=Change.ADDED, before=None, after=there, what=(UNPLANNED,))
    return (*packages, *(found[path] for path in bytewise(found)))


def plan_note(after: Side, plan: Plan, changes: Sequence[FileChange], entries: Sequence[str]) -> tuple[str, ...]:
    """That nearly nothing of the plan is in `after`, by its departures; `entries` are the files that it starts."""
    missing = {change.path for change in changes if change.change is Change.REMOVED}
    if after.files is None or not after.lists_owned:
        what = "packages"
        kept = {package.purl for package in plan.packages if package.decision is not Decision.DROP}
    else:
        what = "files"
        kept = {
            file.path for file in plan.files if file.decision is not Decision.DROP and file.type is FileType.REGULAR
        }
    gone = len(kept & missing)
    if gone * 2 > len(kept):
        return (f"the plan seems to be of another image: {gone} of the {len(kept)} {what} that it keeps are not there",)
    if entries and missing.issuperset(entries):
        return ("the plan seems to be of another image: nothing that it starts is there",)
    return ()


def _is_code(after: Side, there: SideFile) -> bool:
    """Whether the file can be started, loaded, or changes rights."""
    if there.type is not FileType.REGULAR:
        return False
    binary = None if after.binaries is None else after.binaries.get(there.path)
    return bool((there.mode or 0) & 0o6111) or (binary is not None and binary.elf)


def _change(after: Side, listing: Listing, file: FilePlan, keys: Mapping[PackageId, PackageKey]) -> FileChange | None:
    files = after.files or {}
    there = files.get(file.path)
    if _is_laid_over(file.path):
        return None
    if file.decision is Decision.DROP:
        if there is None or there.type is FileType.DIRECTORY:
            return None  # an empty directory is nothing to run; it may be the parent of what is kept
        return FileChange(path=file.path, change=Change.ADDED, before=None, after=there)
    planned = _planned(file, keys)
    if there is not None:
        return _kept_change(planned, there)
    if not _is_listed(listing, file, planned):
        return None
    return FileChange(path=file.path, change=Change.REMOVED, before=planned, after=None)


def _kept_change(planned: SideFile, there: SideFile) -> FileChange | None:
    what = tuple(differences(planned, there))
    if not what:
        return None
    return FileChange(path=planned.path, change=Change.CHANGED, before=planned, after=there, what=what)


def _is_listed(listing: Listing, file: FilePlan, planned: SideFile) -> bool:
    """Whether the side would list `file` if it were there; a builder may leave special files out."""
    if file.type not in {FileType.REGULAR, FileType.DIRECTORY, FileType.SYMLINK}:
        return False
    return listing.would_have(planned if file.bytes else msgspec.structs.replace(planned, bytes=0))


def _is_laid_over(path: str) -> bool:
    return path in WRITTEN_BY_RUNTIMES or path.startswith(tuple(f"{place}/" for place in _MOUNTED)) or path in _MOUNTED


def _planned(file: FilePlan, keys: Mapping[PackageId, PackageKey]) -> SideFile:
    """The file as the plan has it; executables that a scan listed without metadata have neither size nor digest."""
    planned = planned_file(file, keys)
    unsized = not planned.bytes and planned.digest is None
    return msgspec.structs.replace(planned, bytes=None) if unsized else planned


def _package_changes(after: Side, plan: Plan) -> Iterator[FileChange]:
    """Packages instead of files: one that is there and was dropped, one that is kept and is not there."""
    kept = {
        key_of_plan(package, plan.distro): package for package in plan.packages if package.decision is not Decision.DROP
    }
    dropped = {
        key_of_plan(package, plan.distro): package for package in plan.packages if package.decision is Decision.DROP
    }
    for key, package in sorted(dropped.items()):
        if key in after.packages and key not in kept:
            yield FileChange(path=package.purl, change=Change.ADDED, before=None, after=_as_file(package.purl))
    for key, package in sorted(kept.items()):
        if key not in after.packages and (after.package_types is None or key.type in after.package_types):
            yield FileChange(path=package.purl, change=Change.REMOVED, before=_as_file(package.purl), after=None)


def _as_file(purl: str) -> SideFile:
    return SideFile(path=purl, type=FileType.DIRECTORY)
