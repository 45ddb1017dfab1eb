"""The columns of the before/after table. What counts as a shell is said by the catalogue of the attack surface."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING

from pruner.model import COUNTED_TYPES, File, FileType
from pruner.plan.types import FilePlan, Totals
from pruner.rules.surface import bundled_catalogue

if TYPE_CHECKING:
    from collections.abc import Iterable


def totals_of(files: Iterable[File | FilePlan], packages: int) -> Totals:
    """Count `files`: programs by name, symbolic links apart; bytes and setuid files once for all hard links."""
    names = bytes_ = setuid = 0
    programs: Counter[str] = Counter()
    counted: set[str] = set()
    catalogue = bundled_catalogue()
    for file in files:
        names += file.type in COUNTED_TYPES
        if file.type is not FileType.REGULAR:
            continue
        if file.mode & 0o111 and not file.path.startswith(catalogue.not_executed):
            programs.update(catalogue.of_name(file.path[file.path.rindex("/") + 1 :]))
        inode = file.hardlink or file.path
        if inode in counted:
            continue
        counted.add(inode)
        bytes_ += file.bytes
        setuid += bool(file.mode & 0o4000)
    return Totals(
        packages=packages,
        files=names,
        bytes=bytes_,
        setuid_files=setuid,
        shells=programs["shell"],
        interpreters=programs["interpreter"],
        package_managers=programs["package-manager"],
    )
