"""The command lines that a shell text is made of, as words."""

from __future__ import annotations

import posixpath

from pruner.analyze.shell import parser
from pruner.analyze.shellwords import Scope, walk

_MOST_BYTES = 1 << 16
_SHELLS = frozenset({"sh", "bash", "dash", "ash", "ksh", "mksh", "zsh"})


def command_lines(text: str) -> tuple[tuple[str, ...], ...]:
    """The simple commands of the shell script `text`, each as its words, in the order of the text.

    A command whose name the script computes is left out, and so is a word that has no value or several.
    """
    root = parser().parse(text.encode("utf-8", "surrogateescape")[:_MOST_BYTES]).root_node
    scope = Scope("")
    scope.collect(root)
    lines = []
    for node in walk(root):
        name = node.child_by_field_name("name") if node.type == "command" else None
        if name is None:
            continue
        known = [scope.values(word) for word in (name, *node.children_by_field_name("argument"))]
        words = [next(iter(values)) if values is not None and len(values) == 1 else None for values in known]
        if words[0]:
            lines.append(tuple(word for word in words if word is not None))
    return tuple(lines)


def shell_text(words: tuple[str, ...]) -> str | None:
    """The script of a shell-form command (`sh -c TEXT`, as Dockerfiles write it), None for any other command."""
    if posixpath.basename(words[0]) not in _SHELLS:
        return None
    for position, word in enumerate(words[1:-1], start=1):
        if not word.startswith("-"):
            return None
        if not word.startswith("--") and word.endswith("c"):
            return words[position + 1]
    return None
