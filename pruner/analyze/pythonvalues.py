"""Paths that a Python expression over `__file__` and literals stands for."""

from __future__ import annotations

import ast
from posixpath import dirname, join, normpath

_SAME = frozenset(
    {
        *("abspath", "realpath", "normpath", "expanduser", "fspath", "str", "resolve", "absolute", "as_posix"),
        *("Path", "PurePath", "PosixPath", "PurePosixPath"),
    }
)
"""Functions and methods whose result names what their argument names."""
_DEEPEST = 12
"""Expressions nested deeper are not looked into."""


class Paths:
    """Evaluates expressions of the module at one path; `names` are the variables that were assigned such values."""

    def __init__(self, path: str) -> None:
        self._path = path
        self.names: dict[str, str] = {}

    def value(self, node: ast.AST | None, depth: int = 0) -> str | None:
        """The path that an expression over `__file__` and literals stands for; None for everything else."""
        if depth > _DEEPEST or node is None:
            return None
        if isinstance(node, ast.Name):
            return self._path if node.id == "__file__" else self.names.get(node.id)
        if isinstance(node, ast.Attribute):
            base = self.value(node.value, depth + 1)
            return dirname(base) if base is not None and node.attr == "parent" else None
        return self._compound(node, depth)

    def _compound(self, node: ast.AST, depth: int) -> str | None:
        if isinstance(node, ast.Subscript):
            return self._ancestor(node, depth)
        if isinstance(node, ast.BinOp):
            return self._joined(node, depth)
        if isinstance(node, ast.JoinedStr):
            return self._formatted(node, depth)
        return self._called(node, depth) if isinstance(node, ast.Call) else None

    def _ancestor(self, node: ast.Subscript, depth: int) -> str | None:
        if (
            isinstance(node.value, ast.Attribute)
            and node.value.attr == "parents"
            and isinstance(node.slice, ast.Constant)
        ):
            base, count = self.value(node.value.value, depth + 1), node.slice.value
            if base is not None and isinstance(count, int) and 0 <= count < 32:
                for _ in range(count + 1):
                    base = dirname(base)
                return base
        return None

    def _joined(self, node: ast.BinOp, depth: int) -> str | None:
        base = self.value(node.left, depth + 1)
        if base is None or not isinstance(node.right, ast.Constant) or not isinstance(node.right.value, str):
            return None
        if isinstance(node.op, ast.Div):
            return normpath(join(base, node.right.value))
        return normpath(base + node.right.value) if isinstance(node.op, ast.Add) else None

    def _formatted(self, node: ast.JoinedStr, depth: int) -> str | None:
        parts = []
        for value in node.values:
            text = value.value if isinstance(value, ast.Constant) else None
            if isinstance(value, ast.FormattedValue):
                text = self.value(value.value, depth + 1)
            if not isinstance(text, str):
                return None
            parts.append(text)
        return normpath("".join(parts)) if len(parts) > 1 and parts[0].startswith("/") else None

    def _called(self, node: ast.Call, depth: int) -> str | None:
        function = node.func
        name = function.attr if isinstance(function, ast.Attribute) else getattr(function, "id", "")
        method = isinstance(function, ast.Attribute)
        subject: ast.expr | None = node.args[0] if node.args else None
        rest = node.args[1:]
        if method and isinstance(function, ast.Attribute) and self.value(function.value, depth + 1) is not None:
            subject, rest = function.value, node.args
        base = self.value(subject, depth + 1)
        if base is None:
            return None
        if name == "dirname":
            return dirname(base)
        if name in _SAME and not rest:
            return base
        if name in {"join", "joinpath", "Path"}:
            words = [word.value for word in rest if isinstance(word, ast.Constant) and isinstance(word.value, str)]
            return normpath(join(base, *words)) if len(words) == len(rest) else None
        return None
