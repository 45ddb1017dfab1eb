"""Adding to a slice definition file: lines are put in between, and all that was there stays byte for byte.

A parser tells where things stand; nothing is written by way of its values, so that comments, order and quoting are
kept. The result is parsed again and must hold what was there and what was added.
"""

from __future__ import annotations

import os
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from pruner.errors import InputError, printable
from pruner.slices.write import MAP_FORMATS, content_lines, essential_entry_lines, slice_lines
from pruner.slices.yamlnodes import MAXIMUM_DEPTH, MAXIMUM_NODES

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    import yaml

    from pruner.slices.types import Content, Essential, Slice

_KEEPS = re.compile(r"[|>][0-9]*\+")
"""The head of a block scalar to which empty lines at its end belong."""
_LINE = re.compile(r"[^\r\n\x85\u2028\u2029]*(?:\r\n|[\r\n\x85\u2028\u2029])|[^\r\n\x85\u2028\u2029]+\Z")
"""A line with its end: parsers of YAML 1.1 count these (section 5.4)."""
_MEND = "`pruner slices check` says what else is wrong; mend it, then merge again"
_NO_ALIASES = "take aliases and the like out of the file"
_NULLS = frozenset({"", "~", "null", "Null", "NULL"})


@dataclass(slots=True)
class _File:
    """A file being added to."""

    name: str
    lines: list[str]
    """With their ends, as the parser counts them."""
    format: str
    inserts: list[tuple[int, list[str]]]

    def insert(self, place: int, lines: Sequence[str]) -> None:
        """Put `lines` before the line with index `place`."""
        self.inserts.append((place, list(lines)))

    def error(self, node: Any, fact: str) -> InputError:
        """An error at the place of `node`."""
        return InputError(
            f"{self.name}:{node.start_mark.line + 1}: {fact}",
            hint="rewrite it in lines of its own, then merge again",
        )

    def text(self) -> str:
        """All lines, old and new; new ones end as the first old one does."""
        end = "\r\n" if self.lines[0].endswith("\r\n") else "\n"
        result = list(self.lines)
        if not self.lines[-1].endswith(("\r", "\n")) and any(place == len(self.lines) for place, _ in self.inserts):
            result[-1] += end
        ordered = sorted(enumerate(self.inserts), key=lambda one: (one[1][0], one[0]), reverse=True)
        for _, (place, lines) in ordered:
            result[place:place] = [f"{line}{end}" for line in lines]
        return "".join(result)


def extended_file(data: bytes, additions: Sequence[Slice], *, format: str, name: str) -> bytes:  # noqa: A002
    """The slice definition file `data` with the paths, essentials and slices of `additions`.

    A slice that is there gets what `additions` has for it, at its place in the order; one that is not there stands
    before `copyright`. Raises `InputError` for a file that is not laid out in lines, and for one that is no YAML in
    UTF-8.
    """
    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise InputError(f"{name}: not UTF-8", hint="convert it with iconv, then merge again") from error
    root = _parsed(name, text)
    file = _File(name, _LINE.findall(text), format, [])
    _, node = _pair(root, "slices") or (None, root)
    if node is root or not _is_map(node) or node.flow_style:
        raise file.error(node, "slices that are not a mapping in lines of their own can't be added to")
    there = {key.value: (key, value) for key, value in node.value}
    for addition in additions:
        if addition.key.slice in there:
            _extend_slice(file, there[addition.key.slice], addition)
    # Where both go to the same place, a new slice comes after what the slice above it gets.
    for addition in additions:
        if addition.key.slice not in there:
            _add_slice(file, node, addition)
    result = file.text()
    _check(file, root, _parsed(name, result), additions)
    bom = b"\xef\xbb\xbf" if data.startswith(b"\xef\xbb\xbf") else b""
    return bom + result.encode()


def _parsed(name: str, text: str) -> Any:
    import yaml

    loader = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
    try:
        root = yaml.compose(text, Loader=loader)
    except yaml.MarkedYAMLError as error:
        line = error.problem_mark.line + 1 if error.problem_mark else 1
        fact = f"{name}:{line}: not valid YAML: {printable(error.problem or 'malformed')}"
        raise InputError(fact, hint=_MEND) from error
    except yaml.YAMLError as error:
        raise InputError(f"{name}: not valid YAML: {printable(str(error))}", hint=_MEND) from error
    if not _is_map(root):
        raise InputError(f"{name}:1: not a mapping", hint="a slice definition file starts with package: NAME")
    _check_bounds(name, root)
    return root


def _check_bounds(name: str, root: Any) -> None:
    """Raise `InputError` where aliases make a value contain itself, or too deep or large to be walked through."""
    open_nodes = [(root, 0)]
    count = 0
    while open_nodes:
        node, depth = open_nodes.pop()
        count += 1
        if depth > MAXIMUM_DEPTH or count > MAXIMUM_NODES:
            raise InputError(f"{name}:{node.start_mark.line + 1}: contains itself, or too much", hint=_NO_ALIASES)
        if _is_map(node):
            open_nodes += [(value, depth + 1) for _, value in node.value]
        elif _is_list(node):
            open_nodes += [(item, depth + 1) for item in node.value]


def _add_slice(file: _File, slices: yaml.MappingNode, addition: Slice) -> None:
    indent = slices.start_mark.column
    lines = slice_lines(addition, file.format, indent)
    last_key, last_value = slices.value[-1]
    if last_key.value == "copyright":
        place = _above_comments(file, last_key.start_mark.line, indent)
        before = [""] if place and file.lines[place - 1].strip() else []
        file.insert(place, [*before, *lines, ""])
        return
    place = _end(file, last_value)
    file.insert(place, ["", *lines])


def _extend_slice(file: _File, found: tuple[Any, Any], addition: Slice) -> None:
    key, body = found
    if not _is_map(body):
        if body.value:
            raise file.error(body, "a slice that is no mapping can't be added to")
        file.insert(key.start_mark.line + 1, slice_lines(addition, file.format, key.start_mark.column)[1:])
        return
    if body.flow_style:
        raise file.error(body, "a slice in braces can't be added to")
    essential, limited = list(addition.essential), []
    if file.format not in MAP_FORMATS:
        essential, limited = [one for one in essential if not one.arch], [one for one in essential if one.arch]
    inserted = _Section(file, body, ("contents", "mutate"))
    inserted.add("essential", [(str(one.key), _essential(file, one)) for one in essential])
    inserted.add("v3-essential", [(str(one.key), _essential(file, one, "v3")) for one in limited])
    contents = sorted(addition.contents, key=lambda one: os.fsencode(one.path))
    _Section(file, body, ("mutate",)).add("contents", [(one.path, _content(one)) for one in contents])


def _essential(file: _File, one: Essential, format: str = "") -> Callable[[int], list[str]]:  # noqa: A002
    return lambda indent: essential_entry_lines(one, format or file.format, indent)


def _content(one: Content) -> Callable[[int], list[str]]:
    return lambda indent: content_lines(one, indent)


class _Section:
    """Adds entries to one mapping or list of a slice, which is made where it is not there."""

    def __init__(self, file: _File, body: yaml.MappingNode, later: Sequence[str]) -> None:
        self.file = file
        self.body = body
        self.later = later

    def add(self, section: str, entries: Sequence[tuple[str, Callable[[int], list[str]]]]) -> None:
        """Put `entries`, sorted by their names, each before the first one that comes after it in the order."""
        if not entries:
            return
        found = _pair(self.body, section)
        if found is None:
            self._make(section, entries)
            return
        key, node = found
        if not _is_map(node) and not _is_list(node):
            if node.value:
                raise self.file.error(node, f"`{section}` that is neither mapping nor list can't be added to")
            for _, lines in entries:
                self.file.insert(key.start_mark.line + 1, lines(key.start_mark.column + 2))
            return
        if node.flow_style:
            raise self.file.error(node, f"`{section}` in brackets can't be added to")
        there = node.value if _is_map(node) else [(item, item) for item in node.value]
        for name, lines in entries:
            self._put(there, name, lines)

    def _put(self, there: Sequence[tuple[Any, Any]], name: str, lines: Callable[[int], list[str]]) -> None:
        first = there[0][0]
        text = self.file.lines[first.start_mark.line]
        indent = len(text) - len(text.lstrip(" "))
        for key, _ in there:
            if os.fsencode(key.value) > os.fsencode(name):
                self.file.insert(_above_comments(self.file, key.start_mark.line, indent), lines(indent))
                return
        self.file.insert(_end(self.file, there[-1][1]), lines(indent))

    def _make(self, section: str, entries: Sequence[tuple[str, Callable[[int], list[str]]]]) -> None:
        indent = self.body.start_mark.column
        block = [f"{' ' * indent}{section}:", *(line for _, lines in entries for line in lines(indent + 2))]
        for key, _ in self.body.value:
            if key.value in self.later:
                self.file.insert(_above_comments(self.file, key.start_mark.line, indent), block)
                return
        self.file.insert(_end(self.file, self.body.value[-1][1]), block)


def _above_comments(file: _File, line: int, indent: int) -> int:
    """The first line of the comment that stands right above `line`, or `line` itself."""
    while line and file.lines[line - 1].startswith(f"{' ' * indent}#"):
        line -= 1
    return line


def _end(file: _File, node: Any) -> int:
    """The line after the last one of a value; empty lines and comments below it are not part of it."""
    if (_is_map(node) or _is_list(node)) and not node.flow_style and node.value:
        last = node.value[-1]
        return _end(file, last[1] if _is_map(node) else last)
    line = int(node.end_mark.line) + (1 if node.end_mark.column else 0)
    if not _KEEPS.match(file.lines[node.start_mark.line][node.start_mark.column :]):
        while line > 1 and not file.lines[line - 1].strip():
            line -= 1
    return line


def _is_map(node: Any) -> bool:
    return getattr(node, "id", "") == "mapping"


def _is_list(node: Any) -> bool:
    return getattr(node, "id", "") == "sequence"


def _pair(mapping: Any, key: str) -> tuple[Any, Any] | None:
    return next(((one, value) for one, value in mapping.value if one.value == key), None)


def _check(file: _File, before: Any, after: Any, additions: Sequence[Slice]) -> None:
    """Raise `InputError` unless `after` holds what was there and what was added, and nothing else."""
    added = "".join(f"{line}\n" for one in additions for line in slice_lines(one, file.format))
    expected = _joined(_plain(before), _plain(_parsed(file.name, f"slices:\n{added}")))
    if _plain(after) != expected:
        raise InputError(f"{file.name}: can't be added to in place", hint=_NO_ALIASES)


def _plain(node: Any) -> Any:
    """What a node holds, to compare: scalars as written, lists sorted."""
    if _is_map(node):
        return {key.value: _plain(value) for key, value in node.value if isinstance(key.value, str)}
    if _is_list(node):
        return sorted((_plain(item) for item in node.value), key=repr)
    return "" if node.value in _NULLS and not node.style else node.value


def _joined(old: Any, new: Any) -> Any:
    if isinstance(old, dict) and isinstance(new, dict):
        return {**old, **{key: _joined(old[key], value) if key in old else value for key, value in new.items()}}
    if isinstance(old, list) and isinstance(new, list):
        return sorted([*old, *(item for item in new if item not in old)], key=repr)
    return new if old == "" else old
