"""Which capability would bring a path that the pruned root lacks."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pruner.model import Inventory

if TYPE_CHECKING:
    from collections.abc import Iterator

    from pruner.plan.types import Plan
    from pruner.rootfs.tree import Tree
    from pruner.rules import RuleSet


_NO_VALUE = "-"
"""A value that nothing is named after: what it brings, every value brings."""


class Features:
    """Answers from the rules; capabilities that the plan provides already are no answer."""

    def __init__(self, rules: RuleSet, tree: Tree, plan: Plan) -> None:
        inventory = Inventory(name="", format="", distro=plan.distro, files=tree.files, has_content=True)
        self._rules = rules.bind(inventory, tree)
        self._given = frozenset(plan.capabilities)
        self._names = rules.capabilities
        reached = {name: self._paths(name, None) for name in self._names if name not in self._given}
        self._any_value = {name: self._paths(name, _NO_VALUE) for name in self._names}
        self._plain = sorted(reached.items(), key=lambda item: (len(item[1]), item[0]))

    def of(self, path: str) -> str | None:
        """`NAME` or `NAME=VALUE` for `--feature`, the one that brings least; None where no rule names the path."""
        for value in _values(path):
            for name in self._names:
                if f"{name}={value}" not in self._given and path in self._paths(name, value) - self._any_value[name]:
                    return f"{name}={value}"
        return next((name for name, paths in self._plain if path in paths), None)

    def _paths(self, name: str, value: str | None) -> frozenset[str]:
        return frozenset(str(edge.target) for edge in self._rules.edges_of_capability(name, value).edges)


def _values(path: str) -> Iterator[str]:
    """What of a path may be a capability's value: how it ends (`Europe/Bratislava`), then each component."""
    components = path.strip("/").split("/")
    for start in range(len(components) - 1, 0, -1):
        yield "/".join(components[start:])
    yield from reversed(components[1:-1])
