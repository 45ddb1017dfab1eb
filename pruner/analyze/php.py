"""PHP application files: `require` and `include`, Composer's autoloader; and the extensions that ini files load.

Sources: PHP manual (include, extension and zend_extension directives, extension_dir, include_path), Composer.
"""

from __future__ import annotations

import re
from posixpath import basename, dirname, normpath
from typing import TYPE_CHECKING

from pruner.analyze.composer import autoload_edges, is_autoloader
from pruner.analyze.imports import MAXIMUM_SOURCE_BYTES, module_edges, tree_edges, without_repeats
from pruner.analyze.syntax import ancestors, is_inside, matches, may_be_path, text_of
from pruner.model import EdgeKind, FileType, Findings, Unknown, file_node

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tree_sitter import Node as Syntax

    from pruner.analyze.view import View
    from pruner.model import Edge, File

_INCLUDE_PATH = ("/usr/share/php", "/usr/local/lib/php", "/usr/share/pear")
_EXTENSIONS = (
    "/usr/lib/php/[0-9]*",
    "/usr/lib/php*/modules",
    "/usr/lib64/php*/modules",
    "/usr/local/lib/php/extensions/*",
)
_SETTING = re.compile(r"^\s*(extension|zend_extension|extension_dir)\s*=\s*[\"']?([^\"'\s;]+)", re.MULTILINE)
_QUERY = """
[(require_expression (_) @file) (require_once_expression (_) @file)]
[(include_expression (_) @optional) (include_once_expression (_) @optional)]
(assignment_expression left: (variable_name) @name right: (_) @value)
(const_declaration (const_element (name) @name (_) @value))
(function_call_expression function: (name) @function
  arguments: (arguments . (argument (string) @defined) . (argument (_) @value)) (#eq? @function "define"))
((name) @place (#any-of? @place "__DIR__" "__FILE__"))
(function_call_expression function: (name) @function
  arguments: (arguments . (argument [(string) (encapsed_string)] @command))
  (#any-of? @function "exec" "shell_exec" "system" "passthru" "proc_open" "popen"))
"""
_AROUND = frozenset(
    {"binary_expression", "argument", "arguments", "function_call_expression", "parenthesized_expression"}
)
_GUARDS = frozenset({"if_statement", "try_statement", "conditional_expression"})


def edges_of_php(file: File, data: memoryview, active: bool, view: View) -> Findings:
    """What the PHP source `file` includes; of an ini file, active or not, the extensions that it loads."""
    if file.path.endswith(".ini"):
        return edges_of_php_ini(file, data, view)
    if not active or len(data) > MAXIMUM_SOURCE_BYTES:
        return Findings()
    reader = _Reader(file, view)
    if is_autoloader(file.path, view):
        reader.edges.extend(autoload_edges(file_node(file.path), file.path, view))
    for _, captures in matches("php", _QUERY, bytes(data)):
        reader.look({name: nodes[0] for name, nodes in captures.items()})
    return reader.findings()


def edges_of_php_ini(file: File, data: memoryview, view: View) -> Findings:
    """The shared objects that `extension` and `zend_extension` of a php.ini or conf.d file name."""
    settings = _SETTING.findall(bytes(data[: 1 << 20]).decode("utf-8", "replace"))
    given = [value for key, value in settings if key == "extension_dir" and value.startswith("/")]
    folders = given or [path for pattern in _EXTENSIONS for path in view.tree.glob(pattern)]
    source = file_node(file.path)
    edges: list[Edge] = []
    unknowns: list[Unknown] = []
    for key, value in settings:
        if key == "extension_dir":
            continue
        names = (value,) if value.startswith("/") else tuple(f"{folder}/{value}" for folder in folders)
        found = [
            edge
            for name in names
            for ending in ("", ".so")
            if (target := view.resolved(name + ending)) is not None and target.type is FileType.REGULAR
            for edge in view.edges_to(source, name + ending, EdgeKind.LOAD, evidence=f"{key}={value}")
        ]
        edges.extend(found)
        if not found:
            unknowns.append(Unknown(kind="dlopen", subject=file.path, detail=f"{key} {value} is not in the root"))
    return Findings(edges=without_repeats(edges), unknowns=tuple(dict.fromkeys(unknowns)))


class _Reader:
    """Gathers what one file asks for; constants and variables count from where they are set."""

    def __init__(self, file: File, view: View) -> None:
        self._path = file.path
        self._source = file_node(file.path)
        self._view = view
        self._values: dict[str, str] = {}
        self._places: set[str] = set()
        self._unknowns: list[Unknown] = []
        self.edges: list[Edge] = []

    def findings(self) -> Findings:
        for place in sorted(self._places):
            self.edges.extend(self._place_edges(place, EdgeKind.DATA))
        return Findings(edges=without_repeats(self.edges), unknowns=tuple(dict.fromkeys(self._unknowns)))

    def look(self, found: dict[str, Syntax]) -> None:
        if "file" in found or "optional" in found:
            self._include(found.get("file") or found["optional"], must="file" in found)
        elif "value" in found:
            value = self._value(found["value"])
            name = text_of(found["defined"])[1:-1] if "defined" in found else text_of(found["name"])
            if value is not None:
                self._values[name] = value
        elif "command" in found:
            self._command(text_of(found["command"])[1:-1])
        else:
            self._place(found["place"])

    def _include(self, argument: Syntax, *, must: bool) -> None:
        value = self._value(argument)
        literal = _literal(argument)
        line = argument.start_point[0] + 1
        if value is None and literal is None:
            detail = f"a file whose name is computed in line {line}"
            self._unknowns.append(Unknown(kind="import", subject=self._path, detail=detail))
            prefix = self._prefix(argument)
            if prefix is not None:
                self.edges.extend(self._place_edges(prefix, EdgeKind.IMPORT))
            return
        shown = value or str(literal)
        for place in [value] if value is not None else self._candidates(str(literal)):
            edges = module_edges(self._source, place, self._view, evidence=f"includes {shown}")
            self.edges.extend(edges)
            if edges:
                return
        if must and not is_inside(argument, _GUARDS):
            detail = f"file {shown}, required in line {line}, is not in the root"
            self._unknowns.append(Unknown(kind="import", subject=self._path, detail=detail))

    def _candidates(self, name: str) -> Iterator[str]:
        """Beside the script, where the working directory most often is, then in the include path."""
        if name.startswith("/"):
            yield name
            return
        places = () if name.startswith(("./", "../")) else _INCLUDE_PATH
        yield from (normpath(f"{place}/{name}") for place in (dirname(self._path), *places))

    def _place(self, node: Syntax) -> None:
        """The path of the largest expression around `__DIR__` that has a known value, outside of an include."""
        value = self._value(node)
        for _, outer in ancestors(node):
            if outer.type not in _AROUND or not may_be_path(outer):
                break
            wider = self._value(outer)
            if wider is None and outer.type == "binary_expression":
                break
            value = wider or value
        if value is not None:
            self._places.add(value)

    def _place_edges(self, place: str, kind: EdgeKind) -> Iterator[Edge]:
        found = self._view.resolved(place)
        if found is None or self._path.startswith(found.path.rstrip("/") + "/") or found.path == self._path:
            return
        evidence = f"addressed by {basename(self._path)}"
        yield from self._view.edges_to(self._source, place, EdgeKind.DATA, evidence=evidence)
        if found.type is FileType.DIRECTORY:
            yield from tree_edges(self._source, found.path, self._view, kind=kind, evidence=evidence)

    def _command(self, text: str) -> None:
        words = text.split()
        found = self._view.tree.which(words[0], self._view.search_path) if words else None
        if found is not None:
            evidence = f"starts {words[0]}"
            self.edges.extend(self._view.edges_to(self._source, found, EdgeKind.EXEC, evidence=evidence))

    def _value(self, node: Syntax) -> str | None:
        """The path that an expression over `__DIR__`, constants and literals stands for."""
        if node.type in {"name", "variable_name"}:
            known = {"__DIR__": dirname(self._path), "__FILE__": self._path}
            return known.get(text_of(node)) or self._values.get(text_of(node))
        if not may_be_path(node):
            return None
        if node.type in {"parenthesized_expression", "argument"} and node.named_children:
            return self._value(node.named_children[0])
        if node.type == "binary_expression":
            return self._sum(node)
        if node.type == "encapsed_string":
            return self._interpolated(node)
        return self._called(node) if node.type == "function_call_expression" else None

    def _sum(self, node: Syntax) -> str | None:
        left, right = node.child_by_field_name("left"), node.child_by_field_name("right")
        base = None if left is None else self._value(left)
        tail = None
        if right is not None:
            tail = "/" if text_of(right) == "DIRECTORY_SEPARATOR" else _literal(right)
        if base is None or tail is None:
            return None
        return base + "/" if tail == "/" else normpath(base + tail)

    def _interpolated(self, node: Syntax) -> str | None:
        """`"$root/lib/x.php"` with a variable whose value is known."""
        children = node.named_children
        if len(children) != 2 or children[0].type != "variable_name":
            return None
        base = self._values.get(text_of(children[0]))
        return None if base is None else normpath(base + text_of(children[1]))

    def _called(self, node: Syntax) -> str | None:
        function, arguments = node.child_by_field_name("function"), node.child_by_field_name("arguments")
        name = "" if function is None else text_of(function).lstrip("\\").lower()
        children = [] if arguments is None else list(arguments.named_children)
        base = self._value(children[0]) if children else None
        if base is None or name not in {"dirname", "realpath"}:
            return None
        levels = text_of(children[1]) if len(children) > 1 else "1"
        for _ in range(min(int(levels), 32) if name == "dirname" and levels.isdigit() else 0):
            base = dirname(base)
        return base

    def _prefix(self, node: Syntax) -> str | None:
        """The directory that `__DIR__ . "/src/" . $name . ".php"` starts with."""
        while node.type in {"binary_expression", "parenthesized_expression"}:
            known = self._value(node)
            if known is not None:
                return known
            inner = node.child_by_field_name("left") or (node.named_children[0] if node.named_children else None)
            if inner is None:
                return None
            node = inner
        return self._value(node)


def _literal(node: Syntax) -> str | None:
    """The text of a string without variables, in whichever quotes."""
    if node.type == "parenthesized_expression" and node.named_children:
        return _literal(node.named_children[0])
    if node.type not in {"string", "encapsed_string"}:
        return None
    if any(child.type not in {"string_content", "escape_sequence"} for child in node.named_children):
        return None
    return text_of(node)[1:-1]
