"""Directories that one slice has in full: a line `DIRECTORY/**` instead of thousands that nobody reads."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

from pruner.rules.slicing import shared_names
from pruner.slices.arches import TRIPLETS

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from pruner.slices.nametree import NameNode
    from pruner.slices.paths import Shipped
    from pruner.slices.types import SliceKey

FEWEST = 50
"""Names below a directory that are still better read one by one."""
_HOMES = ("/usr/share", "/usr/lib", "/usr/libexec", "/usr/include")
"""Where packages have directories of their own: FHS 3.0, chapter 4."""
_VERSION = re.compile(r"\d+(\.\d+)*|.*\d\.\d.*")
"""A directory's name with a version in it, which no pattern may cross: the next release has another."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Whole:
    """A directory all of whose names are in one slice."""

    key: SliceKey
    directory: str
    names: tuple[str, ...]
    """Sorted; of directories those that are in `plain`."""


def whole_directories(
    root: NameNode[Shipped], plain: Mapping[str, SliceKey], others: Iterable[str], architecture: str
) -> tuple[Whole, ...]:
    """The topmost directories that nothing but one slice has names in, of packages' own and worth a pattern.

    `root` holds what all packages ship, `plain` the slice of each name that is taken as it is (directories with a
    trailing slash), `others` every further path of the release, which may not lie below.
    """
    blocked = set()
    for path in others:
        while (path := path.rpartition("/")[0]) and path not in blocked:
            blocked.add(path)
    homes = {*_HOMES, *(f"{home}/{TRIPLETS.get(architecture)}" for home in ("/usr/lib", "/usr/include"))}
    found: list[Whole] = []
    for home in sorted(homes):
        node: NameNode[Shipped] | None = root
        for component in home.split("/")[1:]:
            node = None if node is None else node.children.get(component)
        if node is not None:
            found += _below(node, home, homes, _Search(plain, frozenset(blocked)))
    return tuple(found)


class _Search:
    def __init__(self, plain: Mapping[str, SliceKey], blocked: frozenset[str]) -> None:
        self.plain = plain
        self.blocked = blocked

    def slice_of(self, node: NameNode[Shipped], path: str) -> tuple[SliceKey | None, list[str]]:
        """The slice that has all names below the directory `path`, with these; None where there is no one slice."""
        key: SliceKey | None = None
        package = ""
        names: list[str] = []
        todo = [(node, path)]
        while todo:
            here, name = todo.pop()
            owners = {one.package for one in here.values}
            package = package or next(iter(owners), "")
            if owners - {package} or name in self.blocked:
                return None, []
            if name != path and here.children and _VERSION.fullmatch(name.rpartition("/")[2]):
                return None, []
            todo += [(child, f"{name}/{component}") for component, child in here.children.items()]
            spelling = f"{name}/" if f"{name}/" in self.plain else name
            mine = self.plain.get(spelling)
            if mine is None and (here.children or name == path):
                continue
            if mine is None or mine.package != package or (key is not None and mine != key):
                return None, []
            key = mine
            names.append(spelling)
        return key, names


def _below(node: NameNode[Shipped], path: str, homes: set[str], search: _Search) -> Iterator[Whole]:
    """Whole directories below `path`, each without those further in."""
    for component, child in node.children.items():
        name = f"{path}/{component}"
        if not child.children or name in homes:
            continue
        key, names = (None, []) if component in shared_names() else search.slice_of(child, name)
        if key is not None and len(names) >= FEWEST:
            yield Whole(key=key, directory=name, names=tuple(sorted(names)))
        elif key is None:
            yield from _below(child, name, homes, search)
