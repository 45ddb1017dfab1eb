"""A root of package archives with the state that their scripts would have made, as one `Root`."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pruner.bytewise import bytewise
from pruner.maintainer.database import database_files
from pruner.model import File, FileType

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from pruner.maintainer.disk import Disk
    from pruner.model import ImageConfig, Unknown
    from pruner.rootfs import Root
    from pruner.rootfs.packages import PackageArchive


class ComposedRoot:
    """The `Root` of `archives` unpacked and configured. `unknowns` are what scripts would have done besides."""

    def __init__(
        self, root: Root, archives: Sequence[PackageArchive], disk: Disk, unknowns: tuple[Unknown, ...]
    ) -> None:
        self.name = root.name
        self.image: ImageConfig | None = None
        self.lacks: tuple[str, ...] = root.lacks
        self.archives = tuple(archives)
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
        """See `Root.modified`; for what no archive ships the epoch, and for dpkg's lists after all that they list."""
        if path in self._contents:
            return self._unpacked if path.endswith(".list") else 0
        return self._root.modified(path)

    def close(self) -> None:
        """See `Root.close`."""
        self._root.close()


def _add(files: dict[str, File], path: str, size: int) -> None:
    """Add a file of the database, with the directories above it."""
    files[path] = File(path=path, type=FileType.REGULAR, mode=0o644, bytes=size)
    while path := path.rpartition("/")[0]:
        files.setdefault(path, File(path=path, type=FileType.DIRECTORY, mode=0o755))
