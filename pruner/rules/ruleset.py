"""The rules that were loaded, and what they say without looking at a root filesystem."""

from __future__ import annotations

import difflib
import re
from functools import cached_property
from typing import TYPE_CHECKING

from pruner.errors import InputError
from pruner.model import DEFAULT_SEARCH_PATH, Inventory, Package
from pruner.rules.bound import BoundRules
from pruner.rules.match import about_package, holds_for_distro
from pruner.rules.patterns import unmerged
from pruner.rules.types import Option, Rule

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from pruner.rootfs.tree import Tree
    from pruner.rules.patterns import Pattern


class RuleSet:
    """Rules in the order of their packs and files."""

    def __init__(self, rules: Sequence[Rule]) -> None:
        self.rules = tuple(rules)
        self._by_id: Mapping[str, Rule] = {rule.id: rule for rule in self.rules}

    def find(self, identifier: str) -> Rule:
        """The rule of that id. Raises `InputError` with the nearest ids where there is none."""
        rule = self._by_id.get(identifier)
        if rule is None:
            near = difflib.get_close_matches(identifier, self._by_id, n=3)
            hint = f"did you mean {' or '.join(near)}?" if near else "`pruner rules list` prints all ids"
            raise InputError(f"rule {identifier!r} does not exist", hint=hint)
        return rule

    def why_of(self, identifier: str | None) -> str:
        """Why the rule of that id is one; empty where there is none."""
        rule = self._by_id.get(identifier or "")
        return "" if rule is None else rule.why

    @cached_property
    def capabilities(self) -> tuple[str, ...]:
        """Names of the capabilities that some rule answers to, sorted; what `--feature` may name."""
        return tuple(
            sorted({pattern.text.partition("=")[0] for rule in self.rules for pattern in rule.when.capabilities})
        )

    def bind(self, inventory: Inventory, tree: Tree, search_path: Sequence[str] = DEFAULT_SEARCH_PATH) -> BoundRules:
        """The rules that hold for the inventory's distribution, with the names that their targets stand for."""
        rules = tuple(rule for rule in self.rules if holds_for_distro(rule, inventory.distro))
        return BoundRules(RuleSet(rules), inventory, tree, tuple(search_path))

    def drop_class_of(self, path: str) -> tuple[str, Rule] | None:
        """The class (`documentation`, `development`, …) whose files are left out of whole packages, and its rule."""
        spelled = unmerged(path)
        if not self._dropped.match(spelled):
            return None
        for rule, files, exceptions in self._drop_rules:
            if rule.drop is not None and files.match(spelled) and not exceptions.match(spelled):
                return rule.drop.name, rule
        return None

    def is_documentation(self, path: str) -> bool:
        """Whether `path` is of a class that nothing reads at run time, so that no whole package brings it."""
        known = self._documentation.get(path)
        if known is None:
            known = self._documentation[path] = self.drop_class_of(path) is not None
        return known

    def optional_for(self, path: str, package: Package) -> Option | None:
        """Whether a file of a package that is kept whole may be left out; None where it belongs to it like any other.

        The path `""` stands for the package itself, asked for by nothing but a declared dependency.
        """
        spelled = unmerged(path)
        for rule in self._optional_rules(package):
            optional = rule.optional
            if optional is None or any(pattern.captures(spelled) is not None for pattern in rule.exceptions):
                continue
            if any(pattern.captures(spelled) is not None for pattern in optional.files) or not (path or optional.files):
                return Option(group=optional.group, default=optional.default, why=rule.why, rule=rule.id)
        return None

    def _optional_rules(self, package: Package) -> tuple[Rule, ...]:
        found = self._optional_by_package.get(package.id)
        if found is None:
            found = tuple(
                rule
                for rule in self.rules
                if rule.optional
                and (rule.optional.files or not rule.has_edges)
                and about_package(rule, package) is not None
            )
            self._optional_by_package[package.id] = found
        return found

    @cached_property
    def _documentation(self) -> dict[str, bool]:
        return {}

    @cached_property
    def _optional_by_package(self) -> dict[str, tuple[Rule, ...]]:
        return {}

    @cached_property
    def _dropped(self) -> re.Pattern[str]:
        """One expression that every path of a drop class matches; most paths fail here, at once."""
        return _any_of(pattern for rule in self.rules if rule.drop for pattern in rule.drop.files)

    @cached_property
    def _drop_rules(self) -> tuple[tuple[Rule, re.Pattern[str], re.Pattern[str]], ...]:
        """The rules of drop classes with one expression for their files and one for their exceptions."""
        return tuple((rule, _any_of(rule.drop.files), _any_of(rule.exceptions)) for rule in self.rules if rule.drop)


def _any_of(patterns: Iterable[Pattern]) -> re.Pattern[str]:
    expressions = (f"(?:{pattern.expression})\\Z" for pattern in patterns)
    return re.compile("|".join(expressions) or r"(?!)", re.DOTALL)
