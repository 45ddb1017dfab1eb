"""Shared libraries: those that the entry points load, those that other programs load, and those that nothing loads.

By DT_NEEDED alone, which a loader follows before a program begins; what a program opens itself (dlopen(3): plugins,
NSS modules) is named by nothing and counts as idle.
"""

from __future__ import annotations

import posixpath
import re
from collections import defaultdict
from typing import TYPE_CHECKING

from pruner.gate.types import SideKind, SurfaceItem
from pruner.model import FileType

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from pruner.gate.types import Binary, Side
    from pruner.rootfs.tree import Tree

_LIBRARY = re.compile(r"(?:^|/)(?:[^/]+\.so(?:\.[^/]+)?|ld-[^/]+\.so[^/]*)\Z")
_SYSTEM = re.compile(r"/(?:usr/)?(?:local/)?lib(?:32|64|x32)?/(?:[a-z0-9_]+-linux-[a-z0-9]+/)?[^/]+\Z")
"""Where a loader looks without being told (ld.so(8)), Debian's multiarch directories included."""
_ON_PATH, _ELSEWHERE, _IDLE = "library", "other-library", "idle-library"


def library_items(side: Side, tree: Tree, entries: Sequence[str]) -> tuple[list[SurfaceItem], tuple[str, ...]]:
    """Items of `side`'s libraries, and the categories that can't be told: all where links may be missing."""
    binaries = side.binaries
    stated = side.kind is SideKind.ROOT or any(one.libraries is not None for one in (binaries or {}).values())
    if binaries is None or not side.complete or not stated:
        return [], (_IDLE, _ON_PATH, _ELSEWHERE)
    files = side.files or {}
    needs = Needs(binaries, tree)
    begun = [path for path in entries if path in files]
    on_path = needs.reached(begun)
    starting = [path for path, binary in binaries.items() if binary.starts and (files[path].mode or 0) & 0o111]
    loaded = needs.reached(starting)
    items = []
    for path in sorted(binaries):
        if not binaries[path].elf or not _LIBRARY.search(path) or path in begun:
            continue
        category = _ON_PATH if path in on_path else _ELSEWHERE if path in loaded else _IDLE
        if not begun and category != _IDLE:
            continue
        items.append(SurfaceItem(category=category, path=path, owner=files[path].owner))
    return items, () if begun else (_ON_PATH, _ELSEWHERE)


class Needs:
    """Which files a loader or the kernel takes for a file."""

    def __init__(self, binaries: Mapping[str, Binary], tree: Tree) -> None:
        self._binaries = binaries
        self._tree = tree
        self._named: defaultdict[str, list[str]] = defaultdict(list)
        for path, file in tree.files.items():
            if ".so" in path and (path in binaries or file.type is FileType.SYMLINK):
                self._named[path[path.rindex("/") + 1 :]].append(path)
        self._found: dict[str, tuple[str, ...]] = {}

    def reached(self, starts: Iterable[str]) -> set[str]:
        """Real paths of everything that a loader or the kernel takes for `starts`, these included."""
        pending = list(starts)
        seen = set(pending)
        while pending:
            for path in self.direct(pending.pop()):
                if path not in seen:
                    seen.add(path)
                    pending.append(path)
        return seen

    def direct(self, path: str) -> list[str]:
        """Real paths of its DT_NEEDED libraries and of its interpreter."""
        binary = self._binaries.get(path)
        if binary is None:
            return []
        found = [real for name in binary.libraries or () for real in self._libraries(name, path)]
        interpreter = self._tree.resolve(binary.interpreter).path if binary.interpreter else None
        return found if interpreter is None else [*found, interpreter]

    def _libraries(self, name: str, wanted_by: str) -> tuple[str, ...]:
        """Where a library of that name lies: beside the one that wants it, in a system directory, else anywhere."""
        if "/" in name:
            real = self._tree.resolve(name).path
            return () if real is None else (real,)
        known = self._found.get(name)
        if known is None:
            paths = self._named.get(name, [])
            chosen = [path for path in paths if _SYSTEM.match(path)] or paths
            known = self._found[name] = tuple(
                sorted({real for path in chosen if (real := self._tree.resolve(path).path) is not None})
            )
        beside = self._tree.resolve(posixpath.join(posixpath.dirname(wanted_by), name)).path
        return known if beside is None or beside in known else (*known, beside)
