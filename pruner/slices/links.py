"""Which slices come along with which: the essentials of a release as a graph that grows."""

from __future__ import annotations

from collections import defaultdict
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable

    from pruner.slices.types import Essential, Release, SliceKey


class Links:
    """Essentials by slice, those of the package included."""

    def __init__(self, release: Release) -> None:
        self._all: defaultdict[SliceKey, set[SliceKey]] = defaultdict(set)
        self._everywhere: defaultdict[SliceKey, set[SliceKey]] = defaultdict(set)
        for package in release.packages.values():
            for one in package.slices:
                self.add(one.key, [*one.essential, *package.essential])

    def add(self, key: SliceKey, essentials: Iterable[Essential]) -> None:
        """Let `key` need `essentials` too; a slice that needs itself is passed over, as chisel does for packages."""
        for essential in essentials:
            if essential.key != key:
                self._all[key].add(essential.key)
                if not essential.arch:
                    self._everywhere[key].add(essential.key)

    def reached(self, keys: Iterable[SliceKey], *, everywhere: bool = True) -> set[SliceKey]:
        """All that comes along with `keys`, themselves included; on every architecture, or on any."""
        links = self._everywhere if everywhere else self._all
        seen: set[SliceKey] = set()
        todo = list(keys)
        while todo:
            key = todo.pop()
            if key not in seen:
                seen.add(key)
                todo.extend(links.get(key, ()))
        return seen

    def unreached(self, keys: Iterable[SliceKey], wanted: Iterable[SliceKey]) -> tuple[SliceKey, ...]:
        """Those of `wanted` that don't come along with `keys`, sorted."""
        seen = self.reached(keys)
        return tuple(sorted({key for key in wanted if key not in seen}))

    def closes_circle(self, key: SliceKey, wanted: Iterable[SliceKey]) -> bool:
        """Whether `key` would come along with itself if it needed `wanted`."""
        return key in self.reached(wanted, everywhere=False)

    def reduced(self, keys: Iterable[SliceKey]) -> tuple[SliceKey, ...]:
        """`keys` without those that come along with others of them, sorted."""
        left = set(keys)
        for key in sorted(left):
            if key in self.reached(left - {key}):
                left.discard(key)
        return tuple(sorted(left))
