"""The root as maintainer scripts would see and change it: a listing in memory, with changes kept apart."""

from __future__ import annotations

import fnmatch
import posixpath
from typing import TYPE_CHECKING

from msgspec import structs

from pruner.errors import InputError
from pruner.model import File, FileType
from pruner.rootfs.tree import MAX_LINKS

if TYPE_CHECKING:
    from collections.abc import Mapping

    from pruner.rootfs import Root

_LARGEST_READ = 16 << 20
"""Bytes of a file that a script reads or copies; a larger one is not copied."""


class Disk:
    """Names of `root` with what scripts changed. Paths that leave the root by `..` stay at `/`, as in a chroot."""

    def __init__(self, root: Root) -> None:
        self._root = root
        self.made: dict[str, File] = {}
        """What was made or changed, by real path."""
        self.contents: dict[str, bytes] = {}
        """The bytes of regular files that were made or changed; a file whose owner or mode alone changed has none."""
        self.reasons: dict[str, str] = {}
        self.removed: set[str] = set()
        self.reason = ""
        """Recorded with every change until it is set anew."""
        self.current = "/"
        """The directory that relative paths start from."""
        self.mask = 0o022
        """umask(1): bits that fresh files and directories lack."""

    def get(self, real: str) -> File | None:
        """What is at the real path, links not followed."""
        if real == "/":
            return File(path="/", type=FileType.DIRECTORY, mode=0o755)
        made = self.made.get(real)
        return made if made is not None or real in self.removed else self._root.files.get(real)

    def names(self) -> set[str]:
        """Every real path."""
        return (self._root.files.keys() - self.removed) | self.made.keys()

    def locate(self, path: str, *, follow: bool = False) -> str | None:
        """The real path that `path` stands for, whether or not it is there; None below what is no directory.

        Links in parents are followed, with `follow` that of the last component too.
        """
        text = path if path.startswith("/") else f"{self.current}/{path}"
        current, pending, links = "", text.split("/")[::-1], 0
        while pending:
            name = pending.pop()
            if name in {"", "."}:
                continue
            if name == "..":
                current = current.rpartition("/")[0]
                continue
            is_last = not any(part not in {"", "."} for part in pending)
            found = self.get(f"{current}/{name}")
            if found is not None and found.type is FileType.SYMLINK and (follow or not is_last):
                links += 1
                if links > MAX_LINKS or not found.target:
                    return None
                current = "" if found.target.startswith("/") else current
                pending.extend(found.target.split("/")[::-1])
            elif is_last or (found is not None and found.type is FileType.DIRECTORY):
                current = f"{current}/{name}"
            else:
                return None
        return current or "/"

    def file(self, path: str, *, follow: bool = True) -> File | None:
        """What `path` leads to."""
        real = self.locate(path, follow=follow)
        return None if real is None else self.get(real)

    def read(self, path: str) -> bytes | None:
        """The bytes of the regular file that `path` leads to; None for anything else and for large ones."""
        found = self.file(path)
        if found is None or found.type is not FileType.REGULAR or found.bytes > _LARGEST_READ:
            return None
        if found.path in self.contents:
            return self.contents[found.path]
        try:
            return bytes(self._root.read(found.path))
        except InputError:
            return None

    def write(self, path: str, data: bytes, *, mode: int | None = None, uid: int = 0, gid: int = 0) -> bool:
        """Put `data` where `path` leads; an existing file keeps owner and mode unless `mode` is given."""
        real = self.locate(path, follow=True)
        found = None if real is None else self.get(real)
        if real is None or (found is not None and found.type is not FileType.REGULAR):
            return False
        kept = 0o666 & ~self.mask if mode is None else mode
        fresh = File(path=real, type=FileType.REGULAR, mode=kept, uid=uid, gid=gid)
        if found is not None and mode is None:
            fresh = structs.replace(fresh, mode=found.mode, uid=found.uid, gid=found.gid)
        self.contents[real] = data
        self._put(structs.replace(fresh, bytes=len(data)))
        return True

    def directory(self, path: str, *, parents: bool) -> bool:
        """Make a directory; with `parents` also those above, and one that is there will do."""
        real = self.locate(path, follow=parents)
        if real is None and parents and (parent := posixpath.dirname(path.rstrip("/"))) not in {"", path}:
            if not self.directory(parent, parents=True):
                return False
            real = self.locate(path)
        if real is None:
            return False
        found = self.get(real)
        if found is not None:
            return parents and found.type is FileType.DIRECTORY
        above = posixpath.dirname(real)
        holder = self.get(above)
        if holder is None and not (parents and self.directory(above, parents=True)):
            return False
        self._put(File(path=real, type=FileType.DIRECTORY, mode=0o777 & ~self.mask))
        return True

    def link(self, path: str, target: str) -> bool:
        """Make a symbolic link where nothing is."""
        real = self.locate(path)
        if real is None or self.get(real) is not None or self.get(posixpath.dirname(real)) is None:
            return False
        self._put(File(path=real, type=FileType.SYMLINK, mode=0o777, target=target))
        return True

    def change(self, path: str, *, mode: int | None = None, uid: int | None = None, gid: int | None = None) -> bool:
        """Change mode or owner of what `path` leads to."""
        found = self.file(path)
        if found is None:
            return False
        changed = structs.replace(
            found,
            mode=found.mode if mode is None else mode,
            uid=found.uid if uid is None else uid,
            gid=found.gid if gid is None else gid,
        )
        if changed != found:
            self._put(changed)
        return True

    def remove(self, path: str, *, recursive: bool = False) -> bool:
        """Remove a name, with `recursive` also a directory and all below it."""
        real = self.locate(path)
        found = None if real is None else self.get(real)
        if real is None or found is None or real == "/":
            return False
        below = [name for name in self.names() if name.startswith(f"{real}/")]
        if found.type is FileType.DIRECTORY and below and not recursive:
            return False
        for name in (real, *below):
            self.made.pop(name, None)
            self.contents.pop(name, None)
            if name in self._root.files:
                self.removed.add(name)
        return True

    def move(self, source: str, target: str) -> bool:
        """Rename a link or a regular file, replacing one."""
        found = self.file(source, follow=False)
        if found is None or found.type not in {FileType.REGULAR, FileType.SYMLINK}:
            return False
        data = self.read(found.path) if found.type is FileType.REGULAR else None
        holder = self.file(target)
        if holder is not None and holder.type is FileType.DIRECTORY:
            target = f"{target}/{posixpath.basename(source)}"
        self.remove(target)
        self.remove(found.path)
        if found.type is FileType.SYMLINK:
            return self.link(target, found.target or "")
        return data is not None and self.write(target, data, mode=found.mode, uid=found.uid, gid=found.gid)

    def glob(self, pattern: str) -> list[str]:
        """Sorted paths that the absolute `pattern` matches, each spelled as the pattern spells its directory."""
        directory, slash, name = pattern.rpartition("/")
        real = self.locate(directory or slash or ".", follow=True)
        if real is None or any(mark in directory for mark in "*?["):
            return []
        prefix = real.rstrip("/") + "/"
        found = (path[len(prefix) :] for path in self.names() if path.startswith(prefix))
        hidden = name.startswith(".")
        return sorted(
            f"{directory}{slash}{entry}"
            for entry in found
            if "/" not in entry and entry.startswith(".") == hidden and fnmatch.fnmatchcase(entry, name)
        )

    def saved(self) -> tuple[dict[str, File], dict[str, bytes], dict[str, str], set[str]]:
        """All changes so far, for `restore`."""
        return dict(self.made), dict(self.contents), dict(self.reasons), set(self.removed)

    def restore(self, saved: tuple[dict[str, File], dict[str, bytes], dict[str, str], set[str]]) -> None:
        """Undo what was changed since `saved` was taken."""
        self.made, self.contents, self.reasons, self.removed = saved

    def changes(self) -> Mapping[str, File]:
        """What was made or changed, less what ended as it was."""
        found = self._root.files
        return {path: file for path, file in self.made.items() if path in self.contents or file != found.get(path)}

    def _put(self, file: File) -> None:
        self.removed.discard(file.path)
        self.made[file.path] = file
        self.reasons.setdefault(file.path, self.reason)
