"""Which edges are followed: the profile, the user's words, and the default of each edge, in that order of weakness."""

from __future__ import annotations

import fnmatch
import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from pruner.errors import UsageError, printable
from pruner.model import Edge, EdgeKind, Strength, node_kind, node_name
from pruner.pipeline.request import Profile

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Sequence

    from pruner.rootfs import Tree

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


def drop_matcher(
    drop: Sequence[str], keep: Sequence[str], entry_files: Collection[str], tree: Tree
) -> Callable[[str], bool]:
    """A predicate on real paths: whether the user drops it, which `keep` and entry points beat.

    Raises `UsageError` for a relative pattern, which would never drop anything.
    """
    for pattern in drop:
        if not pattern.startswith("/"):
            raise UsageError(
                f"drop '{printable(pattern)}' is no absolute path", hint=f"as in /opt/{pattern} or /**/{pattern}"
            )
    is_dropped = glob_matcher(real_patterns(drop, tree))
    is_kept = glob_matcher(real_patterns(keep, tree))
    return lambda path: is_dropped(path) and path not in entry_files and not is_kept(path)


def real_patterns(patterns: Sequence[str], tree: Tree) -> tuple[str, ...]:
    """`patterns`, each also with the part before its first wildcard as the real path that it leads to.

    Names of the root are known by their real paths, and a user may well write `/lib/…` where /lib is a link.
    """
    found: dict[str, None] = {}
    for pattern in patterns:
        head, wildcard = literal_head(pattern)
        real = tree.resolve(head).path if wildcard else tree.locate(pattern).path
        found[pattern] = None
        if real is not None:
            found[f"{real.rstrip('/')}/{pattern[len(head) :]}" if wildcard else real] = None
    return tuple(found)


def literal_head(pattern: str) -> tuple[str, bool]:
    """The directories of a glob that stand before its first wildcard, or all of it; and whether there is one."""
    wildcard = re.search(r"[*?\[]", pattern)
    return (pattern, False) if wildcard is None else (pattern[: pattern.rfind("/", 0, wildcard.start()) + 1], True)


def _expression(pattern: str) -> str:
    tokens = re.split(r"(\*\*/?|\*|\?|\[!?\]?[^\]/]*\])", pattern.rstrip("/") or "/")
    parts = {"**/": "(?:.*/)?", "**": ".*", "*": "[^/]*", "?": "[^/]"}
    body = "".join(parts.get(token) or (_set(token) if token.startswith("[") else re.escape(token)) for token in tokens)
    return f"{body}(?:/.*)?"


def _set(token: str) -> str:
    """`[…]` of a glob as a regular expression; an open bracket stands for itself."""
    translated = re.fullmatch(r"\(\?s:(.*)\)\\[Zz]", fnmatch.translate(token), re.DOTALL)
    return re.escape(token) if translated is None else f"(?!/){translated[1]}"
