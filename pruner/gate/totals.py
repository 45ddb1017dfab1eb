"""Sizes of a side and of a comparison, for tables."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from pruner.model import FileType

if TYPE_CHECKING:
    from pruner.gate.types import Side

_FILES = frozenset({FileType.REGULAR, FileType.SYMLINK})


@dataclass(frozen=True, slots=True, kw_only=True)
class SideTotals:
    """None is for what the side does not tell."""

    packages: int
    """Each version of a package counts."""
    files: int | None
    """Regular files and links: scans of directories list no devices, pipes and sockets."""
    bytes: int | None
    """Regular files, hard links counted once where the side tells them."""


def links_differ(before: Side, after: Side) -> bool:
    """Whether one side alone tells which names are hard links, so that sizes must be of names to be compared.

    A root tells; an SBOM does where a scan of an image found some, a scan of a directory lists files of their own.
    """
    return before.kind is not after.kind and _has_links(before) != _has_links(after)


def _has_links(side: Side) -> bool:
    return any(file.hardlink is not None for file in (side.files or {}).values())


def totals_of_side(side: Side, *, every_name: bool = False) -> SideTotals:
    """How many packages, files and bytes `side` has; with `every_name` hard links weigh by each of their names."""
    packages = sum(len(versions) for versions in side.packages.values())
    if side.files is None:
        return SideTotals(packages=packages, files=None, bytes=None)
    names = size = 0
    sized = False
    for file in side.files.values():
        names += file.type in _FILES
        if file.bytes is not None and (every_name or file.hardlink is None):
            size += file.bytes
            sized = True
    return SideTotals(packages=packages, files=names, bytes=size if sized else None)
