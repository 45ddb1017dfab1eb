"""Perl application files: `use`, `require`, `do` and the module names that well-known loaders take.

A module of an installed package leads to the package, kept whole; a module that no package owns (CPAN's, the
application's) is analysed in turn, with the compiled half that XSLoader takes from `auto/`. Sources: perlfunc (use,
require, do), perlvar (`@INC`), XSLoader; Debian Perl policy 2.3 (module path). Read by tree-sitter-perl, which knows
heredocs, POD and quoting operators.
"""

from __future__ import annotations

import re
from posixpath import basename, dirname, normpath
from typing import TYPE_CHECKING

from pruner.analyze.imports import (
    MAXIMUM_SOURCE_BYTES,
    library_above,
    module_edges,
    namespace_edges,
    own_edges,
    owner_of,
    tree_edges,
    without_repeats,
)
from pruner.analyze.perlcommands import command_of_call, command_of_line
from pruner.analyze.perlpath import given_directories, include_path
from pruner.analyze.plugins import plugin_edges
from pruner.analyze.started import edges_of_commands, edges_of_names, literals_of
from pruner.analyze.syntax import is_inside, matches, text_of
from pruner.model import Edge, EdgeKind, FileType, Findings, Unknown, file_node

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from tree_sitter import Node as Syntax

    from pruner.analyze.started import Command
    from pruner.analyze.view import View
    from pruner.model import File

PLUGINS = "perl-plugins"
"""Group of optional edges: packages that extend an imported one by a module it loads by a computed name."""

_QUERY = """
(use_statement module: (package) @module) @use
(require_expression (bareword) @name)
(require_expression [(interpolated_string_literal) (string_literal)] @file)
(require_expression [(scalar) (array_element_expression) (hash_element_expression) (binary_expression)] @computed)
(eval_expression (filename) @file)
(eval_expression [(interpolated_string_literal) (string_literal)] @code)
(eval_expression (parenthesized_expression . [(interpolated_string_literal) (string_literal)] @code))
(function_call_expression function: (function) @function) @call
(ambiguous_function_call_expression function: (function) @function) @call
(command_string) @line
(package_statement name: (package) @package)
((interpolated_string_literal) @beginning (#match? @beginning "^(qq)?[^A-Za-z][A-Z][A-Za-z0-9_:]*::[$@]"))
(binary_expression . [(interpolated_string_literal) (string_literal)] @beginning (#match? @beginning "::.$"))
([(interpolated_string_literal) (string_literal)] @path (#match? @path "Bin|^.\\\\.?\\\\.?/"))
"""
_NAME = re.compile(r"[A-Za-z_]\w*(?:(?:::|')\w+)*\Z")
_IN_CODE = re.compile(r"\b(?:use|require)\s+([A-Za-z_]\w*(?:::\w+)*)")
_BIN = re.compile(r"\$(?:\{\s*)?(?:FindBin::)?(?:Real)?Bin(?:\s*\})?\b|\$\{?(?:FindBin::)?(?:Real)?Bin\}?")
_PREFIX_IN_CODE = re.compile(r"\b(?:use|require)\s+((?:[A-Za-z_]\w*::)+)[$@]")
_BEGINNING = re.compile(r"((?:[A-Za-z_]\w*::)+)(?:[$@]|\Z)")
_NAMERS = frozenset({"parent", "base", "autouse", "if", "aliased", "ok", "fields", "Mojo::Base", "superclass"})
"""Pragmas and modules whose arguments name modules."""
_LOADERS = re.compile(
    r"(?:.*::)?(?:load|load_class|try_load_class|use_module|use_package_optimistically|require_module|load_optional_class"
    r"|use_ok|require_ok|autoload|with|extends)\Z"
)
"""Functions whose string arguments name modules: Module::Load, Class::Load, Module::Runtime, Moose, Test::More."""
_FINDERS = frozenset({"useall", "usesub", "findallmod", "findsubmod"})
"""Functions of Module::Find, whose argument is a namespace."""
_GUARDS = frozenset({"eval_expression", "try_statement"})


def edges_of_perl(file: File, data: memoryview, active: bool, view: View) -> Findings:
    """What the Perl source `file` loads; nothing while it is inert."""
    if not active or len(data) > MAXIMUM_SOURCE_BYTES:
        return Findings()
    reader = _Reader(file, view)
    text = bytes(data)
    for _, captures in matches("perl", _QUERY, text):
        reader.look({name: nodes[0] for name, nodes in captures.items()})
    return reader.findings(text)


class _Reader:
    """Gathers what one file asks for while its matches are looked at in order: `use lib` counts from there on."""

    def __init__(self, file: File, view: View) -> None:
        self._file_read = file
        self._path = file.path
        self._source = file_node(file.path)
        self._view = view
        self._library = [*given_directories(view), *library_above(file.path, view)]
        self._edges: list[Edge] = []
        self._unknowns: list[Unknown] = []
        self._commands: list[Command] = []
        self._package = "main"
        self._computes = False
        self._namespaces: dict[str, None] = {}
        self._beginnings: dict[str, None] = {}

    def findings(self, data: bytes) -> Findings:
        if self._computes:
            self._namespaces.update(self._beginnings)
        self._edges.extend(edge for name in self._namespaces for edge in self._below(name))
        self._edges.extend(edges_of_commands(self._file_read, self._commands, self._view))
        self._edges.extend(edges_of_names(self._file_read, literals_of(data), data, self._view))
        packages = {edge.target for edge in self._edges if edge.target.startswith("package:")}
        imported = [self._view.packages[package] for package in self._view.packages if f"package:{package}" in packages]
        extended = {other for package in imported for other in (package.id, *self._view.related(package))}
        include = include_path(self._view)
        plugins = plugin_edges(self._source, extended, self._view, search=include, suffix=".pm", group=PLUGINS)
        return Findings(edges=without_repeats((*self._edges, *plugins)), unknowns=tuple(dict.fromkeys(self._unknowns)))

    def look(self, found: dict[str, Syntax]) -> None:
        if "use" in found:
            self._use(found["use"], text_of(found["module"]))
        elif "name" in found:
            self._module(text_of(found["name"]), found["name"], guarded=is_inside(found["name"], _GUARDS))
        elif "file" in found:
            self._file(found["file"])
        elif "code" in found:
            self._code(found["code"])
        elif "computed" in found:
            self._computed(found["computed"])
        elif "call" in found:
            self._call(found["call"], text_of(found["function"]))
        elif "line" in found:
            self._commands.append(command_of_line(found["line"]))
        elif "package" in found:
            self._package = text_of(found["package"])
        elif "beginning" in found:
            self._begins(self._beginnings, _words(found["beginning"]))
        else:
            self._path_named(found["path"])

    def _use(self, node: Syntax, module: str) -> None:
        words = [word for child in node.named_children for word in _words(child)]
        if module == "lib":
            added = (self._directory(child) for child in node.named_children[1:])
            self._library[:0] = [place for places in added for place in places]
            return
        if module == "Module::Pluggable":
            self._namespaces.update(dict.fromkeys(_searched(words) or (f"{self._package}::Plugin",)))
        guarded = is_inside(node, _GUARDS) or module == "if"
        self._module(module, node, guarded=guarded)
        if module in _NAMERS and "-norequire" not in words:
            for word in words:
                if _NAME.match(word) and word != module and (word[:1].isupper() or module in {"parent", "base"}):
                    self._module(word, node, guarded=module in {"base", "if", "autouse", "Mojo::Base"})

    def _module(self, name: str, node: Syntax, *, guarded: bool) -> None:
        relative = re.sub(r"::|'", "/", name) + ".pm"
        self._load(relative, node, name, guarded=guarded)

    def _load(self, relative: str, node: Syntax, shown: str, *, guarded: bool) -> None:
        include = (*self._library, *include_path(self._view))
        for place in include:
            found = self._view.resolved(f"{place}/{relative}")
            if found is None or found.type is not FileType.REGULAR:
                continue
            evidence = f"loads {shown}"
            path = f"{place}/{relative}"
            self._edges.extend(module_edges(self._source, path, self._view, evidence=evidence))
            self._edges.extend(own_edges(self._path, path, self._view, evidence=evidence))
            if owner_of(found.path, self._view) is None:
                self._edges.extend(self._compiled(relative, include))
            return
        if not guarded:
            line = node.start_point[0] + 1
            detail = f"module {shown}, loaded in line {line}, is not in the root"
            self._unknowns.append(Unknown(kind="import", subject=self._path, detail=detail))

    def _compiled(self, relative: str, include: tuple[str, ...]) -> Iterator[Edge]:
        """The shared object that XSLoader loads for a module that no package owns, with the files beside it."""
        for place in include:
            folder = self._view.tree.resolve(f"{place}/auto/{relative.removesuffix('.pm')}").path
            if folder is not None:
                yield from tree_edges(
                    self._source, folder, self._view, kind=EdgeKind.COMPANION, evidence=f"compiled part of {relative}"
                )

    def _file(self, node: Syntax) -> None:
        """`require "x.pl"` and `do "x.pl"`: an absolute path, one below the script's directory, or one of `@INC`."""
        text = self._interpolated(node)
        if text is None:
            self._computed(node)
            folder = "".join(_words(node)).partition("$")[0].rpartition("/")[0]
            if re.fullmatch(r"\w+(?:/\w+)*", folder):
                self._namespaces[folder.replace("/", "::")] = None
        elif text.startswith("/"):
            self._edges.extend(module_edges(self._source, text, self._view, evidence="loads it by path"))
            self._edges.extend(own_edges(self._path, text, self._view, evidence="loads it by path"))
        else:
            beside = normpath(f"{dirname(self._path)}/{text}")
            if text.startswith("./") or self._view.resolved(beside) is not None:
                self._edges.extend(module_edges(self._source, beside, self._view, evidence=f"loads {text}"))
                self._edges.extend(own_edges(self._path, beside, self._view, evidence=f"loads {text}"))
            else:
                self._load(text, node, text, guarded=is_inside(node, _GUARDS))

    def _code(self, node: Syntax) -> None:
        """`eval "require Module"`: names in the text are looked for, a failure is caught."""
        text = text_of(node)
        for name in _IN_CODE.findall(text):
            self._module(name, node, guarded=True)
        self._begins(self._namespaces, _PREFIX_IN_CODE.findall(text))
        if re.search(r"\b(?:use|require)\s+(?:\w+::)*[$@]", text):
            self._computed(node)

    @staticmethod
    def _begins(names: dict[str, None], texts: Iterable[str]) -> None:
        """Take in the namespaces that `texts` (`Prefix::$name`) begin with."""
        names.update(dict.fromkeys(found.group(1)[:-2] for text in texts if (found := _BEGINNING.match(text))))

    def _below(self, namespace: str) -> Iterator[Edge]:
        relative = namespace.replace("::", "/")
        places = dict.fromkeys((*self._library, *include_path(self._view)))
        directories = [f"{place}/{relative}" for place in places]
        return namespace_edges(self._path, directories, ".pm", self._view, namespace)

    def _computed(self, node: Syntax) -> None:
        self._computes = True
        detail = f"a module whose name is computed in line {node.start_point[0] + 1}"
        self._unknowns.append(Unknown(kind="import", subject=self._path, detail=detail))

    def _call(self, node: Syntax, function: str) -> None:
        command = command_of_call(node, function)
        if command is not None:
            self._commands.append(command)
        words = [word for child in node.named_children for word in _words(child)]
        if function in _FINDERS:
            words += [text_of(child) for child in _all(node) if child.type in {"bareword", "package"}]
            self._namespaces.update(dict.fromkeys(word for word in words if _NAME.match(word)))
        elif _LOADERS.match(function) is not None:
            self._computes = self._computes or not words or any("$" in word or word[-2:] == "::" for word in words)
            for word in words:
                if _NAME.match(word) and word[:1].isupper():
                    self._module(word, node, guarded=True)

    def _path_named(self, node: Syntax) -> None:
        text = self._interpolated(node)
        if text is None or "\n" in text:
            return
        place = normpath(f"{dirname(self._path)}/{text}" if not text.startswith("/") else text)
        found = self._view.resolved(place)
        if found is None or self._path.startswith(found.path.rstrip("/") + "/"):
            return
        evidence = f"addressed by {basename(self._path)}"
        self._edges.extend(self._view.edges_to(self._source, place, EdgeKind.DATA, evidence=evidence))
        if found.type is FileType.DIRECTORY and not text.startswith("/"):
            self._edges.extend(tree_edges(self._source, found.path, self._view, kind=EdgeKind.DATA, evidence=evidence))

    def _interpolated(self, node: Syntax) -> str | None:
        """The text of a string in which nothing but FindBin's `$Bin` is interpolated."""
        contents = [child for child in _all(node) if child.type == "string_content"]
        text = _BIN.sub(lambda _: dirname(self._path), text_of(contents[0])) if contents else ""
        single = node.type == "string_literal"
        return text if text and (single or not re.search(r"[$@]\w|[$@]\{", text)) else None

    def _directory(self, node: Syntax) -> Iterator[str]:
        """Directories in an argument of `use lib`: literals, `$Bin`, `dirname(__FILE__)` and what is put after them."""
        text = text_of(node)
        strings = [child for child in _all(node) if child.type in {"interpolated_string_literal", "string_literal"}]
        values = [value for child in strings if (value := self._interpolated(child)) is not None]
        if "__FILE__" in text or ("Bin" in text and not any("Bin" in text_of(child) for child in strings)):
            base = self._path
            for _ in range(max(1, text.count("dirname"))):
                base = dirname(base)
            yield normpath("/".join((base, *values)))
            return
        words = _words(node) if node.type == "quoted_word_list" else []
        for value in (*values, *words):
            yield normpath(value if value.startswith("/") else f"{dirname(self._path)}/{value}")


def _all(node: Syntax) -> Iterator[Syntax]:
    waiting = [node]
    while waiting:
        current = waiting.pop()
        yield current
        waiting.extend(reversed(current.named_children))


def _words(node: Syntax) -> list[str]:
    """Words of strings and `qw` lists in an argument, in order."""
    words: list[str] = []
    for child in _all(node):
        if child.type == "quoted_word_list":
            words.extend(text_of(child.named_children[0]).split() if child.named_children else [])
        elif child.type in {"string_literal", "interpolated_string_literal"}:
            words.append(text_of(child.named_children[0]) if child.named_children else "")
        elif child.type == "autoquoted_bareword":
            words.append(text_of(child))
    return words


def _searched(words: list[str]) -> list[str]:
    """The namespaces of Module::Pluggable's option `search_path`."""
    after = words[words.index("search_path") + 1 :] if "search_path" in words else []
    return [word for word in after if _NAME.match(word) and word[:1].isupper()]
