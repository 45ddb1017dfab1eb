"""A root of package archives with the state that their scripts would have made, as one `Root`."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pruner.bytewise import bytewise
from pruner.maintainer.database import database_files
from pruner.model import File, FileType

if TYPE_CHECKING:
    from collections.abc import Mapping

    from pruner.maintainer.disk import Disk
    from pruner.model import ImageConfig, Unknown
    from pruner.rootfs.packages import PackagesRoot


class ComposedRoot:
    """The `Root` of `archives` unpacked and configured. `unknowns` are what scripts would have done besides."""

    def __init__(self, root: PackagesRoot, disk: Disk, unknowns: tuple[Unknown, ...]) -> None:
        archives, supplied = root.archives, root.supplied
        self.name = root.name
        self.image: ImageConfig | None = None
        self.lacks: tuple[str, ...] = root.lacks
        self.archives = archives
        self.unknowns = unknowns
        self.reasons: Mapping[str, str] = dict(disk.reasons)
        """Why a name that no archive ships is there."""
        self._root = root
        database = database_files(archives)
        self._contents = {**disk.contents, **database}
        files = {path: root.files[path] for path in root.files.keys() - disk.removed}
        files |= disk.changes()
        for path in database:
            _add(files, path, len(self._contents[path]))
        changed = (path for path, file in disk.changes().items() if _differs(file, root.files.get(path)))
        self._later = {*self._contents, *changed, *supplied}
        self._unpacked = 1 + max(map(root.modified, root.files), default=0)
        self.files: Mapping[str, File] = {path: files[path] for path in bytewise(files)}

    def read(self, path: str) -> memoryview:
        """See `Root.read`."""
        content = self._contents.get(path)
        return self._root.read(path) if content is None else memoryview(content)

    def extended_attributes(self, path: str) -> Mapping[str, bytes]:
        """See `Root.extended_attributes`."""
        return {} if path in self._contents else self._root.extended_attributes(path)

    def modified(self, path: str) -> int:
        """See `Root.modified`; what no archive ships as it is counts as made right after all that they ship."""
        return self._unpacked if path in self._later else self._root.modified(path)

    def close(self) -> None:
        """See `Root.close`."""
        self._root.close()


def _differs(file: File, shipped: File | None) -> bool:
    """Whether a name is something else than what the archive has, rather than of another owner or mode."""
    return shipped is None or (file.type, file.target) != (shipped.type, shipped.target)


def _add(files: dict[str, File], path: str, size: int) -> None:
    """Add a file of the database, with the directories above it."""
    files[path] = File(path=path, type=FileType.REGULAR, mode=0o644, bytes=size)
    while path := path.rpartition("/")[0]:
        files.setdefault(path, File(path=path, type=FileType.DIRECTORY, mode=0o755))
