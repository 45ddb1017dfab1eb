"""Which package each kept name belongs to: the one that ships it, or for state the one that makes or needs it."""

from __future__ import annotations

from collections import defaultdict
from functools import cached_property
from typing import TYPE_CHECKING

from pruner.bytewise import bytewise
from pruner.model import FileType
from pruner.plan.types import Decision
from pruner.slices.makers import Makers

if TYPE_CHECKING:
    from collections.abc import Mapping

    from pruner.plan.slicefacts import SliceFacts
    from pruner.plan.types import FilePlan, Plan

BASE = "base-files"
"""Brings what belongs to no other package (Debian Policy has it make the file hierarchy)."""


_MANY = 3


class Owners:
    """Answers for the kept names `kept` of one plan."""

    def __init__(self, plan: Plan, facts: SliceFacts, kept: Mapping[str, FilePlan]) -> None:
        self._plan = plan
        self._kept = kept
        self._facts = facts
        self._state = frozenset(facts.state)
        names: defaultdict[str, set[str]] = defaultdict(set)
        conffiles: defaultdict[str, set[str]] = defaultdict(set)
        self._dropped = frozenset(archive.name for archive in facts.archives if not archive.kept)
        for archive in facts.archives:
            names[archive.name].update(archive.listed)
            conffiles[archive.name].update(archive.conffiles)
        self.listed = {name: tuple(bytewise(names[name])) for name in sorted(names)}
        self._conffiles = conffiles
        self._names = names
        self._name_of = {
            package.id: package.name
            for package in plan.packages
            if package.type == "deb" and package.name in names and package.decision is not Decision.DROP
        }
        self._aliases = [
            (file.path, f"/{file.target.strip('/')}")
            for file in plan.files
            if file.type is FileType.SYMLINK and file.path.count("/") == 1 and file.target
        ]

    def package(self, path: str) -> str:
        """Name of the package that ships the kept name `path`, or else of the one that makes or needs it."""
        return self._packages[path]

    def shipped(self, path: str) -> str | None:
        """The name that the package's archive has `path` under; None where it has none, or not as it is."""
        return self._shipped[path]

    def maker(self, path: str) -> str:
        """The maintainer script of its package that makes state; empty where it is not known."""
        made = self._made.get(path)
        return made[1] if made is not None and made[0] == self._packages[path] else ""

    def is_of_dropped(self, path: str) -> bool:
        """Whether a package that the plan drops has made the kept name."""
        return self._packages[path] in self._dropped

    def is_local(self, path: str) -> bool:
        """Whether the kept name is in no package, and nothing is seen to make it. No directory is."""
        file = self._kept[path]
        return (
            file.type is not FileType.DIRECTORY
            and file.package is None
            and self._shipped[path] is None
            and path not in self._made
            and not self._is_link_of_root(path)
        )

    def is_conffile(self, path: str, shipped: str) -> bool:
        """Whether the kept name is a configuration file of its package."""
        return shipped in self._conffiles[self._packages[path]]

    @cached_property
    def _shipped(self) -> Mapping[str, str | None]:
        return {path: self._shipped_name(path, file) for path, file in self._kept.items()}

    def _shipped_name(self, path: str, file: FilePlan) -> str | None:
        if file.type is FileType.DIRECTORY:
            return next((name for name in self._spelled(path) if name in self._directories), None)
        return None if path in self._state else self._facts.renamed.get(path, path)

    def _spelled(self, path: str) -> list[str]:
        """The real path, and the names that lead to it through links of `/`."""
        return [
            path,
            *(alias + path[len(target) :] for alias, target in self._aliases if f"{path}/".startswith(f"{target}/")),
        ]

    @cached_property
    def _directories(self) -> Mapping[str, str]:
        """The package that stands for each name that is shipped and that may be a directory: of several the first."""
        found: dict[str, str] = {}
        for package, names in self.listed.items():
            for name in names if package not in self._dropped else ():
                found.setdefault(name, package)
        return found

    @cached_property
    def _made(self) -> Mapping[str, tuple[str, str]]:
        """For state the package and the script that makes it."""
        return {path: made for path in self._unshipped if (made := self._makers.of(path)) is not None}

    @cached_property
    def _unshipped(self) -> tuple[str, ...]:
        """State but for the links of `/`."""
        return tuple(p for p, name in self._shipped.items() if name is None and not self._is_link_of_root(p))

    @cached_property
    def _makers(self) -> Makers:
        return Makers(self._facts, {path: self._kept[path] for path in self._unshipped}, self._owner)

    def _owner(self, path: str) -> str | None:
        file = self._kept.get(path)
        return None if file is None or file.package is None else self._name_of.get(file.package)

    @cached_property
    def _packages(self) -> Mapping[str, str]:
        found: dict[str, str] = {}
        for path, file in self._kept.items():
            shipped = self._shipped[path]
            owner = self._owner(path)
            if file.type is FileType.DIRECTORY and shipped is not None:
                fits = owner is not None and shipped in self._names[owner]
                found[path] = owner if fits and owner is not None else self._directories[shipped]
            elif shipped is None and self._is_link_of_root(path):
                found[path] = BASE
            elif owner is not None:
                found[path] = owner
            elif path in self._made:
                found[path] = self._made[path][0]
            elif shipped is None and (near := self._makers.near(path)) is not None:
                found[path] = near
        nearest = self._nearest(found)
        for path in self._kept:
            if path not in found:
                found[path] = nearest.get(path) or BASE
        self._adopt_directories(found)
        return found

    def _adopt_directories(self, found: dict[str, str]) -> None:
        """A directory that nothing makes by name or needs belongs with what is first made in it."""
        below: dict[str, str] = {}
        for path in reversed(tuple(self._kept)):
            file = self._kept[path]
            is_adopted = file.type is FileType.DIRECTORY and self._shipped[path] is None and path not in self._made
            if is_adopted and found[path] == BASE and path in below:
                found[path] = below[path]
            below[path.rpartition("/")[0]] = found[path]

    def _nearest(self, known: Mapping[str, str]) -> Mapping[str, str]:
        """For every node the package of the nearest file that leads to it over the plan's edges.

        What files of many packages lead to, all as near, is the system's, and belongs to the base.
        """
        outgoing: defaultdict[str, list[str]] = defaultdict(list)
        for edge in self._plan.edges:
            outgoing[edge.source].append(edge.target)
        nearest: dict[str, str] = {}
        level = [(path, package) for path, package in known.items() if self._shipped.get(path) is not None]
        seen = {path for path, _ in level}
        while level:
            reached: defaultdict[str, set[str]] = defaultdict(set)
            for node, package in level:
                for target in outgoing.get(node, ()):
                    if target not in seen:
                        reached[target].add(self._package_of_node(target) or package)
            seen |= reached.keys()
            level = [
                (node, BASE if len(packages) >= _MANY and node.startswith("/") else min(packages))
                for node, packages in reached.items()
            ]
            nearest.update(level)
        return nearest

    def _package_of_node(self, node: str) -> str | None:
        kind, _, name = node.partition(":")
        return self._name_of.get(name) if kind == "package" else None  # type: ignore[call-overload]

    def _is_link_of_root(self, path: str) -> bool:
        """Whether it is a link of `/`, as those of a merged `/usr` are: all need it, and no one package makes it."""
        return any(path == alias for alias, _ in self._aliases)
