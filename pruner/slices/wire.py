"""Typed reading of the nodes of a release's files: what does not fit becomes a problem, and reading goes on."""

from __future__ import annotations

import difflib
from typing import TYPE_CHECKING, Final

from pruner.errors import printable
from pruner.slices.checkrules import problem
from pruner.slices.goscalars import Unfit, is_null, number_of, text_of, truth_of
from pruner.slices.yamlnodes import MAXIMUM_DEPTH

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping

    from pruner.slices.types import Problem
    from pruner.slices.yamlnodes import Node

_MERGED_AT_MOST: Final = 10_000
"""Pairs that one mapping may get through merge keys, so that merges of merges end."""
_NEAR = 0.6
"""Similarity (difflib's ratio) from which on a key is taken for a misspelt one."""


class Entry:
    """A key with its value."""

    __slots__ = ("key", "line", "value")

    def __init__(self, key: str, line: int, value: Node) -> None:
        self.key = key
        self.line = line
        self.value = value


class Reader:
    """Reads the nodes of one file and collects its problems."""

    def __init__(self, file: str) -> None:
        self.file = file
        self.problems: list[Problem] = []

    def note(self, line: int, rule: str, message: str, hint: str = "") -> None:
        """Note a violation of `rule`."""
        self.problems.append(problem(self.file, line, rule, message, hint))

    def entries(self, node: Node, what: str) -> list[Entry]:
        """The keys and values of a mapping, merge keys (`<<`) filled in; empty for null and for what is no mapping."""
        if is_null(node):
            return []
        if not node.mapping:
            self.note(node.line, "wrong-type", f"{what}: a mapping is expected, not {node.word}")
            return []
        found: dict[str, Entry] = {}
        self._collect(node, what, found, [0], ())
        return list(found.values())

    def _collect(
        self, node: Node, what: str, found: dict[str, Entry], count: list[int], above: tuple[Node, ...]
    ) -> None:
        """Put the pairs of `node` into `found`, what is there first wins, then what it merges; `above` merge it."""
        merged: list[tuple[int, Node]] = []
        seen: dict[str, int] = {}
        for key, value in zip(*node.value, strict=True):
            count[0] += 1
            if count[0] > _MERGED_AT_MOST and count[0] > len(node.value[0]):
                self.note(key.line, "yaml-syntax", f"{what}: merges more than {_MERGED_AT_MOST} keys")
                return
            if key.value == "<<" and key.plain and key.tag in {"", "!!merge"}:
                merged.append((key.line, value))
                name = "<<"
            else:
                try:
                    name = text_of(key)
                except Unfit:
                    self.note(key.line, "wrong-type", f"{what}: a key must be text, not {key.word}")
                    continue
            if name in seen:
                where = f"the first is on line {seen[name]}"
                self.note(key.line, "duplicate-key", f"{what}: duplicate key '{printable(name)}'", where)
                continue
            seen[name] = key.line
            if not is_null(key) and (name != "<<" or not merged):
                found.setdefault(name, Entry(name, key.line, value))
        for line, value in merged:
            for source in value.value if isinstance(value.value, list) else (value,):
                if self._can_merge(source, what, line, (*above, node)):
                    self._collect(source, what, found, count, (*above, node))

    def _can_merge(self, source: Node, what: str, line: int, above: tuple[Node, ...]) -> bool:
        """Whether the `<<` on `line` may merge `source`; a problem where not."""
        if not source.mapping:
            self.note(source.line, "wrong-type", f"{what}: '<<' merges mappings, not {source.word}")
        elif source in above:
            self.note(line, "yaml-syntax", f"{what}: a mapping merges itself", "take the '<<' out")
        elif len(above) > MAXIMUM_DEPTH:
            self.note(line, "yaml-syntax", f"{what}: merges are nested too deep")
        else:
            return True
        return False

    def fields(self, node: Node, what: str, known: Collection[str], *, optional: bool = True) -> dict[str, Entry]:
        """The keys of a mapping of known fields that have a value; each unknown one is a warning.

        Unless values are `optional`, so is each known one without a value.
        """
        result = {}
        for entry in self.entries(node, what):
            if entry.key in known:
                if not is_null(entry.value):
                    result[entry.key] = entry
                elif not optional:
                    self.note(entry.line, "no-value", f"{what}: '{entry.key}' has no value, so chisel ignores it")
                continue
            near = difflib.get_close_matches(entry.key, known, n=1, cutoff=_NEAR)
            hint = f"did you mean '{near[0]}'?" if near else f"known are {', '.join(sorted(known))}"
            self.note(entry.line, "unknown-key", f"{what}: chisel ignores the key '{printable(entry.key)}'", hint)
        return result

    def text(self, fields: Mapping[str, Entry], key: str, what: str) -> str | None:
        """The text of a field; None where it is absent."""
        entry = fields.get(key)
        if entry is None:
            return None
        try:
            return text_of(entry.value)
        except Unfit:
            self._unfit(entry, what, "text")
            return None

    def truth(self, fields: Mapping[str, Entry], key: str, what: str) -> bool:
        """The truth of a field; false where it is absent."""
        entry = fields.get(key)
        if entry is None:
            return False
        try:
            return truth_of(entry.value)
        except Unfit:
            self._unfit(entry, what, "true or false")
            return False

    def number(self, fields: Mapping[str, Entry], key: str, what: str) -> int | None:
        """The number of a field; None where it is absent."""
        entry = fields.get(key)
        if entry is None:
            return None
        try:
            return number_of(entry.value)
        except Unfit:
            self._unfit(entry, what, "a whole number")
            return None

    def texts(self, fields: Mapping[str, Entry], key: str, what: str, *, single: bool = False) -> tuple[str, ...]:
        """The items of a list of texts, nulls left out; with `single` one text will do as well."""
        entry = fields.get(key)
        if entry is None:
            return ()
        if single and entry.value.scalar:
            return (self.text(fields, key, what) or "",)
        return tuple(text for text, _ in self.items(entry, what))

    def items(self, entry: Entry, what: str) -> list[tuple[str, int]]:
        """The texts of the list that `entry` holds, with their lines."""
        if not isinstance(entry.value.value, list):
            self._unfit(entry, what, "a list")
            return []
        found = []
        for item in entry.value.value:
            if is_null(item):
                continue
            try:
                found.append((text_of(item), item.line))
            except Unfit:
                self.note(item.line, "wrong-type", f"{what}: '{entry.key}' lists text, not {item.word}")
        return found

    def _unfit(self, entry: Entry, what: str, wanted: str) -> None:
        value = entry.value
        found = f"'{printable(value.value)[:60]}'" if value.scalar else value.word
        self.note(value.line, "wrong-type", f"{what}: '{entry.key}' must be {wanted}, not {found}")
