"""From what programs asked for in vain to names of the fat root, who owns them and what would bring them."""

from __future__ import annotations

import glob
from posixpath import dirname
from typing import TYPE_CHECKING

from pruner.analyze.elfimage import read_elf
from pruner.errors import PrunerError
from pruner.model import FileType, node_kind
from pruner.verify.types import Missing
from pruner.verify.view import SUPPLIED

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from pruner.plan.types import FilePlan, Plan
    from pruner.rootfs.tree import Tree
    from pruner.rootfs.types import Root
    from pruner.verify.features import Features
    from pruner.verify.trace import Observation

_MOUNTED = ("/proc", "/sys", "/dev")
_LONGEST_SHEBANG = 4096
_MOST_LISTED = 200
"""Absent names of one listed directory that are worth naming; more are a directory that was emptied on purpose."""


class Gap:
    """What lies between the fat and the pruned root."""

    def __init__(self, fat: Root, fat_tree: Tree, pruned: Tree, plan: Plan, features: Features | None) -> None:
        self._fat, self._fat_tree, self._pruned = fat, fat_tree, pruned
        self._features = features
        self._files: dict[str, FilePlan] = {file.path: file for file in plan.files}
        self._groups = {
            str(edge.target): option.name
            for option in reversed(plan.optional)
            if not option.accepted
            for edge in option.edges
            if node_kind(edge.target) == "file"
        }

    def missing(self, observations: Iterable[Observation]) -> tuple[Missing, ...]:
        """Each name that was asked for, that the fat root has and the pruned root has not, once, sorted by path."""
        found: dict[str, Missing] = {}
        for seen in sorted(observations, key=lambda seen: (seen.lists, seen)):
            for path in self._lacking(seen):
                if path not in found and not _is_mounted(path):
                    found[path] = self._described(path, seen)
        return tuple(sorted(found.values()))

    def _lacking(self, seen: Observation) -> Iterator[str]:
        if seen.lists:
            yield from self._unlisted(seen.path)
            return
        names = list(self._names(seen.path))
        if seen.creates and (not names or self._fat_tree.get(names[-1]) is None):
            names = list(self._names(dirname(seen.path)))
        if seen.call.startswith("exec"):
            names += [name for interpreter in self._interpreters(seen.path) for name in self._names(interpreter)]
        yield from (name for name in names if self._pruned.get(name) is None)

    def _names(self, path: str) -> Iterator[str]:
        """Every name of the fat root that the path leads over: links, and where it ends."""
        resolution = self._fat_tree.resolve(path)
        yield from resolution.links
        if resolution.path is not None:
            yield resolution.path

    def _unlisted(self, directory: str) -> tuple[str, ...]:
        real = self._fat_tree.resolve(directory).path
        names = () if real is None else self._fat_tree.children(real)
        absent = tuple(name for name in names if self._pruned.get(name) is None)
        return absent if len(absent) <= _MOST_LISTED else ()

    def _interpreters(self, path: str) -> tuple[str, ...]:
        """The interpreter of a script or of a dynamic executable: execve(2) says ENOENT for a missing one, too."""
        real = self._fat_tree.resolve(path).path
        file = self._fat_tree.get(real) if real is not None else None
        if real is None or file is None or file.type is not FileType.REGULAR:
            return ()
        try:
            data = self._fat.read(real)
            if bytes(data[:2]) == b"#!":
                words = bytes(data[2:_LONGEST_SHEBANG]).split(b"\n")[0].split()
                return (words[0].decode("utf-8", "surrogateescape"),) if words else ()
            found = read_elf(data).interpreter if bytes(data[:4]) == b"\x7fELF" else None
        except (PrunerError, OSError):
            return ()
        return (found,) if found is not None else ()

    def _described(self, path: str, seen: Observation) -> Missing:
        file = self._files.get(path)
        remedy = f"--keep {glob.escape(path)}"
        if path in self._groups:
            remedy = f"--accept {self._groups[path]}"
        elif self._features is not None and (feature := self._features.of(path)) is not None:
            remedy = f"--feature {feature}"
        return Missing(
            path=path,
            observation=f"{seen.call} {seen.given}" + (" (listed)" if seen.lists else ""),
            owner=file.owner if file is not None else None,
            reason=file.reason if file is not None else "not in the plan",
            remedy=remedy,
            listed=seen.lists,
        )


def _is_mounted(path: str) -> bool:
    return path in SUPPLIED or path in _MOUNTED or path.startswith(tuple(f"{place}/" for place in _MOUNTED))
