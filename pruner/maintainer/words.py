"""What the words of a maintainer script stand for while it runs: None wherever that is not known."""

from __future__ import annotations

import fnmatch
import re
from typing import TYPE_CHECKING, Protocol

from pruner.analyze.shellwords import text_of, unquoted

if TYPE_CHECKING:
    from collections.abc import Callable

    from tree_sitter import Node

    from pruner.maintainer.disk import Disk

QUOTED = frozenset(
    {"word", "string", "raw_string", "concatenation", "simple_expansion", "expansion", "command_substitution", "number"}
    | {"ansi_c_string", "arithmetic_expansion", "extglob_pattern", "regex", "string_content", "heredoc_body"}
)
"""Node types that are one word each."""
_WILDCARD = re.compile(r"(?<!\\)[*?\[]")
_DEEPEST = 40
_LARGEST_WORD = 1 << 16


class Variables(Protocol):
    """What an expansion asks of the running script."""

    disk: Disk

    def value(self, name: str) -> str | None:
        """The value of a variable or parameter, empty where unset, None where unknown."""

    def assign(self, name: str, value: str | None) -> None:
        """Set a variable."""

    def positional(self) -> list[str | None]:
        """`$1` and so on."""

    def separators(self) -> str | None:
        """IFS: the characters that separate words, None where they are not known."""

    def output_of(self, node: Node) -> str | None:
        """What the commands of a substitution print."""


def fields(node: Node, shell: Variables) -> list[str | None]:
    """The words that `node` becomes: several for `"$@"`, an unquoted list or a pattern; None for one not known."""
    text = text_of(node)
    if text in {'"$@"', "$@", '"${@}"', "$*"}:
        return shell.positional()
    value = string(node, shell)
    if value is None:
        return [None]
    if node.type in {"simple_expansion", "expansion", "command_substitution"}:
        separators = shell.separators()
        return [None] if separators is None else list(split(value, separators))
    if node.type in {"word", "concatenation"} and value.startswith("/") and _has_wildcard(node):
        return list(shell.disk.glob(value)) or [value]
    return [value]


def split(value: str, separators: str, most: int = 0) -> list[str]:
    """`value` at its separators as the shell splits it, into `most` parts where that is given (POSIX, 2.6.5)."""
    if not separators:
        return [value] if value else []
    blanks = "".join(mark for mark in separators if mark.isspace())
    others = "".join(mark for mark in separators if not mark.isspace())
    if not others:
        return value.strip(blanks).split(None, most - 1) if most else value.split()
    around = f"[{re.escape(blanks)}]*" if blanks else ""
    parts = re.split(f"{around}[{re.escape(others)}]{around}", value.strip(blanks or None), maxsplit=max(0, most - 1))
    return parts[:-1] if parts and not parts[-1] else parts


def string(node: Node, shell: Variables, depth: int = 0) -> str | None:
    """`node` as one text, as within quotes."""
    if depth > _DEEPEST:
        return None
    match node.type:
        case "string" | "concatenation" | "heredoc_body":
            return _joined(node, shell, depth)
        case "simple_expansion":
            blanks, _, name = text_of(node).partition("$")  # within quotes the grammar takes blanks before it in
            value = shell.value(name)
            return None if value is None else blanks + value
        case "expansion":
            return _expansion(node, shell, depth)
        case "command_substitution":
            return shell.output_of(node)
        case _:
            return _literal(node)


def _literal(node: Node) -> str | None:
    text = text_of(node)
    match node.type:
        case "word" | "extglob_pattern" | "regex":
            # Some of the words of patterns hold expansions that the grammar takes for text.
            return None if "$" in text.replace("\\$", "") else unquoted(text)
        case "number" | "variable_name":
            return text
        case "string_content":
            return re.sub(r'\\([\\"$`])', r"\1", text)
        case "heredoc_content":
            return re.sub(r"\\([\\$`])", r"\1", text)
        case "raw_string":
            return text[1:-1]
        case _:
            return None


def _has_wildcard(node: Node) -> bool:
    parts = node.children if node.type == "concatenation" else [node]
    return any(part.type == "word" and _WILDCARD.search(text_of(part)) for part in parts)


def _joined(node: Node, shell: Variables, depth: int) -> str | None:
    """The parts with the text between them: the grammar leaves out blanks and, in here-documents, all plain text."""
    whole, pieces = node.text or b"", list[str]()
    quote = 1 if node.type == "string" else 0
    end = quote
    for child in node.children:
        if child.type == '"':
            continue
        start = child.start_byte - node.start_byte
        pieces.append(whole[end:start].decode("utf-8", "surrogateescape"))
        value = string(child, shell, depth + 1)
        if value is None:
            return None
        pieces.append(value)
        end = child.end_byte - node.start_byte
    pieces.append(whole[end : len(whole) - quote].decode("utf-8", "surrogateescape"))
    joined = "".join(pieces)
    return joined if len(joined) <= _LARGEST_WORD else None


def _expansion(node: Node, shell: Variables, depth: int) -> str | None:
    """`${NAME}` and its forms of POSIX, 2.6.2; all others are not known."""
    name = next((child for child in node.children if child.type in {"variable_name", "special_variable_name"}), None)
    marks = [child for child in node.children if not child.is_named and child.type not in {"${", "}"}]
    words = [child for child in node.children if child.is_named and (name is None or child.id != name.id)]
    if name is None or len(words) > 1 or len(marks) > 1:
        return None
    value = shell.value(text_of(name))
    operator = marks[0].type if marks else ""
    if not operator:
        return value if not words else None
    if operator == "#" and node.children[1].type == "#":
        return None if value is None else str(len(value))
    other = string(words[0], shell, depth + 1) if words else ""
    if operator in _CUTS:
        return None if value is None or other is None else _cut(value, other, operator)
    chosen = _CHOICES.get(operator)
    if chosen is None or value is None:
        return None
    result = chosen(value, other)
    if operator in {"=", ":="} and not value:
        shell.assign(text_of(name), result)
    return result


_CUTS = {"#", "##", "%", "%%"}
_CHOICES: dict[str, Callable[[str, str | None], str | None]] = {
    # A variable that is unset and one that is empty are not told apart: dpkg sets none to an empty text.
    **dict.fromkeys((":-", "-", ":=", "="), lambda value, other: value or other),
    **dict.fromkeys((":+", "+"), lambda value, other: other if value else ""),
    **dict.fromkeys((":?", "?"), lambda value, _other: value or None),
}


def _cut(value: str, pattern: str, operator: str) -> str:
    """`value` without the shortest or longest part at its start or end that `pattern` matches."""
    lengths = range(len(value) + 1)
    for length in reversed(lengths) if len(operator) == 2 else lengths:
        if operator[0] == "#" and fnmatch.fnmatchcase(value[:length], pattern):
            return value[length:]
        if operator[0] == "%" and fnmatch.fnmatchcase(value[len(value) - length :], pattern):
            return value[: len(value) - length]
    return value
