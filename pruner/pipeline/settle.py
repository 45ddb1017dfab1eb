"""The choices that a closure leaves open, solved together: of the packages that would do, the smallest set.

What is kept already costs nothing and satisfies its clause; the options' own declared needs count with them.
"""

from __future__ import annotations

import re
import time
from typing import TYPE_CHECKING

from pruner.model import Edge, PackageId, node_kind, node_name, package_node, requires_node

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping

    from pruner.analyze.view import View
    from pruner.model import Choice, Node, Package

    Clauses = tuple[tuple[PackageId, ...], ...]
    Literals = tuple[int, ...]


_NAME = re.compile(r"[A-Za-z0-9@][A-Za-z0-9@/+._-]*")
_SECONDS = 20.0
"""No root is known that takes a tenth; one made to be hard is settled by the best answer seen, or in named order."""


class Settler:
    """Answers the open choices of one view; `needs_of` gives the clauses of a package that must be satisfied."""

    def __init__(self, view: View, needs_of: Callable[[PackageId], Clauses]) -> None:
        self._view = view
        self._needs_of = needs_of

    def edges(self, reached: Mapping[Node, bool], choices: tuple[Choice, ...]) -> list[Edge]:
        """For every open choice the edge to an option that is kept already, or else to the one that is chosen.

        Named packages before providers, then least installed size, least count, and the order of options. A needed
        package is a node of its own, so that one may be kept whole while nothing has said that it is needed.
        """
        kept = {choice: next((one for one in choice.options if _is_kept(one, reached)), None) for choice in choices}
        chosen = self._chosen(reached, [choice for choice, option in kept.items() if option is None])
        return [_edge(choice, option or chosen[choice]) for choice, option in kept.items()]

    def _chosen(self, reached: Mapping[Node, bool], choices: list[Choice]) -> dict[Choice, Node]:
        if not choices:
            return {}
        from pruner.select.kernel import Problem, solve

        numbers: dict[PackageId, int] = {}
        clauses = [
            _numbered(self._named(self._owner(choice.source), map(_package, choice.options)), numbers)
            for choice in choices
        ]
        clauses += self._needs(reached, numbers)
        sizes = {number: self._kib(package) for package, number in numbers.items()}
        problem = Problem(clauses=tuple(clauses), costs=(sizes, dict.fromkeys(sizes, 1)))
        true = solve(problem, deadline=time.monotonic() + _SECONDS).true
        return {
            choice: next((one for one in choice.options if numbers[_package(one)] in true), choice.options[0])
            for choice in choices
        }

    def _needs(self, reached: Mapping[Node, bool], numbers: dict[PackageId, int]) -> list[Literals]:
        """The clauses of the packages in `numbers` and of all that they reach, which are added to it."""
        found = []
        waiting = list(numbers)
        while waiting:
            package = waiting.pop()
            for clause in self._needs_of(package):
                if clause and not any(_is_needed(option, reached) for option in clause):
                    options = self._named(self._view.packages[package], clause)
                    waiting += [option for option in options if option not in numbers]
                    found.append((-numbers[package], *_numbered(options, numbers)))
        return found

    def _owner(self, source: Node) -> Package | None:
        return self._view.owner(source) if node_kind(source) == "file" else self._view.packages.get(_package(source))

    def _named(self, package: Package | None, options: Iterable[PackageId]) -> tuple[PackageId, ...]:
        """The options that the package names, before those that only provide a name; all where it names none.

        What a packager names is made to bring the rest along: of `default-jre-headless | java8-runtime-headless` the
        first keeps a Java whole, and any Java that is installed provides the second.
        """
        everyone = tuple(options)
        texts = () if package is None else (*package.pre_depends, *package.depends)
        names = {name for text in texts for name in _NAME.findall(text)}
        return tuple(one for one in everyone if self._view.packages[one].name in names) or everyone

    def _kib(self, package: PackageId) -> int:
        """What the package declares, or where that is nothing what its files add up to, in KiB rounded up."""
        size = self._view.packages[package].installed_bytes
        if not size:
            files = (self._view.tree.files.get(path) for path in self._view.owned(package))
            size = sum(file.bytes for file in files if file is not None and file.hardlink is None)
        return -(-size // 1024)


def _numbered(packages: Iterable[PackageId], numbers: dict[PackageId, int]) -> Literals:
    return tuple(numbers.setdefault(package, len(numbers) + 1) for package in packages)


def _package(option: Node) -> PackageId:
    return PackageId(node_name(option))


def _edge(choice: Choice, option: Node) -> Edge:
    return Edge(source=choice.source, target=option, kind=choice.kind, evidence=choice.evidence)


def _is_kept(option: Node, reached: Mapping[Node, bool]) -> bool:
    return package_node(_package(option)) in reached


def _is_needed(package: PackageId, reached: Mapping[Node, bool]) -> bool:
    return package_node(package) in reached or requires_node(package) in reached
