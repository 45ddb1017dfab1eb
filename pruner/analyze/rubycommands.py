"""Command lines in Ruby sources: `system`, `exec`, `spawn`, backticks, `%x`, `IO.popen`, Open3.

Sources: Ruby's documentation of Kernel, Process, IO.popen and Open3. `commands name: "program"` is how the providers of
configuration managers declare the programs that they run, `execute` how they and their like run one.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from pruner.analyze.started import COMPUTED, Command, line_of
from pruner.analyze.syntax import text_of

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tree_sitter import Node as Syntax

_DECLARING = frozenset({"commands", "optional_commands", "has_command"})
_CERTAIN = re.compile(r"(?:system|exec|spawn|popen.*|capture[23]e?|pipeline.*)\Z")
_STRINGS = frozenset({"string", "bare_string", "subshell"})
_ESCAPES = {"n": "\n", "t": "\t", "r": "\r"}
_MOST = 1000
"""Strings of one declaration that are looked at."""


def command_of_line(node: Syntax) -> Command:
    """The command of backticks or `%x`."""
    return Command(_text(node), None)


def commands_of_call(method: str, arguments: Syntax) -> Iterator[Command]:
    """The commands that a call of `method` starts or declares."""
    if method in _DECLARING:
        yield from (Command(_text(node), False, certain=False) for node in _strings(arguments))
        return
    certain = _CERTAIN.match(method) is not None
    values = [node for node in arguments.named_children if node.type not in {"hash", "pair", "comment"}]
    if values and values[0].type == "binary":
        left = values[0].child_by_field_name("left")
        values = values if left is None or left.type != "array" else [left]
    if values and values[0].type in {"array", "string_array"}:
        words = [_text(node) for node in values[0].named_children if node.type not in {"hash", "pair"}]
        if words:
            yield line_of(words)._replace(certain=certain)
    elif values and values[0].type == "string":
        # IO.popen("cmd", "r+"): the mode is no argument.
        alone = len(values) == 1 or method == "popen" or values[1].type not in _STRINGS
        if alone:
            yield Command(_text(values[0]), None, certain)
        else:
            yield line_of([_text(node) for node in values])._replace(certain=certain)


def _strings(node: Syntax) -> Iterator[Syntax]:
    waiting = [node]
    for _ in range(_MOST):
        if not waiting:
            return
        current = waiting.pop()
        if current.type in _STRINGS:
            yield current
        else:
            waiting.extend(reversed(current.named_children))


def _text(node: Syntax) -> str:
    """The text of a string, `COMPUTED` in place of interpolations and of what is no string."""
    if node.type not in _STRINGS:
        return COMPUTED
    parts = []
    for child in node.named_children:
        own = text_of(child)
        if child.type == "string_content":
            parts.append(own)
        elif child.type == "escape_sequence":
            parts.append(_ESCAPES.get(own[1:2], own[1:]))
        else:
            parts.append(COMPUTED)
    return "".join(parts)
