"""What the reader of a comparison must know about its sides."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pruner.errors import printable
from pruner.gate.phrases import number_of
from pruner.gate.totals import links_differ, regular_files
from pruner.gate.types import KINDS, Change, SideKind

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from pruner.gate.types import FileChange, PackageChange, Side

_MUCH = 10
"""A tenth of the packages that were there."""
_SEVERAL = 3
_ALL = "scan with SYFT_FILE_METADATA_SELECTION=all"


def notes_of(before: Side, after: Side) -> tuple[str, ...]:
    """One lowercase sentence each."""
    return tuple(_notes(before, after))


def swap_note(
    before: Side, after: Side, packages: Sequence[PackageChange], files: Sequence[FileChange] | None
) -> tuple[str, ...]:
    """A question where it is likely: nothing was removed, much was added, and BEFORE looks pruned.

    That an image comes to hold more packages is ordinary. A file that no package owns may be one that pruning made.
    """
    kinds = {change.change for change in packages} - {Change.CHANGED, Change.RESLICED}
    gone = any(change.change is Change.REMOVED and change.before and change.before.owner for change in files or ())
    if gone or kinds - {Change.ADDED} or not _looks_pruned(before, after, packages, files):
        return ()
    came = sum(change.change is Change.ADDED for change in packages)
    if came * _MUCH >= len(before.packages) > 0:
        what = _were_added(came, "package")
    else:
        came = sum(change.change is Change.ADDED for change in files or ())
        if came * _MUCH < len(before.files or ()) or not came:
            return ()
        what = _were_added(came, "file")
    start = "BEFORE is a plan, nothing" if before.kind is SideKind.PLAN else "nothing"
    return (f"{start} was removed and {what}: are BEFORE and AFTER swapped?",)


def _looks_pruned(
    before: Side, after: Side, packages: Sequence[PackageChange], files: Sequence[FileChange] | None
) -> bool:
    """Whether BEFORE is a plan of something else, or half of its packages are parts of what they are in AFTER.

    Without files, whether AFTER has several times as many packages.
    """
    if before.kind is SideKind.PLAN and after.kind is not SideKind.PLAN:
        return True
    if files is None:
        return len(after.packages) >= _SEVERAL * len(before.packages)
    if not any(change.change is Change.ADDED for change in packages):
        return False  # the same packages with more files: documentation was left out before
    grown = sum(
        change.change is Change.RESLICED
        and change.before is not None
        and change.after is not None
        and regular_files(change.before, before) < regular_files(change.after, after)
        for change in packages
    )
    return grown * 2 >= len(before.packages) > 0


def _were_added(count: int, noun: str) -> str:
    return f"{number_of(count, noun)} {'was' if count == 1 else 'were'} added"


def _notes(before: Side, after: Side) -> Iterator[str]:
    yield from _file_notes(before, after)
    if before.kind is not after.kind:
        yield f"{KINDS[before.kind]} is compared with {KINDS[after.kind]}: only what both can tell"
    if SideKind.ROOT not in {before.kind} & {after.kind}:
        yield "file capabilities are known of root filesystems only"
    if before.distro and after.distro and not _same_distribution(before.distro, after.distro):
        yield f"the distribution differs: {printable(before.distro)} before, {printable(after.distro)} after"
    for place, side in (("before", before), ("after", after)):
        if side.package_types is not None:
            types = ", ".join(sorted(side.package_types))
            yield f"{place} tells of {types} packages alone; an SBOM tells of those of languages as well"
        if side.kind is SideKind.ROOT:
            yield from (f"{place}: {printable(lack)}" for lack in side.lacks)


def _file_notes(before: Side, after: Side) -> Iterator[str]:
    for place, side in (("before", before), ("after", after)):
        if side.files is None:
            yield f"{place} lists no files, so no file can be compared ({_ALL} into syft-json)"
        elif not side.complete:
            yield f"{place} does not list every file; what remains of a removed package may not be seen ({_ALL})"
    tools = [side.origin.get("tool", "") for side in (before, after)]
    if (before.files is None or after.files is None) and tools[0] != tools[1] and all(tools):
        yield (
            f"{printable(tools[0])} and {printable(tools[1])} may see one image differently; without files of both "
            "that can't be told from a change"
        )
    if links_differ(before, after):
        yield "hard links are listed on one side alone: so that sizes compare, every name of a file weighs on both"


def _same_distribution(one: str, other: str) -> bool:
    """Whether two tools name one release: `debian 12` is all that some say of `debian 12.15`."""
    return one == other or one.startswith(f"{other}.") or other.startswith(f"{one}.")
