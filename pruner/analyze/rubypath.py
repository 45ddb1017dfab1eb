"""Ruby's load path, and the paths that expressions over `__dir__`, `__FILE__` and literals stand for.

Sources: Ruby's documentation of `$LOAD_PATH`, File.expand_path and Pathname; Debian's ruby packages.
"""

from __future__ import annotations

from functools import lru_cache
from posixpath import dirname, normpath
from typing import TYPE_CHECKING

from pruner.analyze.syntax import may_be_path, text_of
from pruner.model import FileType

if TYPE_CHECKING:
    from tree_sitter import Node as Syntax

    from pruner.analyze.view import View

_LOAD_PATH = (
    *("/usr/local/lib/site_ruby/*.*", "/usr/local/lib/*/site_ruby", "/usr/local/lib/site_ruby"),
    *("/usr/lib/ruby/vendor_ruby/*.*", "/usr/lib/*/ruby/vendor_ruby/*.*", "/usr/lib/ruby/vendor_ruby"),
    *("/usr/local/lib/ruby/site_ruby/*", "/usr/local/lib/ruby/vendor_ruby/*", "/usr/local/lib/ruby/[0-9]*"),
    *(
        "/usr/local/lib/ruby/[0-9]*/*-linux*",
        "/usr/lib/ruby/[0-9]*",
        "/usr/lib/*/ruby/[0-9]*",
        "/usr/lib/ruby/[0-9]*/*-linux*",
    ),
)


class RubyPaths:
    """Evaluates expressions of the file at one path."""

    def __init__(self, path: str) -> None:
        self._path = path

    def value(self, node: Syntax) -> str | None:
        """The path that an expression over `__dir__`, `__FILE__` and literals stands for."""
        text = text_of(node) if node.type in {"identifier", "file"} else ""
        if text == "__dir__":
            return dirname(self._path)
        if node.type == "file" or text == "__FILE__":
            return self._path
        if not may_be_path(node):
            return None
        if node.type == "string":
            return self._interpolated(node)
        if node.type == "binary":
            return self._sum(node)
        return self._called(node) if node.type == "call" else None

    def _interpolated(self, node: Syntax) -> str | None:
        """`"#{__dir__}/templates"`."""
        children = node.named_children
        if not children or children[0].type != "interpolation":
            return None
        parts = [
            text_of(child)
            if child.type != "interpolation"
            else self.value(child.named_children[0])
            if child.named_children
            else None
            for child in children
        ]
        known = [part for part in parts if part is not None]
        return normpath("".join(known)) if len(known) == len(parts) else None

    def _sum(self, node: Syntax) -> str | None:
        left, right = node.child_by_field_name("left"), node.child_by_field_name("right")
        base = None if left is None else self.value(left)
        tail = None if right is None else literal(right)
        return None if base is None or tail is None else normpath(base + tail)

    def _called(self, node: Syntax) -> str | None:
        """`File.join`, `File.expand_path`, `File.dirname`, `Pathname.new(…).join` and the like."""
        method, arguments, receiver = (node.child_by_field_name(name) for name in ("method", "arguments", "receiver"))
        name = "" if method is None else text_of(method)
        children = [] if arguments is None else list(arguments.named_children)
        start = self.value(receiver) if receiver is not None else None
        if start is not None and name in {"join", "to_s", "expand_path", "realpath"}:
            return _joined(start, [literal(child) for child in children])
        if name == "dirname" and children:
            inner = self.value(children[0])
            return None if inner is None else dirname(inner)
        if name == "expand_path" and len(children) == 2:
            base, tail = self.value(children[1]), literal(children[0])
            return (
                None if base is None or tail is None else normpath(tail if tail.startswith("/") else f"{base}/{tail}")
            )
        if name in {"join", "expand_path", "realpath", "new", "glob", "Pathname"} and children:
            first = self.value(children[0])
            return None if first is None else _joined(first, [literal(child) for child in children[1:]])
        return None


def _joined(base: str, words: list[str | None]) -> str | None:
    known = [word for word in words if word is not None]
    return normpath("/".join((base, *known))) if len(known) == len(words) else None


def literal(node: Syntax) -> str | None:
    """The text of a string without interpolation."""
    if node.type != "string" or any(child.type != "string_content" for child in node.named_children):
        return None
    return "".join(text_of(child) for child in node.named_children)


def directory_before(node: Syntax, paths: RubyPaths | None = None) -> str | None:
    """The directory that a computed name begins with: `"a/b/#{x}"`, `"a/" + x`, `File.join("a", x)`; None for none.

    With `paths`, the beginning may be an expression over `__dir__` or `__FILE__`.
    """
    if not may_be_path(node):
        return None
    children = node.named_children
    method, arguments = (node.child_by_field_name(name) for name in ("method", "arguments"))
    if node.type == "string":
        return _before_interpolation(children, paths)
    if node.type == "binary" and children:
        return _folder(literal(children[0]) or "")
    if node.type == "call" and method is not None and arguments is not None and text_of(method) == "join":
        words: list[str] = []
        for child in arguments.named_children:
            word = literal(child) or (paths.value(child) if paths is not None else None)
            if word is None:
                break
            words.append(word)
        return "/".join(words) or None
    return None


def _before_interpolation(children: list[Syntax], paths: RubyPaths | None) -> str | None:
    text = ""
    for child in children:
        if child.type == "string_content":
            text += text_of(child)
            continue
        value = paths.value(child.named_children[0]) if paths is not None and child.named_children else None
        if value is None:
            break
        text += value
    return _folder(text)


def _folder(text: str) -> str | None:
    """The directories at the beginning of a name."""
    return text.rpartition("/")[0] or None


@lru_cache(maxsize=2)
def load_path(view: View) -> tuple[str, ...]:
    """Real paths of the directories of `$LOAD_PATH`, as far as they exist; RUBYLIB of the image first."""
    image = view.inventory.image
    given = [entry[8:].split(":") for entry in (image.env if image else ()) if entry.startswith("RUBYLIB=")]
    found: dict[str, None] = {place: None for places in given for place in places if place.startswith("/")}
    for pattern in _LOAD_PATH:
        for path in view.tree.glob(pattern):
            real = view.resolved(path)
            if real is not None and real.type is FileType.DIRECTORY:
                found[real.path] = None
    return tuple(found)
