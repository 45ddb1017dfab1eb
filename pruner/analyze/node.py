"""JavaScript modules of Node applications, and the package.json files that say what a package requires.

`require`, `import` and `export … from` with a literal lead to the application's own files, which are analysed in turn,
or to packages in a `node_modules` folder, which are kept whole with their declared dependencies. A package that the
SBOM does not list (a directory scan reads lock files instead) hangs on its package.json: that brings the folder and
what it declares.
"""

from __future__ import annotations

from posixpath import basename, dirname, join, normpath
from typing import TYPE_CHECKING

from pruner.analyze import nodepath
from pruner.analyze.imports import MAXIMUM_SOURCE_BYTES, link_edges, module_edges, owner_of, tree_edges, without_repeats
from pruner.analyze.nodevalues import literal_of, places_around, prefix_of, value_of
from pruner.analyze.syntax import is_inside, matches, text_of
from pruner.model import Edge, EdgeKind, FileType, Findings, Strength, Unknown, file_node

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tree_sitter import Node as Syntax

    from pruner.analyze.view import View
    from pruner.model import File, Node

DEPENDENCIES = "npm-dependencies"
"""Group of optional edges: what an application's own package.json declares, whether or not an import was seen."""
PEERS = "npm-optional-peers"
"""Group of optional edges: installed packages that another one uses when they are there."""

_QUERY = """
(import_statement source: (string) @module)
(export_statement source: (string) @module)
(call_expression function: (import) arguments: (arguments . (_) @module))
(call_expression function: (identifier) @name arguments: (arguments . (_) @module) (#eq? @name "require"))
(call_expression function: (member_expression object: (identifier) @name property: (property_identifier) @resolve)
  arguments: (arguments . (_) @module) (#eq? @name "require") (#eq? @resolve "resolve"))
(new_expression constructor: (identifier) @name arguments: (arguments . (_) @program) (#eq? @name "Worker"))
(call_expression function: [(identifier) @name (member_expression property: (property_identifier) @name)]
  arguments: (arguments . (_) @program) (#eq? @name "fork"))
(call_expression function: [(identifier) @name (member_expression property: (property_identifier) @name)]
  arguments: (arguments . (string) @command) (#any-of? @name "spawn" "spawnSync" "execFile" "execFileSync"))
((identifier) @place (#any-of? @place "__dirname" "__filename"))
((member_expression object: (meta_property) property: (property_identifier) @name) @place
  (#any-of? @name "url" "dirname" "filename"))
((string (string_fragment) @path) @whole (#match? @path "^\\\\.?\\\\.?/"))
"""
_GUARDS = frozenset({"try_statement"})


def edges_of_node(file: File, data: memoryview, active: bool, view: View) -> Findings:
    """What the module or the package.json `file` needs; of a module nothing while it is inert."""
    if basename(file.path) == "package.json":
        return _edges_of_manifest(file, view)
    if not active or len(data) > MAXIMUM_SOURCE_BYTES:
        return Findings()
    edges: list[Edge] = []
    unknowns: list[Unknown] = []
    source = file_node(file.path)
    home = nodepath.nearest_package(dirname(file.path), view)
    if home is not None and owner_of(file.path, view) is None:
        evidence = "decides how Node reads the modules beside it"
        edges.extend(view.edges_to(source, f"{home}/package.json", EdgeKind.CONFIG, evidence=evidence))
    places: list[str] = []
    found_all = matches("javascript", _QUERY, bytes(data))
    loaded = {found[name][0].start_byte for _, found in found_all for name in ("module", "program") if name in found}
    for _, found in found_all:
        if "module" in found:
            edges.extend(_module_edges(source, file.path, found["module"][0], view, unknowns))
        elif "program" in found:
            edges.extend(_program_edges(source, file.path, found["program"][0], view))
        elif "command" in found:
            edges.extend(_command_edges(source, text_of(found["command"][0]).strip("\"'"), view))
        elif "whole" in found and found["whole"][0].start_byte in loaded:
            continue
        elif "path" in found:
            places.extend(_named_place(text_of(found["path"][0]), file.path, view))
        else:
            places.extend(places_around(found["place"][0], file.path))
    listed = any("computed" in unknown.detail for unknown in unknowns)
    edges.extend(_place_edges(source, file.path, places, view, EdgeKind.IMPORT if listed else EdgeKind.DATA))
    return Findings(edges=without_repeats(edges), unknowns=tuple(dict.fromkeys(unknowns)))


def _module_edges(source: Node, path: str, argument: Syntax, view: View, unknowns: list[Unknown]) -> Iterator[Edge]:
    specifier = literal_of(argument)
    if specifier is None:
        specifier = value_of(argument, path)
    if specifier is None:
        prefix = prefix_of(argument, path)
        line = argument.start_point[0] + 1
        unknowns.append(Unknown(kind="import", subject=path, detail=f"a module whose name is computed in line {line}"))
        if prefix is not None:
            yield from _place_edges(source, path, [prefix], view, EdgeKind.IMPORT)
        return
    target = nodepath.resolve(specifier, path, view)
    evidence = f"import {specifier}"
    if target.kind == "package":
        yield from package_edges(source, target.path, view, evidence=evidence)
    elif target.kind == "file":
        yield from module_edges(source, target.path, view, evidence=evidence)
    elif target.kind == "missing" and not is_inside(argument, _GUARDS, "body"):
        line = argument.start_point[0] + 1
        detail = f"module {specifier}, imported in line {line}, is not in the root"
        unknowns.append(Unknown(kind="import", subject=path, detail=detail))


def package_edges(
    source: Node,
    folder: str,
    view: View,
    *,
    evidence: str,
    kind: EdgeKind = EdgeKind.IMPORT,
    strength: Strength = Strength.HARD,
    group: str | None = None,
) -> Iterator[Edge]:
    """Edges to the package in `folder` (or to the one file that it is): its node, or else its package.json."""
    single = view.resolved(folder)
    main = folder if single is not None and single.type is FileType.REGULAR else f"{folder}/package.json"
    found = view.resolved(main)
    if found is None:
        real = view.tree.resolve(folder)
        yield from link_edges(source, real.links, evidence=evidence, strength=strength, group=group)
        if real.path is not None:
            yield from tree_edges(source, real.path, view, kind=EdgeKind.IMPORT, evidence=evidence)
        return
    yield from module_edges(source, main, view, evidence=evidence, kind=kind, strength=strength, group=group)


def _program_edges(source: Node, path: str, argument: Syntax, view: View) -> Iterator[Edge]:
    """A worker or a forked process: a path, relative to the file for want of the working directory."""
    value = value_of(argument, path) or literal_of(argument)
    if value is not None:
        target = nodepath.resolve(value if value.startswith("/") else f"./{value}", path, view)
        if target.kind == "file":
            yield from module_edges(source, target.path, view, evidence=f"{basename(path)} runs it")


def _command_edges(source: Node, command: str, view: View) -> Iterator[Edge]:
    found = view.tree.which(command, view.search_path)
    if found is not None:
        yield from view.edges_to(source, found, EdgeKind.EXEC, evidence=f"started as {command}")


def _named_place(text: str, path: str, view: View) -> Iterator[str]:
    """The path that a string names: one relative to the file, or an absolute one of a file (`/lib` may be a route)."""
    place = normpath(join(dirname(path), text))
    found = view.resolved(place) if "\0" not in place else None
    if found is not None and (text.startswith(".") or found.type is not FileType.DIRECTORY):
        yield place


def _place_edges(source: Node, path: str, places: list[str], view: View, kind: EdgeKind) -> Iterator[Edge]:
    """Files and directories that the module addresses relative to itself, other than those it lies in."""
    for place in sorted(set(places)):
        found = view.resolved(place)
        if found is None or path.startswith(found.path.rstrip("/") + "/") or found.path == path:
            continue
        evidence = f"addressed by {basename(path)}"
        yield from view.edges_to(source, place, EdgeKind.DATA, evidence=evidence)
        if found.type is FileType.DIRECTORY:
            yield from tree_edges(source, found.path, view, kind=kind, evidence=evidence)


# -- package.json -----------------------------------------------------------------------------------------------------


def _edges_of_manifest(file: File, view: View) -> Findings:
    """What a package.json declares that belongs to no installed package; in `node_modules` also the files around it.

    Dependencies are needed even while the file is inert: a package is kept whole, by name.
    """
    folder = dirname(file.path)
    installed = "/node_modules/" in file.path
    source = file_node(file.path)
    if owner_of(file.path, view) is not None:
        return Findings()
    text = nodepath.manifest(file.path, view)
    edges: list[Edge] = []
    if installed and nodepath.nearest_package(folder, view) == folder and _is_package(folder):
        around = tree_edges(source, folder, view, kind=EdgeKind.COMPANION, evidence="part of the package")
        edges.extend(edge for edge in around if "/node_modules/" not in edge.target[len(folder) :])
    optional = text.get("peerDependenciesMeta")
    for key in ("dependencies", "optionalDependencies", "peerDependencies"):
        names = text.get(key)
        for name in sorted(names) if isinstance(names, dict) else ():
            home = nodepath.package_folder(name, folder, view)
            if home is None:
                continue
            meta = optional.get(name) if key == "peerDependencies" and isinstance(optional, dict) else None
            group = PEERS if isinstance(meta, dict) and meta.get("optional") else None
            group = group if installed else DEPENDENCIES
            strength = Strength.HARD if group is None else Strength.OPTIONAL
            evidence = f"{text.get('name') or basename(folder)} declares {name}"
            edges.extend(
                package_edges(
                    source, home, view, evidence=evidence, kind=EdgeKind.DEPENDS, strength=strength, group=group
                )
            )
    return Findings(edges=without_repeats(edges))


def _is_package(folder: str) -> bool:
    """Whether `folder` is itself an entry of a `node_modules` folder, rather than something inside a package."""
    parent = dirname(folder)
    return basename(parent) == "node_modules" or (
        basename(parent).startswith("@") and basename(dirname(parent)) == "node_modules"
    )
