"""What the text of a Python module says about other files, read from its syntax tree alone.

Imports anywhere in the module, whether something catches their failure, module names in strings, files addressed
relative to `__file__`, and commands that it starts.
"""

from __future__ import annotations

import ast
import re
import warnings
from dataclasses import dataclass, field
from posixpath import dirname, join, normpath
from typing import TYPE_CHECKING

from pruner.analyze.pythoncommands import command_of_call, text_of
from pruner.analyze.pythonvalues import Paths
from pruner.analyze.started import COMPUTED

if TYPE_CHECKING:
    from collections.abc import Iterator

    from pruner.analyze.started import Command

_WORD = re.compile(r"[a-z0-9][a-z0-9.+_-]{1,40}\Z")
MODULE_NAME = re.compile(r"[A-Za-z_]\w*(?:\.[A-Za-z_]\w*)+(?::[A-Za-z_][\w.]*)?\Z|[A-Za-z_]\w*:[A-Za-z_][\w.]*\Z")
"""`pkg.module`, `pkg.module:attribute` and `module:attribute`, as settings and servers name modules."""

_FAILURES = frozenset({"ImportError", "ModuleNotFoundError", "Exception", "BaseException"})
_LOADERS = frozenset({"import_module", "__import__", "load_module", "run_module"})
_ITERATORS = frozenset({"iter_modules", "walk_packages"})


@dataclass(frozen=True, slots=True, kw_only=True)
class Import:
    """One import, absolute or relative."""

    module: str
    """Dotted name after the leading dots; may be empty for `from . import x`."""
    level: int
    """Number of leading dots."""
    names: tuple[str, ...]
    """What `from … import` names, each perhaps a submodule."""
    guarded: bool
    """A failure is caught, or the platform is asked first."""
    line: int


@dataclass(slots=True, kw_only=True)
class Source:
    """What was seen; filled while the tree is walked."""

    imports: list[Import] = field(default_factory=list)
    computed: list[int] = field(default_factory=list)
    """Lines that import a module whose name is computed."""
    names: set[str] = field(default_factory=set)
    """Strings that look like the name of a module."""
    settings: set[str] = field(default_factory=set)
    """Plain words in lists that are assigned to names in capitals (`INSTALLED_APPS`)."""
    paths: set[str] = field(default_factory=set)
    """Absolute paths computed from `__file__`."""
    literals: set[str] = field(default_factory=set)
    """Strings that are absolute paths."""
    words: set[str] = field(default_factory=set)
    """Short strings that could be names of commands."""
    commands: list[Command] = field(default_factory=list)
    """Commands that it starts, or looks for."""
    search: list[str] = field(default_factory=list)
    """Directories that it adds to `sys.path`."""
    namespaces: dict[tuple[str, int], None] = field(default_factory=dict)
    """Packages of which it imports modules by computed names: dotted name and number of leading dots."""
    listed: dict[str, None] = field(default_factory=dict)
    """Directories and names of packages through whose modules it goes by `pkgutil`; `__path__` is its own."""
    groups: set[str] = field(default_factory=set)
    """Entry point groups that it asks for."""


def parse(data: bytes, path: str) -> Source | None:
    """What the module at `path` says; None where it is no Python that this interpreter can parse."""
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            tree = ast.parse(data)
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return None
    source = Source()
    reader = _Reader(source, path)
    pending: list[tuple[ast.AST, bool]] = [(tree, False)]
    while pending:
        node, guarded = pending.pop()
        reader.look(node, guarded=guarded)
        pending.extend(_inside(node, guarded=guarded))
    source.imports.sort(key=lambda found: (found.line, found.module, found.names))
    return source


def _inside(node: ast.AST, *, guarded: bool) -> Iterator[tuple[ast.AST, bool]]:
    """The children of `node` in reverse order, each with whether a failure to import is caught there."""
    children: list[tuple[ast.AST, bool]]
    if isinstance(node, ast.Try):
        catches = guarded or any(_catches(handler.type) for handler in node.handlers)
        children = [(child, catches) for child in (*node.body, *node.handlers)]
        children += [(child, guarded) for child in (*node.orelse, *node.finalbody)]
    elif isinstance(node, ast.If):
        asks = _words(node.test)
        if "TYPE_CHECKING" in asks:
            children = [(child, guarded) for child in node.orelse]
        else:
            about = guarded or bool(asks & {"sys", "os", "platform", "version_info", "find_spec"})
            children = [(node.test, guarded), *((child, about) for child in (*node.body, *node.orelse))]
    elif isinstance(node, ast.With):
        suppressed = guarded or any(
            isinstance(item.context_expr, ast.Call)
            and "suppress" in _words(item.context_expr.func)
            and any(_catches(argument) for argument in item.context_expr.args)
            for item in node.items
        )
        children = [(child, suppressed) for child in ast.iter_child_nodes(node)]
    else:
        children = [(child, guarded) for child in ast.iter_child_nodes(node)]
    return reversed(children)


def _catches(kind: ast.expr | None) -> bool:
    return kind is None or bool(_words(kind) & _FAILURES)


def _words(node: ast.AST) -> set[str]:
    """Names and attributes in an expression."""
    return {
        inner.id if isinstance(inner, ast.Name) else inner.attr
        for inner in ast.walk(node)
        if isinstance(inner, (ast.Name, ast.Attribute))
    }


class _Reader:
    """Looks at one node after the other, in the order of the text."""

    def __init__(self, source: Source, path: str) -> None:
        self._source = source
        self._path = path
        self._paths = Paths(path)

    def look(self, node: ast.AST, *, guarded: bool) -> None:
        if isinstance(node, ast.Import):
            for alias in node.names:
                self._import(alias.name, 0, (), node, guarded=guarded)
        elif isinstance(node, ast.ImportFrom):
            self._import(node.module or "", node.level, tuple(a.name for a in node.names), node, guarded=guarded)
        elif isinstance(node, ast.Call):
            self._call(node, guarded=guarded)
        elif isinstance(node, ast.Assign):
            self._assignment(node)
        elif isinstance(node, ast.Constant) and isinstance(node.value, str):
            self._string(node.value)
        if isinstance(node, (ast.Call, ast.BinOp, ast.Attribute, ast.JoinedStr)):
            value = self._paths.value(node)
            if value is not None:
                self._source.paths.add(value)

    def _import(
        self, module: str, level: int, names: tuple[str, ...], node: ast.stmt | ast.expr, *, guarded: bool
    ) -> None:
        self._source.imports.append(Import(module=module, level=level, names=names, guarded=guarded, line=node.lineno))

    def _string(self, text: str) -> None:
        if len(text) > 512 or "\0" in text:
            return
        if text.startswith("/") and len(text) > 1 and "\n" not in text:
            self._source.literals.add(text)
        elif _WORD.match(text):
            self._source.words.add(text)
        if MODULE_NAME.match(text):
            self._source.names.add(text)

    def _assignment(self, node: ast.Assign) -> None:
        value = self._paths.value(node.value)
        for target in node.targets:
            if not isinstance(target, ast.Name):
                continue
            if value is not None:
                self._paths.names[target.id] = value
            if target.id.isupper() and isinstance(node.value, (ast.List, ast.Tuple)):
                words = (item.value for item in node.value.elts if isinstance(item, ast.Constant))
                self._source.settings.update(word for word in words if isinstance(word, str) and word.isidentifier())

    def _call(self, node: ast.Call, *, guarded: bool) -> None:
        name = node.func.attr if isinstance(node.func, ast.Attribute) else getattr(node.func, "id", "")
        first = node.args[0] if node.args else None
        if name in _LOADERS and first is not None:
            if isinstance(first, ast.Constant) and isinstance(first.value, str) and first.value.strip("."):
                level = len(first.value) - len(first.value.lstrip("."))
                self._import(first.value.lstrip("."), level, (), node, guarded=guarded)
            else:
                self._source.computed.append(node.lineno)
                self._namespace(first, node)
        elif name in _ITERATORS:
            self._lists(node)
        elif name in {"entry_points", "iter_entry_points"}:
            values = (first, *(keyword.value for keyword in node.keywords if keyword.arg == "group"))
            self._source.groups.update(
                value.value for value in values if isinstance(value, ast.Constant) and isinstance(value.value, str)
            )
        elif (
            name in {"insert", "append"}
            and isinstance(node.func, ast.Attribute)
            and _words(node.func.value) == {"sys", "path"}
        ):
            self._add_search(node.args[-1] if node.args else None)
        else:
            command = command_of_call(node, name)
            if command is not None:
                self._source.commands.append(command)

    def _add_search(self, argument: ast.expr | None) -> None:
        value = self._paths.value(argument)
        if value is None and isinstance(argument, ast.Constant) and isinstance(argument.value, str):
            value = argument.value  # relative to the working directory; the script's own is the likeliest
            value = value if value.startswith("/") else join(dirname(self._path), value)
        if value is not None:
            self._source.search.append(normpath(value))

    def _namespace(self, argument: ast.expr, node: ast.Call) -> None:
        """The package that a computed module name begins with: `f"pkg.{x}"`, `"pkg." + x`, `f".{x}"`."""
        text = text_of(argument).partition(COMPUTED)[0]
        given = [*node.args[1:2], *(word.value for word in node.keywords if word.arg == "package")]
        anchor = text_of(given[0]) if given else COMPUTED
        if text.startswith(".") and not text.startswith("..") and COMPUTED not in anchor:
            text = anchor + text
        level = len(text) - len(text.lstrip("."))
        name = text[level:].rpartition(".")[0]
        if level or name:
            self._source.namespaces[name, level] = None

    def _lists(self, node: ast.Call) -> None:
        """The packages whose modules `pkgutil.iter_modules(PATH)` and `walk_packages(PATH)` go through."""
        given = [node.args[0]] if node.args else [word.value for word in node.keywords if word.arg == "path"]
        for argument in given:
            inner = argument.elts if isinstance(argument, (ast.List, ast.Tuple)) else [argument]
            for element in inner:
                value = self._paths.value(element)
                if value is not None:
                    self._source.listed[value] = None
                elif isinstance(element, ast.Attribute) and element.attr == "__path__":
                    self._source.listed[ast.unparse(element.value)] = None
                elif isinstance(element, ast.Name) and element.id == "__path__":
                    self._source.listed["__path__"] = None
