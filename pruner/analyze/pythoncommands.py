"""Command lines in Python sources: `subprocess`, `os.system`, `os.exec*`, `shutil.which` and asyncio's likes.

Source: Python's library reference (subprocess, os, shutil, asyncio-subprocess).
"""

from __future__ import annotations

import ast
import re

from pruner.analyze.started import COMPUTED, Command, line_of

_BY_SHELL = frozenset({"system", "popen", "getoutput", "getstatusoutput", "create_subprocess_shell"})
_BY_VECTOR = frozenset({"run", "call", "check_call", "check_output", "Popen", "create_subprocess_exec"})
_BY_FILE = re.compile(r"(?:exec[lv]p?e?|spawn[lv]p?e?|posix_spawnp?|which)\Z")
_MODULES = frozenset({"subprocess", "os", "shutil", "asyncio"})
_FORMAT = re.compile(r"%(?:\([^)]*\))?[-#0 +]*[\d.*]*[a-zA-Z]|\{[^{}]*\}")
_DEEPEST = 30


def command_of_call(node: ast.Call, name: str) -> Command | None:
    """The command that a call of the function or method `name` starts or looks for, None where it is none."""
    if name not in _BY_SHELL and name not in _BY_VECTOR and _BY_FILE.match(name) is None:
        return None
    owner = _words(node.func) - {name}
    if owner and not owner & _MODULES:
        return None
    arguments = node.args or [word.value for word in node.keywords if word.arg in {"args", "cmd", "command"}]
    if not arguments:
        return None
    if _BY_FILE.match(name):
        # The flags of spawn come before the program.
        first = arguments[1:2] if name.startswith("spawn") else arguments[:1]
        texts = [text_of(each) for each in first]
        return line_of(texts) if texts and texts[0] != COMPUTED else None
    if name in _BY_SHELL:
        return Command(text_of(arguments[0]), True)
    return _of_vector(node, arguments, name)


def _of_vector(node: ast.Call, arguments: list[ast.expr], name: str) -> Command | None:
    first = arguments[0]
    if isinstance(first, ast.BinOp) and isinstance(first.left, (ast.List, ast.Tuple)):
        first = first.left
    words = first.elts if isinstance(first, (ast.List, ast.Tuple)) else None
    if words is not None:
        return line_of([text_of(word) for word in words]) if words else None
    text = text_of(first)
    if any(word.arg == "shell" and not _is_false(word.value) for word in node.keywords):
        return Command(text, True)
    if text == COMPUTED:
        return None
    if name == "create_subprocess_exec":
        return line_of([text_of(word) for word in arguments])
    return line_of([text])


def _is_false(node: ast.expr) -> bool:
    return isinstance(node, ast.Constant) and not node.value


def text_of(node: ast.expr, depth: int = 0) -> str:
    """The value of an expression of strings, `COMPUTED` in place of what is none or is formatted in."""
    if isinstance(node, ast.Constant):
        return node.value if isinstance(node.value, str) else COMPUTED
    if depth > _DEEPEST:
        return COMPUTED
    if isinstance(node, ast.JoinedStr):
        parts = [text_of(value, depth + 1) for value in node.values]
    elif isinstance(node, ast.BinOp) and isinstance(node.op, ast.Add):
        parts = [text_of(node.left, depth + 1), text_of(node.right, depth + 1)]
    elif isinstance(node, ast.BinOp) and isinstance(node.op, ast.Mod):
        parts = [_FORMAT.sub(COMPUTED, text_of(node.left, depth + 1))]
    elif isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and node.func.attr == "format":
        parts = [_FORMAT.sub(COMPUTED, text_of(node.func.value, depth + 1))]
    else:
        parts = [COMPUTED]
    return "".join(parts)


def _words(node: ast.AST) -> set[str]:
    """Names and attributes in an expression."""
    return {
        inner.id if isinstance(inner, ast.Name) else inner.attr
        for inner in ast.walk(node)
        if isinstance(inner, (ast.Name, ast.Attribute))
    }
