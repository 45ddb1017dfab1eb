"""Command lines in Perl sources: `system`, `exec`, backticks, `qx`, pipes of `open`, IPC::Open3, IPC::Run, IPC::Cmd.

Sources: perlfunc (system, exec, open), perlop (qx), the modules' documentation. A function of the application whose
name ends as theirs (`xsystem`) is taken for a wrapper.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from pruner.analyze.started import COMPUTED, Command, line_of
from pruner.analyze.syntax import text_of

if TYPE_CHECKING:
    from tree_sitter import Node as Syntax

_STARTERS = frozenset({"system", "exec"})
_WRAPPERS = re.compile(r"(?:.*::)?\w*(?:system|exec|qx|backtick|backticks)\Z")
_VECTORS = frozenset({"run", "start", "harness", "run_forked", "can_run", "which"})
"""Functions of IPC::Run, IPC::Cmd and File::Which that take a command as a list, or its name."""
_OPEN = re.compile(r"(?:IPC::Open[23]::)?open[23]\Z")
_STRINGS = frozenset({"string_literal", "interpolated_string_literal", "command_string"})
_ESCAPES = {"n": "\n", "t": "\t", "r": "\r", "0": ""}
_DEEPEST = 50


def command_of_line(node: Syntax) -> Command:
    """The command of backticks or `qx`."""
    return Command(_text(node), None)


def command_of_call(node: Syntax, function: str) -> Command | None:
    """The command that a call of `function` starts, None where it starts none or is computed."""
    starts = function in _STARTERS or _WRAPPERS.match(function) is not None
    if not starts and function not in _VECTORS and function != "open" and _OPEN.match(function) is None:
        return None
    arguments = _arguments(node)
    if starts:
        return _of_values([_text(each) for each in arguments], certain=function in _STARTERS)
    if function == "open":
        return _of_open(arguments)
    if function in _VECTORS:
        is_list = bool(arguments) and arguments[0].type == "anonymous_array_expression"
        elements = _elements(arguments[0]) if is_list else []
        if is_list:
            return line_of([_text(each) for each in elements]) if elements else None
        name = _text(arguments[0]) if arguments and arguments[0].type in _STRINGS else ""
        return line_of([name]) if re.fullmatch(r"[\w.+-]+", name) else None
    first = next((place for place, each in enumerate(arguments) if each.type in _STRINGS), len(arguments))
    return _of_values([_text(each) for each in arguments[first:]], certain=True)


def _of_values(values: list[str], *, certain: bool) -> Command | None:
    """One value is a command line that Perl gives to a shell if need be, several are an argument vector."""
    if not values or values[0].isspace():
        return None
    return Command(values[0], None, certain) if len(values) == 1 else line_of(values)


def _of_open(arguments: list[Syntax]) -> Command | None:
    """`open(F, "cmd |")`, `open(F, "| cmd")`, `open(my $f, "-|", "cmd", …)`."""
    values = [_text(each) for each in arguments[1:]]
    if len(values) > 1:
        return _of_values(values[1:], certain=True) if values[0].strip() in {"-|", "|-"} else None
    mode = values[0].strip() if values else ""
    if mode.endswith("|") or mode.startswith("|"):
        return Command(mode.strip("| "), None)
    return None


def _arguments(node: Syntax) -> list[Syntax]:
    if any(child.type == "indirect_object" for child in node.named_children):
        return []
    given = node.child_by_field_name("arguments")
    if given is None:
        return []
    return _flat([given])


def _elements(array: Syntax) -> list[Syntax]:
    return _flat(list(array.named_children))


def _flat(nodes: list[Syntax]) -> list[Syntax]:
    """The members of nested lists in order."""
    found: list[Syntax] = []
    waiting = nodes[::-1]
    while waiting:
        node = waiting.pop()
        if node.type in {"list_expression", "parenthesized_expression"}:
            waiting.extend(reversed(node.named_children))
        elif node.type != "comment":
            found.append(node)
    return found


def _text(node: Syntax, depth: int = 0) -> str:
    """The value of an expression of strings, `COMPUTED` in place of what is none."""
    if depth > _DEEPEST:
        return COMPUTED
    if node.type in _STRINGS:
        content = node.child_by_field_name("content")
        return "" if content is None else _content(content)
    if node.type == "quoted_word_list":
        return " ".join(text_of(child) for child in node.named_children)
    operator = node.child_by_field_name("operator")
    if node.type == "binary_expression" and operator is not None and text_of(operator) == ".":
        parts = (node.child_by_field_name("left"), node.child_by_field_name("right"))
        return "".join(COMPUTED if part is None else _text(part, depth + 1) for part in parts)
    return COMPUTED


def _content(node: Syntax) -> str:
    """The text of a string: escapes read, interpolations replaced."""
    text, start = node.text or b"", node.start_byte
    parts: list[str] = []
    end = start
    for child in node.named_children:
        parts.append(text[end - start : child.start_byte - start].decode("utf-8", "surrogateescape"))
        own = text_of(child)
        if child.type in {"escape_sequence", "escaped_delimiter"}:
            parts.append(_ESCAPES.get(own[1:2], own[1:]))
        else:
            parts.append(COMPUTED)
        end = child.end_byte
    parts.append(text[end - start :].decode("utf-8", "surrogateescape"))
    return "".join(parts)
