"""Ruby application files: `require`, `require_relative`, `load`, `autoload`, `gem`, and Bundler's lock file.

A library of an installed package leads to the package, a gem to the gem with what it requires, any other file is the
application's own and is analysed in turn. Sources: Ruby's documentation of Kernel#require, RubyGems, Bundler.
"""

from __future__ import annotations

import re
from posixpath import basename, dirname, normpath
from typing import TYPE_CHECKING

from pruner.analyze import gems
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
from pruner.analyze.rubycommands import command_of_line, commands_of_call
from pruner.analyze.rubypath import RubyPaths, directory_before, literal, load_path
from pruner.analyze.started import edges_of_commands, edges_of_names, literals_of
from pruner.analyze.syntax import ancestors, matches, may_be_path, text_of
from pruner.model import EdgeKind, FileType, Findings, Unknown, file_node

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tree_sitter import Node as Syntax

    from pruner.analyze.started import Command
    from pruner.analyze.view import View
    from pruner.model import Edge, File

_LANDMARK = "English.rb"
"""A file of every standard library: a library that no package owns hangs on it."""
_QUERY = """
(call !receiver method: (identifier) @method arguments: (argument_list . (_) @argument)
  (#any-of? @method "require" "require_relative" "load" "gem"))
(call receiver: (constant) @receiver method: (identifier) @method arguments: (argument_list . (_) @argument)
  (#eq? @receiver "Kernel") (#any-of? @method "require" "require_relative" "load" "gem"))
(call method: (identifier) @method arguments: (argument_list . (_) . (_) @argument) (#eq? @method "autoload"))
(call receiver: (constant) @bundler method: (identifier) @method
  (#eq? @bundler "Bundler") (#any-of? @method "require" "setup"))
(call receiver: (global_variable) @path method: (identifier) @method arguments: (argument_list (_) @added)
  (#any-of? @path "$LOAD_PATH" "$:") (#any-of? @method "unshift" "push" "append" "prepend"))
(binary left: (global_variable) @path right: (_) @added (#any-of? @path "$LOAD_PATH" "$:"))
((identifier) @place (#eq? @place "__dir__"))
((file) @place)
(subshell) @line
(call method: (identifier) @starter arguments: (argument_list) @arguments
  (#match? @starter "^(system|exec|spawn|execute|execpipe|popen.*|capture[23]e?|pipeline.*)$"))
(call method: (identifier) @starter arguments: (argument_list) @arguments
  (#any-of? @starter "commands" "optional_commands" "has_command"))
(call receiver: [(constant) (scope_resolution) (identifier) (instance_variable)] @loader
  arguments: (argument_list (string) @directory) (#match? @loader "[Ll]oad"))
(call !receiver method: (identifier) @loader arguments: (argument_list (string) @directory)
  (#match? @loader "load") (#not-any-of? @loader "load" "autoload"))
"""
_ACTIVATED = re.compile(r"\b(?:activate_bin_path|bin_path)\(\s*[\"']([\w.-]+)[\"']")
"""`load Gem.activate_bin_path("rake", "rake")`, as RubyGems writes into the commands that it installs."""
_AROUND = frozenset({"call", "argument_list", "string", "interpolation", "binary"})
_GUARDS = frozenset({"begin", "body_statement", "rescue_modifier"})
_EXTENSIONS = ("", ".rb", ".so")


def edges_of_ruby(file: File, data: memoryview, active: bool, view: View) -> Findings:
    """What the Ruby source `file` loads; of a gemspec, active or not, what its gem consists of and requires."""
    if file.path.endswith(".gemspec") and "/specifications/" in file.path:
        return Findings(edges=without_repeats(gems.specification_edges(file_node(file.path), file.path, view)))
    if not active or len(data) > MAXIMUM_SOURCE_BYTES:
        return Findings()
    if basename(file.path) == _LANDMARK and dirname(file.path) in load_path(view) and owner_of(file.path, view) is None:
        evidence = "standard library of a Ruby that no package owns"
        folder = dirname(file.path)
        return Findings(
            edges=tree_edges(file_node(file.path), folder, view, kind=EdgeKind.COMPANION, evidence=evidence)
        )
    reader = _Reader(file, view)
    text = bytes(data)
    for _, captures in matches("ruby", _QUERY, text):
        reader.look({name: nodes[0] for name, nodes in captures.items()})
    return reader.findings(text)


class _Reader:
    """Gathers what one file asks for."""

    def __init__(self, file: File, view: View) -> None:
        self._file_read = file
        self._path = file.path
        self._source = file_node(file.path)
        self._view = view
        self._library = list(library_above(file.path, view))
        self._edges: list[Edge] = []
        self._unknowns: list[Unknown] = []
        self._places: list[str] = []
        self._commands: list[Command] = []
        self._paths = RubyPaths(file.path)

    def findings(self, data: bytes) -> Findings:
        self._edges.extend(edges_of_commands(self._file_read, self._commands, self._view))
        self._edges.extend(edges_of_names(self._file_read, literals_of(data), data, self._view))
        for place in sorted(set(self._places)):
            self._edges.extend(self._place_edges(place))
        return Findings(edges=without_repeats(self._edges), unknowns=tuple(dict.fromkeys(self._unknowns)))

    def look(self, found: dict[str, Syntax]) -> None:
        if "added" in found:
            value = self._paths.value(found["added"])
            if value is not None:
                self._library.insert(0, value)
        elif "bundler" in found:
            self._bundle()
        elif "line" in found:
            self._commands.append(command_of_line(found["line"]))
        elif "starter" in found:
            self._commands.extend(commands_of_call(text_of(found["starter"]), found["arguments"]))
        elif "directory" in found:
            self._namespace(literal(found["directory"]) or directory_before(found["directory"]), "load")
        elif "place" in found:
            self._place(found["place"])
        else:
            self._load(text_of(found["method"]), found["argument"])

    def _load(self, method: str, argument: Syntax) -> None:
        name = literal(argument)
        value = self._paths.value(argument) if name is None else None
        started = _ACTIVATED.search(text_of(argument))
        if started is not None:
            self._gem(started.group(1), argument)
        elif name is None and value is None:
            detail = f"a library whose name is computed in line {argument.start_point[0] + 1}"
            self._unknowns.append(Unknown(kind="import", subject=self._path, detail=detail))
            self._namespace(directory_before(argument, self._paths), method)
        elif method == "gem" and name is not None:
            self._gem(name, argument)
        elif method == "require_relative" or value is not None:
            self._file(value or normpath(f"{dirname(self._path)}/{name}"), name or basename(str(value)), argument)
        elif name is not None:
            if name in {"bundler/setup", "bundler/inline"}:
                self._bundle()
            self._library_file(name, argument)

    def _library_file(self, name: str, argument: Syntax) -> None:
        """A feature of the load path, then one of any gem, then (`load`) a file beside the script."""
        if name.startswith(("/", "./", "../")):
            self._file(normpath(name if name.startswith("/") else f"{dirname(self._path)}/{name}"), name, argument)
            return
        standard = load_path(self._view)
        path = _feature(name, (*self._library, *standard), self._view)
        gem = None
        if path is None:
            places = {
                place: gem
                for found in gems.gems_of(self._view).values()
                for gem in found
                for place in gem.require_paths
            }
            path = _feature(name, tuple(places), self._view)
            gem = None if path is None else next(places[place] for place in places if path.startswith(place + "/"))
        if path is None:
            beside = f"{dirname(self._path)}/{name}"
            path = beside if self._view.resolved(beside) is not None and name.endswith(".rb") else None
        if path is None:
            if name not in _BUILTIN:
                self._missing(name, argument)
            return
        self._own(path, f"require {name}")
        gem = gem or gems.module_of_gem(path, self._view)
        if gem is not None:
            self._edges.extend(gems.gem_edges(self._source, gem, self._view, evidence=f"require {name}"))
        elif owner_of(path, self._view) is None:
            for place in standard:
                if path.startswith(place + "/") and self._view.tree.get(f"{place}/{_LANDMARK}") is not None:
                    evidence = "standard library around it"
                    self._edges.extend(
                        module_edges(self._source, f"{place}/{_LANDMARK}", self._view, evidence=evidence)
                    )

    def _file(self, path: str, shown: str, argument: Syntax) -> None:
        for extension in _EXTENSIONS:
            found = self._view.resolved(path + extension)
            if found is not None and found.type is FileType.REGULAR:
                self._own(path + extension, f"require {shown}")
                return
        self._missing(shown, argument)

    def _missing(self, name: str, argument: Syntax) -> None:
        if not _is_rescued(argument):
            detail = f"library {name}, required in line {argument.start_point[0] + 1}, is not in the root"
            self._unknowns.append(Unknown(kind="import", subject=self._path, detail=detail))

    def _gem(self, name: str, argument: Syntax) -> None:
        found = gems.gems_of(self._view).get(name, ())
        for gem in found:
            self._edges.extend(gems.gem_edges(self._source, gem, self._view, evidence=f"gem {name}"))
        if not found and basename(self._path) != "Gemfile":
            self._missing(name, argument)

    def _bundle(self) -> None:
        """Bundler refuses to start without every gem of the lock file that was installed."""
        folder = dirname(self._path)
        while len(folder) > 1 and self._view.tree.get(f"{folder}/Gemfile") is None:
            folder = dirname(folder)
        for name in ("Gemfile", "Gemfile.lock", ".bundle/config"):
            kind, evidence = EdgeKind.CONFIG, "read by Bundler"
            self._edges.extend(self._view.edges_to(self._source, f"{folder}/{name}", kind, evidence=evidence))
        for name in gems.locked(f"{folder}/Gemfile.lock", self._view):
            for gem in gems.gems_of(self._view).get(name, ()):
                evidence = f"locked in {folder}/Gemfile.lock"
                self._edges.extend(gems.gem_edges(self._source, gem, self._view, evidence=evidence))
        if self._view.tree.get(f"{folder}/Gemfile.lock") is not None:
            for gem in gems.gems_of(self._view).get("bundler", ()):
                self._edges.extend(gems.gem_edges(self._source, gem, self._view, evidence="Bundler itself"))

    def _namespace(self, directory: str | None, method: str) -> None:
        """The application's own libraries below a directory that a computed name begins with."""
        if not directory:
            return
        relative = () if method == "require_relative" else (*self._library, *load_path(self._view))
        places = dict.fromkeys((dirname(self._path), *relative))
        folders = [directory] if directory.startswith("/") else [normpath(f"{place}/{directory}") for place in places]
        self._edges.extend(namespace_edges(self._path, folders, ".rb", self._view, directory))

    def _own(self, path: str, evidence: str) -> None:
        self._edges.extend(module_edges(self._source, path, self._view, evidence=evidence))
        self._edges.extend(own_edges(self._path, path, self._view, evidence=evidence))

    def _place(self, node: Syntax) -> None:
        """The path of the largest expression around `__dir__` or `__FILE__` that has a known value."""
        value = self._paths.value(node)
        for _, outer in ancestors(node):
            if outer.type not in _AROUND or not may_be_path(outer):
                break
            value = self._paths.value(outer) or value
        if value is not None and value not in {self._path, dirname(self._path)}:
            self._places.append(value)

    def _place_edges(self, place: str) -> Iterator[Edge]:
        evidence = f"addressed by {basename(self._path)}"
        if "*" in place:
            for path in self._view.tree.glob(place):
                kind = EdgeKind.IMPORT if path.endswith(".rb") else EdgeKind.DATA
                yield from self._view.edges_to(self._source, path, kind, evidence=evidence)
            return
        found = self._view.resolved(place)
        if found is None or self._path.startswith(found.path.rstrip("/") + "/") or found.path in self._library:
            return
        yield from self._view.edges_to(self._source, place, EdgeKind.DATA, evidence=evidence)
        if found.type is FileType.DIRECTORY:
            yield from tree_edges(self._source, found.path, self._view, kind=EdgeKind.DATA, evidence=evidence)


_BUILTIN = frozenset({"thread", "enumerator", "rational", "complex", "fiber", "ruby2_keywords", "thread.rb"})
"""Features that the interpreter provides itself (`$LOADED_FEATURES` of a bare start)."""


def _is_rescued(node: Syntax) -> bool:
    """Whether a `rescue` is around `node`."""
    return any(
        outer.type == "rescue_modifier"
        or (outer.type in _GUARDS and any(child.type == "rescue" for child in outer.named_children))
        for _, outer in ancestors(node)
    )


def _feature(name: str, places: tuple[str, ...], view: View) -> str | None:
    names = [name] if name.endswith((".rb", ".so")) else [f"{name}.rb", f"{name}.so"]
    for ending in names:
        for place in places:
            found = view.resolved(f"{place}/{ending}")
            if found is not None and found.type is FileType.REGULAR:
                return f"{place}/{ending}"
    return None
