"""Sizes of a side and of a comparison, for tables."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from pruner.gate.types import SideKind
from pruner.model import COUNTED_TYPES, FileType

if TYPE_CHECKING:
    from pruner.gate.types import Side, SidePackage


@dataclass(frozen=True, slots=True, kw_only=True)
class SideTotals:
    """None is for what the side does not tell."""

    packages: int | None
    """Each version of a package counts."""
    files: int | None
    """Names of `COUNTED_TYPES`."""
    bytes: int | None
    """Regular files, hard links counted once where the side tells them; None where the size of any is missing."""


def links_differ(before: Side, after: Side) -> bool:
    """Whether one side alone tells which names are hard links, so that sizes must be of names to be compared.

    A root tells; an SBOM does where a scan of an image found some, a scan of a directory lists files of their own.
    """
    return before.kind is not after.kind and _has_links(before) != _has_links(after)


def _has_links(side: Side) -> bool:
    return any(file.hardlink is not None for file in (side.files or {}).values())


def regular_files(package: SidePackage, side: Side) -> int:
    """How many regular files `package` has on `side`; a root lists its links and directories, an SBOM does not."""
    files = side.files
    return len(package.files) if files is None else sum(files[path].type is FileType.REGULAR for path in package.files)


def types_of_both(before: Side, after: Side) -> frozenset[str] | None:
    """Types of packages that both sides tell; None for all."""
    if before.package_types is None or after.package_types is None:
        return after.package_types if before.package_types is None else before.package_types
    return before.package_types & after.package_types


def totals_of_both(before: Side, after: Side) -> tuple[SideTotals, SideTotals]:
    """Totals that can be compared: of packages that both can tell, and of files weighed alike."""
    types, every_name = types_of_both(before, after), links_differ(before, after)
    one, other = (totals_of_side(side, types=types, every_name=every_name) for side in (before, after))
    return one, other


def totals_of_side(side: Side, *, types: frozenset[str] | None = None, every_name: bool = False) -> SideTotals:
    """How many packages, files and bytes `side` has.

    Of packages, those of `types` alone where it is given; with `every_name` hard links weigh by each of their names.
    """
    packages = sum(len(found) for key, found in side.packages.items() if types is None or key.type in types)
    # A root without packages is one without a database that is read.
    counted = packages if side.packages or side.kind is not SideKind.ROOT else None
    if side.files is None or not side.complete:
        return SideTotals(packages=counted, files=None, bytes=None)
    names = size = 0
    sized = True
    for file in side.files.values():
        names += file.type in COUNTED_TYPES
        if file.bytes is None:
            sized = sized and file.type is not FileType.REGULAR
        elif every_name or file.hardlink is None:
            size += file.bytes
    return SideTotals(packages=counted, files=names, bytes=size if sized else None)
