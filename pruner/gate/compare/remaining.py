"""What is left of a package whose entry is gone: files that no package accounts for now.

A file at the same path counts whatever became of its content (stripped, patched), one of the same content wherever it
was moved to: neither makes a vulnerability go away, and a scanner sees neither.
"""

from __future__ import annotations

from collections import defaultdict
from functools import cached_property
from typing import TYPE_CHECKING

from pruner.bytewise import bytewise
from pruner.gate.compare.manifests import Code
from pruner.gate.keys import DISTRIBUTIONS
from pruner.model import FileType

if TYPE_CHECKING:
    from collections.abc import Mapping

    from pruner.gate.types import PackageKey, Side, SideFile, SidePackage

_PROSE_AND_RECORDS = (
    "/usr/share/doc/", "/usr/share/licenses/", "/usr/share/common-licenses/", "/usr/share/man/", "/usr/share/info/",
    "/usr/share/lintian/", "/var/lib/dpkg/", "/lib/apk/db/",
)  # fmt: skip
WITHOUT_CODE = ("/etc/", *_PROSE_AND_RECORDS)
"""Where files may outlive their package in good order: configuration that a package manager leaves behind on removal
(dpkg(1), --remove), licences that must stay with what was copied, documentation, the database's own records."""


def files_remain(number: int) -> str:
    """`2 files of its code or data remain`: as they are counted here."""
    return f"{number} {'file' if number == 1 else 'files'} of its code or data {'remains' if number == 1 else 'remain'}"


class Remains:
    """Look-ups for what remains in `after` of packages of `before`."""

    def __init__(self, before: Side, after: Side) -> None:
        self.code = Code(before)
        self._before = before
        self._after = after

    def of(self, package: SidePackage) -> tuple[str, ...] | None:
        """Paths of what is left of `package`, in bytewise order; None where a side lists no files.

        A file counts where the package was the first to own it, holds something in it, and could have brought code or
        data with it; of a package of which nothing at all is gone, its configuration and its links count as well.
        """
        if self._before.files is None or self._after.files is None:
            return None
        found = set[str]()
        for path in package.files:
            file = self._before.files[path]
            if file.type is not FileType.REGULAR or not _counts(path, file) or _shared(package, file):
                continue
            other = self._after.files.get(path)
            if other is not None and other.type is FileType.REGULAR:
                if other.bytes != 0 and not self._accounted(package, path, other):
                    found.add(path)
            elif file.digest is not None:
                found.update(self._moved.get(file.digest, ()))
        return tuple(bytewise(found or self._intact(package)))

    def _intact(self, package: SidePackage) -> set[str]:
        """What is left of a package of which no file is gone; empty where one is, or where all are prose.

        No removal leaves everything: certificates in /etc, or a package that is one link, lost their entry alone.
        """
        older, newer = self._before.files or {}, self._after.files or {}
        found = set[str]()
        for path in package.files:
            file, other = older[path], newer.get(path)
            if file.type is FileType.DIRECTORY:
                continue
            if other is None or other.type is not file.type:
                return set()
            counts = other.bytes != 0 and not path.startswith(_PROSE_AND_RECORDS) and not _shared(package, file)
            if counts and not self._accounted(package, path, other):
                found.add(path)
        return found

    def _accounted(self, package: SidePackage, path: str, file: SideFile) -> bool:
        """Whether a package that a scanner sees stands for the file now.

        One that owns whole directories comes to own what hidden packages further in leave to it: it stands for what
        it had before, and for what lies in the directory that it shares with `package`, whose place it took.
        """
        owner = file.owner
        if owner is None or owner.type not in {*DISTRIBUTIONS, package.key.type}:
            return False
        holders = self._after.packages.get(owner, ())
        if not any(holder.directories for holder in holders):
            return True
        if any(set(holder.directories) & set(package.directories) for holder in holders):
            return True
        earlier = self._before.packages.get(owner, ())
        return any(path in holder.files for holder in earlier if holder is not package)

    @cached_property
    def _moved(self) -> Mapping[str, list[str]]:
        """Paths of files that nobody owns and that were not there before, by digest."""
        older = self._before.files or {}
        found: defaultdict[str, list[str]] = defaultdict(list)
        for path, file in (self._after.files or {}).items():
            if file.owner is None and file.digest is not None and file.type is FileType.REGULAR and _counts(path, file):
                earlier = older.get(path)
                if earlier is None or earlier.digest != file.digest:
                    found[file.digest].append(path)
        return found


def _counts(path: str, file: SideFile) -> bool:
    return file.bytes != 0 and not path.startswith(WITHOUT_CODE)


def _shared(package: SidePackage, file: SideFile) -> bool:
    """Whether another package was there for the file before: a distribution's, or one of the same kind."""
    owner: PackageKey | None = file.owner
    return owner is not None and owner != package.key and owner.type in {*DISTRIBUTIONS, package.key.type}
