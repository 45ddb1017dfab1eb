"""Which edges are followed: the profile, the user's words, and the default of each edge, in that order of weakness."""

from __future__ import annotations

import fnmatch
import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from pruner.model import Edge, EdgeKind, Node, Strength, node_kind, node_name
from pruner.pipeline.request import Profile

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Sequence

SHELL_COMMANDS = "shell-commands"


@dataclass(frozen=True, slots=True, kw_only=True)
class Policy:
    """Answers `accepts(edge)` for the kernel; equal edges always get equal answers."""

    profile: Profile
    accept: tuple[str, ...]
    refuse: tuple[str, ...]
    entry_files: frozenset[str]
    """Files that entry points name: their shell commands are accepted by default, and `drop` can't reach them."""
    is_dropped: Callable[[str], bool]
    _answers: dict[Edge, bool] = field(default_factory=dict, repr=False)

    def accepts(self, edge: Edge) -> bool:
        """Whether the closure follows `edge`."""
        known = self._answers.get(edge)
        if known is None:
            known = self._answers[edge] = self._accepts(edge)
        return known

    def _accepts(self, edge: Edge) -> bool:
        if edge.kind is EdgeKind.ENTRY:
            return True
        if node_kind(edge.target) == "file" and self.is_dropped(edge.target):
            return False
        if edge.strength is Strength.HARD:
            return True
        return not self._named(edge, self.refuse) and (self._named(edge, self.accept) or self._by_default(edge))

    def _by_default(self, edge: Edge) -> bool:
        if self.profile is Profile.BALANCED and edge.group == SHELL_COMMANDS and edge.source in self.entry_files:
            return True
        return self.profile is Profile.PACKAGE or (self.profile is Profile.BALANCED and edge.default)

    @staticmethod
    def _named(edge: Edge, names: Collection[str]) -> bool:
        """Whether the user named the edge: by group, by kind, by the target's path (a glob), or `KIND:PATH`."""
        name = node_name(edge.target)
        return any(
            wanted in (edge.group, edge.kind, edge.rule)
            or fnmatch.fnmatchcase(name, wanted)
            or (wanted.startswith(f"{edge.kind}:") and fnmatch.fnmatchcase(name, wanted.partition(":")[2]))
            for wanted in names
        )


def option_name(edge: Edge) -> str:
    """What `--accept` and `--refuse` take to decide on an optional edge: its group, or `KIND:NAME`."""
    return edge.group or f"{edge.kind}:{node_name(edge.target)}"


def glob_matcher(patterns: Sequence[str]) -> Callable[[str], bool]:
    """A predicate on absolute paths: `*` stays within one directory, `**` crosses them; a directory means its tree."""
    if not patterns:
        return lambda _path: False
    expression = re.compile("|".join(f"(?:{_expression(pattern)})" for pattern in patterns), re.DOTALL)
    return lambda path: expression.fullmatch(path) is not None


def _expression(pattern: str) -> str:
    tokens = re.split(r"(\*\*/?|\*|\?|\[!?[^\]/]+\])", pattern.rstrip("/") or "/")
    parts = {"**/": "(?:.*/)?", "**": ".*", "*": "[^/]*", "?": "[^/]"}
    body = "".join(
        parts.get(token)
        or (token.replace("[!", "[^") if token.startswith("[") and token.endswith("]") else re.escape(token))
        for token in tokens
    )
    return f"{body}(?:/.*)?"


def is_file(node: Node) -> bool:
    """Whether the node is a name of the root."""
    return node.startswith("/")
