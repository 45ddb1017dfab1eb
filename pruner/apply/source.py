"""What a plan takes from a root: every kept or made name, checked against the root before it is written anywhere."""

from __future__ import annotations

import hashlib
import os
from dataclasses import dataclass
from typing import TYPE_CHECKING

from pruner.errors import InputError
from pruner.model import File, FileType
from pruner.plan.types import Decision, FilePlan, Plan
from pruner.rootfs import Root, Tree

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

_ALGORITHMS = frozenset({"md5", "sha1", "sha224", "sha256", "sha384", "sha512"})
_OTHER_ROOT = "the root is not the one that the plan was made from; plan again"


@dataclass(frozen=True, slots=True, kw_only=True)
class Item:
    """One name to write."""

    path: str
    type: FileType
    mode: int
    uid: int
    gid: int
    modified: int
    """Seconds since the epoch."""
    target: str | None = None
    device: tuple[int, int] | None = None
    link: str | None = None
    """A further name of the regular file that was written as this earlier one."""
    size: int = 0
    """Bytes of a regular file."""
    digests: tuple[str, ...] = ()
    """What is known of the content, under any name of the file."""
    made: bytes | None = None
    """Content that the plan brings along; None where it comes from the root."""


class Source:
    """The kept and made names of `plan` with the bytes of `root`.

    `items` are in order of the tree, bytewise in each directory, so that a directory comes right before what is in it
    (GNU tar sets its mode and time when it meets the first name outside of it) and a file before its further names;
    parents that the plan leaves out are there as directories of root's, mode 755.
    Raises `InputError` where the plan contradicts itself or the root.
    """

    def __init__(self, plan: Plan, root: Root, *, epoch: int | None) -> None:
        self._root = root
        self._epoch = epoch
        kept = [file for file in plan.files if file.decision in {Decision.KEEP, Decision.MAKE}]
        _check_paths(kept)
        for file in kept:
            if file.decision is Decision.KEEP:
                _check_unchanged(file, root)
        self.items = tuple(self._items(kept))

    def content(self, item: Item) -> memoryview:
        """The bytes of a regular file, compared with every digest that the SBOM states for it."""
        if item.made is not None:
            return memoryview(item.made)
        data = self._root.read(item.path)
        if len(data) != item.size:
            raise InputError(f"{self._root.name}: {item.path} changed while it was read")
        for digest in item.digests:
            algorithm, _, expected = digest.partition(":")
            if algorithm not in _ALGORITHMS:
                raise InputError(f"plan: {item.path} has a digest of unknown kind {algorithm}")
            if hashlib.new(algorithm, data, usedforsecurity=False).hexdigest() != expected.lower():
                raise InputError(
                    f"{self._root.name}: {item.path} does not match its {algorithm} digest", hint=_OTHER_ROOT
                )
        return data

    def attributes(self, item: Item) -> Mapping[str, bytes]:
        """Extended attributes of a kept file or directory."""
        if item.made is not None or item.type not in {FileType.REGULAR, FileType.DIRECTORY}:
            return {}
        return self._root.extended_attributes(item.path)

    def _items(self, kept: Iterable[FilePlan]) -> Iterator[Item]:
        plans = {file.path: file for file in kept}
        digests: dict[str, set[str]] = {}
        for file in plans.values():
            if file.digest is not None and file.decision is Decision.KEEP:
                digests.setdefault(self._inode(file), set()).add(file.digest)
        first_names: dict[str, str] = {}
        for path in sorted(plans.keys() | set(_parents(plans)), key=_tree_order):
            planned = plans.get(path)
            if planned is None:
                yield Item(path=path, type=FileType.DIRECTORY, mode=0o755, uid=0, gid=0, modified=self._time(path))
                continue
            inode = self._inode(planned)
            first = first_names.setdefault(inode, path)
            yield self._item(planned, None if first == path else first, tuple(sorted(digests.get(inode, ()))))

    def _item(self, planned: FilePlan, link: str | None, digests: tuple[str, ...]) -> Item:
        is_made = planned.decision is Decision.MAKE
        made = planned.content if is_made and planned.type is FileType.REGULAR else None
        if is_made and planned.type is FileType.REGULAR and made is None:
            raise InputError(f"plan: {planned.path} is to be made, but its content is missing")
        known = self._root.files.get(planned.path)
        return Item(
            path=planned.path,
            type=planned.type,
            mode=planned.mode,
            uid=planned.uid,
            gid=planned.gid,
            modified=(self._epoch or 0) if is_made else self._time(planned.path),
            target=planned.target if planned.target is not None or known is None else known.target,
            device=planned.device if planned.device is not None or known is None else known.device,
            link=link,
            size=len(made) if made is not None else planned.bytes,
            digests=digests,
            made=made,
        )

    def _inode(self, file: FilePlan) -> str:
        """The same for all names of one file; the root knows hard links that an SBOM does not show."""
        known = self._root.files.get(file.path)
        if file.decision is Decision.MAKE or file.type is not FileType.REGULAR or known is None:
            return file.path
        # A first name that is made anew is another file now, so the key is no path.
        return f"inode of {known.hardlink or file.path}"

    def _time(self, path: str) -> int:
        """The root's time, not later than the epoch that a reproducible build asks for."""
        modified = self._root.modified(path)
        return modified if self._epoch is None else min(modified, self._epoch)


def _check_paths(kept: Iterable[FilePlan]) -> None:
    """Every path is a plain absolute one, below nothing but directories: nothing is written through a link."""
    files: dict[str, File] = {}
    for file in kept:
        parts = file.path.split("/")
        if len(parts) < 2 or parts[0] or any(part in {"", ".", ".."} or "\0" in part for part in parts[1:]):
            raise InputError(f"plan: {file.path} is not a normalised absolute path", hint="the plan is damaged")
        if file.path in files:
            raise InputError(f"plan: {file.path} is there twice", hint="the plan is damaged")
        _check_values(file)
        files[file.path] = File(path=file.path, type=file.type, target=file.target)
    tree = Tree(files)
    for path in files:
        if tree.locate(path).path != path:
            raise InputError(f"plan: {path} lies below something that is not a directory", hint="the plan is damaged")


def _check_values(file: FilePlan) -> None:
    """Numbers and texts that the kernel takes."""
    device = file.device or (0, 0)
    if (
        not 0 <= file.mode <= 0o7777
        or not all(0 <= owner < 2**32 - 1 for owner in (file.uid, file.gid))
        or not (0 <= device[0] < 1 << 12 and 0 <= device[1] < 1 << 20)
        or (file.target is not None and (not file.target or "\0" in file.target))
    ):
        raise InputError(
            f"plan: {file.path} has an impossible mode, owner, device or target", hint="the plan is damaged"
        )


def _check_unchanged(file: FilePlan, root: Root) -> None:
    found = root.files.get(file.path)
    if found is None:
        raise InputError(f"{root.name}: {file.path} is missing", hint=_OTHER_ROOT)
    for what, planned, actual in (
        ("type", file.type, found.type),
        ("size", file.bytes if file.type is FileType.REGULAR else 0, found.bytes),
        ("target", file.target if file.target is not None else found.target, found.target),
        ("device", file.device if file.device is not None else found.device, found.device),
    ):
        if planned != actual:
            raise InputError(f"{root.name}: {file.path} has {what} {actual}, the plan says {planned}", hint=_OTHER_ROOT)


def _tree_order(path: str) -> bytes:
    """A key that puts everything below a directory before names that merely begin like it: `a`, `a/b`, `a.c`."""
    return os.fsencode(path).replace(b"/", b"\0")


def _parents(paths: Iterable[str]) -> Iterator[str]:
    for path in paths:
        parent = path.rpartition("/")[0]
        while parent:
            yield parent
            parent = parent.rpartition("/")[0]
