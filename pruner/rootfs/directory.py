"""A root filesystem that lies unpacked in a directory."""

from __future__ import annotations

import errno
import os
import stat
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import TYPE_CHECKING

from pruner.bytewise import bytewise
from pruner.errors import InputError
from pruner.model import File, FileType, ImageConfig
from pruner.rootfs.region import Region, fault
from pruner.rootfs.types import kept_attribute

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

_KERNEL_FILESYSTEMS = frozenset(
    {"autofs", "binfmt_misc", "bpf", "cgroup", "cgroup2", "configfs", "debugfs", "devpts", "devtmpfs", "efivarfs"}
    | {"fusectl", "hugetlbfs", "mqueue", "nsfs", "proc", "pstore", "securityfs", "sysfs", "tracefs"}
)
"""Mounted file systems that show the running kernel instead of stored files; filesystems(5)."""

_TYPES = {
    stat.S_IFREG: FileType.REGULAR,
    stat.S_IFDIR: FileType.DIRECTORY,
    stat.S_IFLNK: FileType.SYMLINK,
    stat.S_IFCHR: FileType.CHARACTER_DEVICE,
    stat.S_IFBLK: FileType.BLOCK_DEVICE,
    stat.S_IFIFO: FileType.FIFO,
    stat.S_IFSOCK: FileType.SOCKET,
}
PACKAGE_SUFFIXES = (".deb", ".apk")
_READABLE = os.O_RDONLY | os.O_CLOEXEC | os.O_NOFOLLOW | os.O_NONBLOCK
_MOST_PARENTS = 16
_PASSABLE = os.O_PATH | os.O_CLOEXEC | os.O_NOFOLLOW


class DirectoryRoot:
    """The `Root` in the directory `location`, listed once when it is opened.

    Opening a file follows no link at all, so nothing outside of the directory is ever read. Directories that this
    user can't list, and mounted kernel file systems, count as empty and are named in `lacks`.
    Raises `InputError` where `location` can't be listed.
    """

    def __init__(self, location: str) -> None:
        self.name = location
        self.image: ImageConfig | None = None
        self._parents: dict[str, int] = {}
        try:
            self._descriptor = os.open(location, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
        except OSError as error:
            raise fault(error, location) from None
        try:
            found, lacks = _listing(location)
        except OSError as error:
            os.close(self._descriptor)
            raise fault(error, location) from None
        self.lacks = tuple(sorted(lacks))
        self.files: Mapping[str, File] = dict(_files(location, found))
        self._modified = {path: int(status.st_mtime) for path, status in found}

    def read(self, path: str) -> memoryview:
        """See `Root.read`."""
        return self.region(path).view()

    def region(self, path: str) -> Region:
        """Where the bytes of the regular file `path` lie; raises as `read` does."""
        known = self.files.get(path)
        if known is None or known.type is not FileType.REGULAR:
            raise InputError(f"{self.name}: {path} is not a regular file")
        with self._opened(path, _READABLE) as descriptor:
            if not stat.S_ISREG(os.fstat(descriptor).st_mode):
                raise InputError(f"{self.name}: {path} was replaced while it was in use")
            return Region.of_descriptor(os.dup(descriptor))

    def extended_attributes(self, path: str) -> Mapping[str, bytes]:
        """See `Root.extended_attributes`."""
        known = self.files.get(path)
        if known is None or known.type not in {FileType.REGULAR, FileType.DIRECTORY}:
            return {}
        with self._opened(path, _PASSABLE) as descriptor:
            # A descriptor that only names the file needs no permission to read it, but xattr calls refuse it as such.
            place = f"/proc/self/fd/{descriptor}"
            try:
                return {name: os.getxattr(place, name) for name in sorted(os.listxattr(place)) if kept_attribute(name)}
            except OSError as error:
                if error.errno == errno.ENOTSUP:
                    return {}
                raise

    def modified(self, path: str) -> int:
        """See `Root.modified`."""
        return self._modified.get(path, 0)

    def close(self) -> None:
        """See `Root.close`."""
        for descriptor in self._parents.values():
            os.close(descriptor)
        self._parents.clear()
        if self._descriptor >= 0:
            os.close(self._descriptor)
            self._descriptor = -1

    @contextmanager
    def _opened(self, path: str, flags: int) -> Iterator[int]:
        """A descriptor of `path`, reached component by component without following links."""
        if self._descriptor < 0:
            raise InputError(f"{self.name}: {path} is asked for after the root was closed")
        parent, _, name = path.rpartition("/")
        descriptor = -1
        try:
            descriptor = os.open(name, flags, dir_fd=self._parent(parent))
            yield descriptor
        except OSError as error:
            raise fault(error, f"{self.name}: {path}") from None
        finally:
            if descriptor >= 0:
                os.close(descriptor)

    def _parent(self, directory: str) -> int:
        """A descriptor of the real path `directory`; those used last stay open, since files are read by directory."""
        known = self._parents.pop(directory, None)
        if known is None:
            if not directory:
                return self._descriptor
            known = self._walked(directory)
            if len(self._parents) == _MOST_PARENTS:
                os.close(self._parents.pop(next(iter(self._parents))))
        self._parents[directory] = known
        return known

    def _walked(self, directory: str) -> int:
        reached = -1
        for component in directory[1:].split("/"):
            above, at = reached, self._descriptor if reached < 0 else reached
            try:
                reached = os.open(component, _PASSABLE | os.O_DIRECTORY, dir_fd=at)
            finally:
                if above >= 0:
                    os.close(above)
        return reached


def holds_packages(location: str) -> bool:
    """Whether the directory holds package archives and no directory, as no root filesystem does."""
    try:
        with os.scandir(location) as entries:
            kinds = [(entry.name.endswith(PACKAGE_SUFFIXES), entry.is_dir(follow_symlinks=False)) for entry in entries]
    except OSError:
        return False
    return any(package for package, _ in kinds) and not any(directory for _, directory in kinds)


def _listing(location: str) -> tuple[list[tuple[str, os.stat_result]], list[str]]:
    """Every name below `location` with its lstat, unordered, and what could not be listed."""
    found: list[tuple[str, os.stat_result]] = []
    lacks: list[str] = []
    device = Path(location).stat().st_dev
    pending = [""]
    while pending:
        directory = pending.pop()
        try:
            entries = os.scandir(location + directory)
        except PermissionError:
            if not directory:
                raise
            lacks.append(f"the contents of {directory}, which this user may not list")
            continue
        with entries:
            for entry in entries:
                path = f"{directory}/{entry.name}"
                status = entry.stat(follow_symlinks=False)
                found.append((path, status))
                if not stat.S_ISDIR(status.st_mode):
                    continue
                if status.st_dev != device and (kind := _mounted_kind(status.st_dev)) in _KERNEL_FILESYSTEMS:
                    lacks.append(f"the contents of {path}, a mounted {kind} file system")
                else:
                    pending.append(path)
    return found, lacks


def _files(location: str, found: Iterable[tuple[str, os.stat_result]]) -> Iterator[tuple[str, File]]:
    """Pairs of path and file in bytewise order."""
    first_names: dict[tuple[int, int], str] = {}
    statuses = dict(found)
    for path in bytewise(statuses):
        status = statuses[path]
        kind = _TYPES[stat.S_IFMT(status.st_mode)]
        hardlink = None
        if kind is FileType.REGULAR and status.st_nlink > 1:
            first = first_names.setdefault((status.st_dev, status.st_ino), path)
            hardlink = None if first == path else first
        is_device = kind in {FileType.CHARACTER_DEVICE, FileType.BLOCK_DEVICE}
        yield (
            path,
            File(
                path=path,
                type=kind,
                mode=stat.S_IMODE(status.st_mode),
                uid=status.st_uid,
                gid=status.st_gid,
                bytes=status.st_size if kind is FileType.REGULAR else 0,
                target=_link_text(location + path) if kind is FileType.SYMLINK else None,
                hardlink=hardlink,
                device=(os.major(status.st_rdev), os.minor(status.st_rdev)) if is_device else None,
            ),
        )


def _link_text(place: str) -> str:
    try:
        return os.readlink(place)  # noqa: PTH115  (Path normalises the text)
    except OSError as error:
        raise fault(error, place) from None


def _mounted_kind(device: int) -> str:
    """The type of the mounted file system with number `device`, empty where unknown; proc_pid_mountinfo(5)."""
    wanted = f"{os.major(device)}:{os.minor(device)}"
    with suppress(OSError), Path("/proc/self/mountinfo").open(encoding="utf-8", errors="surrogateescape") as lines:
        for line in lines:
            mount, _, source = line.partition(" - ")
            if mount.split(" ")[2] == wanted:
                return source.split(" ")[0]
    return ""
