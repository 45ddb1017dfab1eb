"""Paths and path patterns by component, so that what a pattern meets is found without looking at all of them."""

from __future__ import annotations

from bisect import bisect_left
from typing import TYPE_CHECKING, Generic, TypeVar

from pruner.slices.patterns import components_overlap, is_pattern, literal_prefix

if TYPE_CHECKING:
    from collections.abc import Iterator

Value = TypeVar("Value")


class NameNode(Generic[Value]):
    """One component below its parents."""

    __slots__ = ("_met", "_sorted", "children", "values", "wild")

    def __init__(self) -> None:
        self.children: dict[str, NameNode[Value]] = {}
        self.wild: dict[str, list[str]] = {}
        """Children with a wildcard by their text before the first one, so that they need not all be tried."""
        self.values: list[Value] = []
        """What was added under this very name."""
        self._sorted: list[str] | None = None
        self._met: dict[str, list[NameNode[Value]]] = {}

    def meeting(self, component: str) -> list[NameNode[Value]]:
        """Children that `component`, which holds no `**`, has a name in common with."""
        if not is_pattern(component):
            found = [self.children[component]] if component in self.children else []
            return [*found, *(self.children[name] for name in self._shorter(component, component))]
        met = self._met.get(component)
        if met is None:
            met = self._met[component] = [self.children[name] for name in self._near(component)]
        return met

    def _near(self, component: str) -> Iterator[str]:
        """Names of children that the pattern `component` overlaps: those with its literal start, and patterns."""
        if self._sorted is None:
            self._sorted = sorted(self.children.keys() - {"**"})
        start = literal_prefix(component)
        for at in range(bisect_left(self._sorted, start), len(self._sorted)):
            name = self._sorted[at]
            if not name.startswith(start):
                break
            if components_overlap(name, component):
                yield name
        yield from self._shorter(component, start[:-1]) if start else ()

    def _shorter(self, component: str, start: str) -> Iterator[str]:
        """Children with a wildcard after no more than `start` or a beginning of it that `component` overlaps."""
        if self.wild:
            for size in range(len(start) + 1):
                for name in self.wild.get(start[:size], ()):
                    if components_overlap(name, component):
                        yield name


class NameTree(Generic[Value]):
    """Values under absolute paths or patterns. All are added before the first question.

    `**` may only be the whole of the last component, as in `/usr/share/zoneinfo/**`.
    """

    def __init__(self) -> None:
        self.root: NameNode[Value] = NameNode()

    def add(self, path: str, value: Value) -> None:
        """Add `value` under `path`; a directory's trailing slash counts."""
        node = self.root
        for component in path.split("/")[1:]:
            child = node.children.get(component)
            if child is None:
                child = node.children[component] = NameNode()
                if component != "**" and is_pattern(component):
                    node.wild.setdefault(literal_prefix(component), []).append(component)
            node = child
        node.values.append(value)

    def nodes(self, pattern: str) -> Iterator[NameNode[Value]]:
        """The nodes whose name has a path in common with `pattern`, without those that only lie below."""
        yield from _nodes(self.root, pattern.split("/")[1:], 0)

    def overlapping(self, pattern: str) -> Iterator[Value]:
        """The values under names that have a path in common with `pattern`, itself included."""
        for node in self.nodes(pattern):
            yield from node.values


def _nodes(node: NameNode[Value], components: list[str], at: int) -> Iterator[NameNode[Value]]:
    if at == len(components):
        yield node
        return
    deep = node.children.get("**")
    if deep is not None:
        yield deep
    component = components[at]
    if component == "**":
        yield from _all(node, deep)
        return
    for child in node.meeting(component):
        yield from _nodes(child, components, at + 1)


def _all(node: NameNode[Value], without: NameNode[Value] | None) -> Iterator[NameNode[Value]]:
    """Every node below `node`."""
    for child in node.children.values():
        if child is not without:
            yield child
            yield from _all(child, None)
