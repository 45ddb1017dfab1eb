"""Paths that a JavaScript expression over `__dirname`, `import.meta` and literals stands for."""

from __future__ import annotations

from posixpath import dirname, join, normpath
from typing import TYPE_CHECKING

from pruner.analyze.syntax import ancestors, may_be_path, text_of

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

    from tree_sitter import Node as Syntax

_FUNCTIONS = frozenset({"join", "resolve", "normalize", "URL", "fileURLToPath", "dirname"})


def literal_of(node: Syntax) -> str | None:
    """The text of a string or of a template without substitutions."""
    if node.type == "string" or (node.type == "template_string" and not _has(node, "template_substitution")):
        return text_of(node)[1:-1].replace("\\/", "/")
    return None


def _has(node: Syntax, kind: str) -> bool:
    return any(child.type == kind for child in node.named_children)


def places_around(node: Syntax, path: str) -> Iterator[str]:
    """The path of the largest expression around `__dirname` and the like that has a known value."""
    value = value_of(node, path)
    for _, outer in ancestors(node):
        if outer.type not in {"arguments", "template_substitution"}:
            wider = value_of(outer, path)
            if wider is None:
                break
            value = wider
    if value is not None and value not in {path, dirname(path)}:
        yield value


def value_of(node: Syntax, path: str) -> str | None:
    """The path that `node` in the file at `path` stands for; None for what is not known or names no path."""
    if not may_be_path(node):
        return None
    if node.type in {"identifier", "member_expression"}:
        known = _PLACES.get(text_of(node))
        return None if known is None else known(path)
    if node.type == "parenthesized_expression" and node.named_children:
        return value_of(node.named_children[0], path)
    if node.type == "binary_expression":
        return _sum(node, path)
    if node.type == "template_string":
        parts = [_part(child, path) for child in node.named_children]
        texts = [part for part in parts if part is not None]
        return normpath("".join(texts)) if texts and len(texts) == len(parts) and texts[0].startswith("/") else None
    return _called(node, path) if node.type in {"call_expression", "new_expression"} else None


_PLACES: Mapping[str, Callable[[str], str]] = {
    "__dirname": dirname,
    "import.meta.dirname": dirname,
    "__filename": str,
    "import.meta.filename": str,
    "import.meta.url": str,
}


def _part(child: Syntax, path: str) -> str | None:
    if child.type == "template_substitution":
        return value_of(child.named_children[0], path) if child.named_children else None
    return text_of(child)


def _sum(node: Syntax, path: str) -> str | None:
    left, right = node.child_by_field_name("left"), node.child_by_field_name("right")
    base = None if left is None else value_of(left, path)
    tail = None if right is None else literal_of(right)
    return None if base is None or tail is None else normpath(base + tail)


def _called(node: Syntax, path: str) -> str | None:
    function = node.child_by_field_name("function") or node.child_by_field_name("constructor")
    arguments = node.child_by_field_name("arguments")
    name = "" if function is None else text_of(function).rpartition(".")[2]
    if name not in _FUNCTIONS or arguments is None:
        return None
    children = list(arguments.named_children)
    if name == "URL":
        children.reverse()  # new URL("./x", import.meta.url): relative to the file's folder
    first = value_of(children[0], path) if children else None
    rest = [literal_of(child) for child in children[1:]]
    words = [word for word in rest if word is not None]
    if first is None or len(words) != len(rest):
        return None
    if name == "dirname":
        return dirname(first)
    if name == "URL":
        return normpath(join(dirname(first), *words))
    return normpath("/".join((first, *words)))


def prefix_of(node: Syntax, path: str) -> str | None:
    """The directory that a computed specifier such as `"./locale/" + name` starts with."""
    first = node
    while first.type == "binary_expression":
        left = first.child_by_field_name("left")
        if left is None:
            return None
        known = value_of(first, path)
        if known is not None:
            return known
        first = left
    text = value_of(first, path) or literal_of(first)
    if first.type == "template_string" and text is None and first.named_children:
        text = _part(first.named_children[0], path)
    if text is None or not text.startswith(("./", "../", "/")):
        return None
    return normpath(join(dirname(path), text if text.endswith("/") or text.startswith("/") else dirname(text)))
