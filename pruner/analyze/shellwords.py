"""What the words of a shell script stand for, as far as the script itself says so.

A word has a value when it is made of literals, of variables that the script assigns such values to, and of the usual
ways to name the script's own directory. Everything else (the environment, arguments, output of commands) has none.
"""

from __future__ import annotations

import posixpath
from itertools import product
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

    from tree_sitter import Node

Values = frozenset[str]

MOST_VALUES = 16
"""A word that could stand for more is taken as one without a value."""
_DEEPEST = 40
_ASSIGNING = {":-", "-", ":=", "="}
_REPLACING = {":+", "+"}
_CUTTING = {"%/*}": posixpath.dirname, "##*/}": posixpath.basename}
_CHANGING: Mapping[str, Callable[[str], str]] = {
    "dirname": posixpath.dirname,
    "basename": posixpath.basename,
    "realpath": posixpath.normpath,
    "readlink": posixpath.normpath,
    "cd": posixpath.normpath,
    "echo": str.strip,
}
_QUOTED = {"word", "raw_string", "string", "concatenation", "simple_expansion", "expansion", "command_substitution"}


def walk(node: Node) -> Iterator[Node]:
    """All nodes below `node` and itself in the order of the text, without recursion: nesting is hostile input."""
    waiting = [node]
    while waiting:
        current = waiting.pop()
        yield current
        waiting.extend(reversed(current.children))


def text_of(node: Node) -> str:
    """The node's own text."""
    return (node.text or b"").decode("utf-8", "surrogateescape")


def unquoted(text: str) -> str:
    """A bare word without its backslashes."""
    return "".join(part for part in text.replace("\\\\", "\0").split("\\")).replace("\0", "\\")


class Scope:
    """The variables of one script and of the files that it sources."""

    def __init__(self, script: str) -> None:
        self._script = script
        self._assigned: dict[str, list[Node]] = {}
        self._resolving: set[str] = set()

    def collect(self, root: Node) -> None:
        """Take note of every assignment and loop variable below `root`."""
        for node in walk(root):
            if node.type == "variable_assignment":
                name, value = node.child_by_field_name("name"), node.child_by_field_name("value")
                if name is not None and value is not None:
                    self._assigned.setdefault(text_of(name), []).append(value)
            elif node.type == "for_statement":
                name = node.child_by_field_name("variable")
                if name is not None:
                    self._assigned.setdefault(text_of(name), []).extend(node.children_by_field_name("value"))

    def values(self, node: Node, depth: int = 0) -> Values | None:
        """What the word `node` may stand for; None when the script doesn't say."""
        if depth > _DEEPEST:
            return None
        match node.type:
            case "word" | "number" | "string_content" | "variable_name":
                found: Values | None = frozenset((unquoted(text_of(node)),))
            case "raw_string":
                found = frozenset((text_of(node)[1:-1],))
            case "command_name":
                found = self.values(node.children[0], depth + 1) if node.children else None
            case "string" | "concatenation":
                found = self._joined(node, depth)
            case "simple_expansion":
                found = self._variable(text_of(node).lstrip()[1:], depth)
            case "expansion":
                found = self._expansion(node, depth)
            case "command_substitution":
                found = self._substitution(node, depth)
            case _:
                found = None
        return found

    def _joined(self, node: Node, depth: int) -> Values | None:
        parts: list[Values] = []
        end = node.start_byte + (node.type == "string")
        whole = node.text or b""
        for child in node.children:
            if child.type == '"':
                continue
            # The grammar drops blanks between the parts of a string, or has them begin an expansion.
            start = child.start_byte
            if child.type != "string_content":
                start += len(child.text or b"") - len((child.text or b"").lstrip())
            gap = whole[end - node.start_byte : start - node.start_byte].decode("utf-8", "surrogateescape")
            value = self.values(child, depth + 1)
            if value is None:
                return None
            parts += [frozenset((gap,)), value] if gap else [value]
            end = child.end_byte
        combined = frozenset("".join(choice) for choice in _limited(parts))
        return combined or None

    def _variable(self, name: str, depth: int) -> Values | None:
        if name == "0":
            return frozenset((self._script,))
        if name == "BASH_SOURCE":
            return frozenset((self._script,))
        if name in self._resolving or name not in self._assigned:
            return None
        self._resolving.add(name)
        try:
            known = [self.values(value, depth + 1) for value in self._assigned[name]]
        finally:
            self._resolving.discard(name)
        values = frozenset[str]().union(*(value for value in known if value is not None))
        return values if values and len(values) <= MOST_VALUES else None

    def _expansion(self, node: Node, depth: int) -> Values | None:
        name = next((child for child in node.children if child.type in ("variable_name", "subscript")), None)
        if name is None:
            return None
        variable = self._variable(text_of(name).partition("[")[0], depth)
        operator = next((c.type for c in node.children if not c.is_named and c.type not in ("${", "}")), "")
        words = [child for child in node.children if child.is_named and child.id != name.id]
        if operator in _ASSIGNING | _REPLACING:
            other = self.values(words[0], depth + 1) if len(words) == 1 else None
            if operator in _REPLACING:
                return None if other is None else other | {""}
            return other if variable is None else variable | (other or frozenset())
        cut = next((cut for ending, cut in _CUTTING.items() if text_of(node).endswith(ending)), None)
        if variable is None or (operator and cut is None):
            return None
        return frozenset(map(cut, variable)) if cut is not None else variable

    def _substitution(self, node: Node, depth: int) -> Values | None:
        """`$(dirname X)`, `$(basename X)`, `$(realpath X)`, `$(readlink -f X)` and `$(cd X && pwd)`."""
        commands = [child for child in walk(node) if child.type == "command"]
        if not commands:
            return None
        name, *arguments = [child for child in commands[0].children if child.type in _QUOTED | {"command_name"}]
        operands = [argument for argument in arguments if not text_of(argument).startswith("-")]
        values = self.values(operands[0], depth + 1) if operands else None
        if values is None:
            return None
        called = text_of(name)
        if called == "cd" and not any(text_of(command).startswith("pwd") for command in commands[1:]):
            return None
        change = _CHANGING.get(called)
        return frozenset(map(change, values)) if change is not None and len(operands) == 1 else None


def _limited(parts: list[Values]) -> Iterator[tuple[str, ...]]:
    """All ways to choose one value of each part; none when they are too many."""
    number = 1
    for part in parts:
        number *= len(part)
        if number > MOST_VALUES:
            return iter(())
    return product(*(sorted(part) for part in parts))
