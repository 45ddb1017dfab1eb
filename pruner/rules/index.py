"""Finds the rules that may concern a file without trying them all."""

from __future__ import annotations

import re
from bisect import bisect_left
from collections import defaultdict
from typing import TYPE_CHECKING

from pruner.rules.patterns import Pattern, unmerged

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Iterator, Sequence

    from pruner.rules.types import Rule

# Where patterns that start with a placeholder can match, in the unmerged spelling.
_BIN_HEADS = ("/bin", "/sbin", "/usr/local/bin", "/usr/local/sbin", "/usr/games")
_LIB_HEADS = ("/lib", "/lib64", "/usr/local/lib", "/usr/local/lib64")


_KEY = 3
"""Characters of a file's name that tell most rules apart."""


class FileIndex:
    """Rules about files by the most selective thing they ask for: a symbol, else a literal, else a path."""

    def __init__(self, rules: Sequence[Rule]) -> None:
        self._symbols = _NameIndex((rule, rule.when.symbols) for rule in rules)
        self._literals = _NameIndex((rule, () if rule.when.symbols else rule.when.literals) for rule in rules)
        self._names: defaultdict[str, list[Rule]] = defaultdict(list)
        self._directories: defaultdict[str, list[Rule]] = defaultdict(list)
        self._paths: defaultdict[str, list[Rule]] = defaultdict(list)
        for rule in rules:
            if rule.when.symbols or rule.when.literals:
                continue
            for pattern in rule.when.paths:
                key = _name_key(pattern)
                if pattern.exact:
                    self._paths[pattern.head].append(rule)
                elif key is not None:
                    self._names[key].append(rule)
                else:
                    for head in _heads(pattern):
                        self._directories[head].append(rule)

    def candidates(self, path: str, symbols: Collection[str], literals: Collection[str]) -> Iterator[Rule]:
        """Rules one of whose conditions may hold; every rule that fires is among them, some more than once."""
        yield from self._symbols.candidates(symbols)
        yield from self._literals.candidates(literals)
        spelled = unmerged(path)
        yield from self._paths.get(spelled, ())
        yield from self._names.get(path[path.rfind("/") + 1 :][:_KEY], ())
        yield from self._directories.get("", ())
        position = spelled.find("/", 1)
        while position > 0:
            yield from self._directories.get(spelled[:position], ())
            position = spelled.find("/", position + 1)
        yield from self._directories.get(spelled, ())


class _NameIndex:
    """Rules by exact names, by what a name starts with, and the rest."""

    def __init__(self, rules: Iterable[tuple[Rule, Sequence[Pattern]]]) -> None:
        self._exact: defaultdict[str, list[Rule]] = defaultdict(list)
        self._heads: defaultdict[str, list[tuple[Pattern, Rule]]] = defaultdict(list)
        for rule, patterns in rules:
            for pattern in patterns:
                if pattern.exact:
                    self._exact[pattern.head].append(rule)
                else:
                    self._heads[pattern.head].append((pattern, rule))

    def candidates(self, names: Collection[str]) -> Iterator[Rule]:
        if not names:
            return
        for name in self._exact.keys() & names:
            yield from self._exact[name]
        ordered = sorted(names) if self._heads else []
        for head, entries in self._heads.items():
            start = bisect_left(ordered, head)
            if head and not (start < len(ordered) and ordered[start].startswith(head)):
                continue
            yield from (rule for _, rule in entries)


def _heads(pattern: Pattern) -> tuple[str, ...]:
    """Directories one of which is above, or is, whatever the pattern matches."""
    if pattern.text.startswith("{bin}"):
        return _BIN_HEADS
    if pattern.text.startswith("{lib}"):
        return _LIB_HEADS
    if pattern.text.endswith("/") and pattern.head == unmerged(pattern.text).rstrip("/"):
        return (pattern.head,)
    return (pattern.head.rpartition("/")[0],)


def _name_key(pattern: Pattern) -> str | None:
    """The first characters of every file name that the pattern matches; None where they are not known."""
    name = pattern.text.rpartition("/")[2]
    literal = re.split(r"[*?\[{]", name, maxsplit=1)[0]
    return literal[:_KEY] if len(literal) >= _KEY or (name and literal == name) else None
