"""What the targets of rules stand for in one root filesystem."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

from pruner.model import EdgeKind, FileType, Node, Package, file_node, package_node
from pruner.rules.match import DISTRIBUTION_TYPES
from pruner.rules.patterns import BIN_DIRECTORIES, concrete, name_pattern, quoted, unmerged

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence

    from pruner.rootfs.tree import Tree
    from pruner.rules.types import Rule

_PLACEHOLDER = re.compile(r"\{([^{}]*)\}")
_WILDCARD = re.compile(r"[*?\[]")
_EVERYWHERE = frozenset({"bin", "lib"})
_MAY_BE_EMPTY = frozenset({"prefix"})


@dataclass(frozen=True, slots=True)
class _Expansion:
    """What one filled-in pattern stands for: paths in bytewise order, and directory links passed on the way there."""

    paths: tuple[str, ...]
    links: tuple[str, ...]


class Targets:
    """Expands targets over a tree; remembers what it expanded."""

    def __init__(
        self,
        tree: Tree,
        packages: Sequence[Package],
        search_path: tuple[str, ...],
        is_documentation: Callable[[str], bool],
    ) -> None:
        self._tree = tree
        self._packages = packages
        self._search_path = search_path
        self._is_documentation = is_documentation
        self._expansions: dict[str, _Expansion] = {}
        self._names: dict[str, list[tuple[str, tuple[str, ...]]]] | None = None

    def of(self, target: str, values: Mapping[str, str], rule: Rule) -> Iterator[tuple[Node, EdgeKind]]:
        """The nodes that an item of `keep` (except `owner`) names, each with the kind of its edge."""
        if target.startswith("package:"):
            for package in self._named(_filled(target[8:], values, escape=True)):
                yield package_node(package.id), rule.kind or EdgeKind.RULE
        elif target.startswith("command:"):
            name = _filled(target[8:], values, escape=False)
            found = self._tree.which(name, self._search_path) if name else None
            if found is not None:
                yield file_node(found), rule.kind or EdgeKind.EXEC
        else:
            yield from self._files(target, values, rule, rule.kind or EdgeKind.DATA)

    def names_of(self, path: str, *, alternatives: bool) -> Iterator[Node]:
        """Links in directories of programs that lead to the real path `path`, with the links on their way.

        With `alternatives` only those that pass /etc/alternatives (update-alternatives(1)).
        """
        if self._names is None:
            self._names = {}
            directories = (self._tree.resolve(directory).path for directory in BIN_DIRECTORIES)
            for directory in dict.fromkeys(real for real in directories if real is not None):
                for name in self._tree.children(directory):
                    found = self._tree.resolve(name)
                    if found.links and found.path is not None:
                        self._names.setdefault(found.path, []).append((name, found.links))
        for name, links in self._names.get(path, ()):
            if not alternatives or any(link.startswith("/etc/alternatives/") for link in links):
                yield from (file_node(link) for link in dict.fromkeys((name, *links)))

    def of_state(self, rule: Rule, values: Mapping[str, str]) -> Iterator[tuple[Node, EdgeKind]]:
        """The nodes of `directory` (directories and links to them) and of `link`."""
        for target in rule.directories:
            for node, kind in self._files(target.rstrip("/") or "/", values, rule, EdgeKind.STATE):
                file = self._tree.get(node)
                if file is not None and file.type in {FileType.DIRECTORY, FileType.SYMLINK}:
                    yield node, kind
        for target in rule.links:
            yield from self._files(target, values, rule, EdgeKind.STATE)

    def _files(
        self, target: str, values: Mapping[str, str], rule: Rule, kind: EdgeKind
    ) -> Iterator[tuple[Node, EdgeKind]]:
        pattern = _filled(target, values, escape=True)
        if pattern is None or not pattern.startswith(("/", "{")):
            return
        expansion = self._expansion(pattern)
        kept = [path for path in expansion.paths if not _is_excepted(path, rule)]
        for path in kept:
            yield file_node(path), kind
        for path in expansion.links if kept else ():
            yield file_node(path), EdgeKind.LINK

    def _expansion(self, pattern: str) -> _Expansion:
        found = self._expansions.get(pattern)
        if found is None:
            found = self._expansions[pattern] = self._expand(pattern)
        return found

    def _expand(self, pattern: str) -> _Expansion:
        paths: dict[str, None] = {}
        links: dict[str, None] = {}
        for spelling in concrete(pattern):
            new = [path for path in self._matching(spelling) if path not in paths and path != "/"]
            if not new:
                continue
            paths.update(dict.fromkeys(new))
            links.update(dict.fromkeys(self._tree.resolve(_directory(spelling)).links))
        return _Expansion(tuple(sorted(paths)), tuple(links))

    def _matching(self, pattern: str) -> Sequence[str]:
        """Located paths; those of a drop class only where the pattern itself starts inside that class."""
        wanted = self._is_documentation(_literal(pattern))
        if not pattern.endswith("/"):
            matched = self._tree.glob(pattern)
            exact = _WILDCARD.search(pattern) is None
            return matched if wanted or exact else [path for path in matched if not self._is_documentation(path)]
        matched = self._tree.glob(pattern.rstrip("/"))
        below: list[str] = []
        for path in matched:
            real = self._tree.resolve(path).path
            below.append(path)
            if real is not None and real != "/":
                inside = (real, *self._tree.under(real))
                below.extend(name for name in inside if wanted or not self._is_documentation(name))
        return below

    def _named(self, text: str | None) -> Iterator[Package]:
        """Packages by `GLOB`, those of distributions, or by `TYPE/GLOB`."""
        if not text:
            return
        ecosystem, _, glob = text.rpartition("/")
        types = frozenset({ecosystem}) if ecosystem else DISTRIBUTION_TYPES
        pattern = name_pattern(glob)
        for package in self._packages:
            if package.type in types and pattern.captures(package.name) is not None:
                yield package


def _filled(text: str, values: Mapping[str, str], *, escape: bool) -> str | None:
    """`text` with its placeholders filled in, except `{bin}` and `{lib}`; None where one has no value."""
    names = set(_PLACEHOLDER.findall(text)) - _EVERYWHERE
    if any(name not in values or (not values[name] and name not in _MAY_BE_EMPTY) for name in names):
        return None

    def value(found: re.Match[str]) -> str:
        if found[1] in _EVERYWHERE:
            return found[0]
        return quoted(values[found[1]]) if escape else values[found[1]]

    return _PLACEHOLDER.sub(value, text)


def _is_excepted(path: str, rule: Rule) -> bool:
    if not rule.exceptions:
        return False
    spelled = unmerged(path)
    return any(pattern.captures(spelled) is not None for pattern in rule.exceptions)


def _literal(pattern: str) -> str:
    """The pattern up to its first wildcard."""
    wildcard = _WILDCARD.search(pattern)
    return pattern.rstrip("/") if wildcard is None else pattern[: wildcard.start()]


def _directory(pattern: str) -> str:
    """The directory above the first component with a wildcard, or above the last component."""
    return _literal(pattern).rpartition("/")[0] or "/"
