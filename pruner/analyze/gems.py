"""Installed gems: where RubyGems and Bundler keep them, what their specifications require, and what a lock file names.

Sources: RubyGems guides (specification reference), `Gem::Specification#to_ruby` for the text of installed gemspecs,
Bundler's gemfile.lock (lockfile.md).
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import lru_cache
from posixpath import basename, dirname
from typing import TYPE_CHECKING

from pruner.analyze.imports import owner_of, tree_edges
from pruner.model import Edge, EdgeKind, package_node

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from pruner.analyze.view import View
    from pruner.model import Node

_SPECIFICATION = re.compile(r"/specifications/(?:default/)?([\w.-]+?)-(\d[\w.]*?)(?:-[a-z][\w-]*)?\.gemspec\Z")
_REQUIRES = re.compile(r"\.add_(?:runtime_)?dependency\(?\s*(?:%q<([^>]+)>|[\"']([^\"']+)[\"'])")
_REQUIRE_PATHS = re.compile(r"\.require_paths\s*=\s*\[([^\]]*)\]")
_QUOTED = re.compile(r"[\"']([^\"']+)[\"']|%q<([^>]+)>")
_LOCKED = re.compile(r"^ {4}([\w.-]+) \(([^)]+)\)$", re.MULTILINE)


@dataclass(frozen=True, slots=True, kw_only=True)
class Gem:
    """One installed gem."""

    name: str
    version: str
    specification: str
    """Real path of its gemspec."""
    folder: str | None
    """Its own directory; None for gems that are part of Ruby and for Debian's, which lie on the load path."""
    extensions: tuple[str, ...]
    """Directories of its compiled parts outside of `folder`."""
    require_paths: tuple[str, ...]
    """Directories that are searched once the gem is activated."""


@lru_cache(maxsize=2)
def gems_of(view: View) -> Mapping[str, tuple[Gem, ...]]:
    """The gems of the root by name."""
    found: dict[str, list[Gem]] = {}
    for path in view.tree.files:
        if path.endswith(".gemspec"):
            match = _SPECIFICATION.search(path)
            if match:
                found.setdefault(match.group(1), []).append(_gem(path, match.group(1), match.group(2), view))
    return {name: tuple(gems) for name, gems in found.items()}


def requirements(gem_specification: str, view: View) -> tuple[str, ...]:
    """Names of the gems that the gemspec at that path requires at run time."""
    data = view.read(gem_specification)
    text = "" if data is None else bytes(data[: 1 << 20]).decode("utf-8", "replace")
    return tuple(dict.fromkeys(first or second for first, second in _REQUIRES.findall(text)))


def locked(lock: str, view: View) -> tuple[str, ...]:
    """Names of the gems in a Gemfile.lock."""
    data = view.read(lock)
    text = "" if data is None else bytes(data[: 1 << 22]).decode("utf-8", "replace")
    return tuple(dict.fromkeys(name for name, _ in _LOCKED.findall(text)))


def gem_edges(source: Node, gem: Gem, view: View, *, evidence: str, kind: EdgeKind = EdgeKind.IMPORT) -> Iterator[Edge]:
    """Edges from `source` to a gem: its package, or else its gemspec.

    The gemspec is analysed by `edges_of_ruby`, so that a gem that no package lists is kept with what it requires.
    """
    owner = owner_of(gem.specification, view)
    if owner is None and gem.folder is not None:
        owner = owner_of(gem.folder + "/", view)
    if owner is not None:
        yield Edge(source=source, target=package_node(owner.id), kind=kind, evidence=evidence)
    else:
        yield from view.edges_to(source, gem.specification, kind, evidence=evidence)


def specification_edges(source: Node, path: str, view: View) -> Iterator[Edge]:
    """What the gemspec at `path` stands for: the gem's own directories, and the gems that it requires."""
    match = _SPECIFICATION.search(path)
    if match is None:
        return
    gem = _gem(path, match.group(1), match.group(2), view)
    for folder in (gem.folder, *gem.extensions):
        if folder is not None:
            yield from tree_edges(source, folder, view, kind=EdgeKind.COMPANION, evidence=f"part of the gem {gem.name}")
    for name in requirements(path, view):
        for required in gems_of(view).get(name, ()):
            evidence = f"gem {gem.name} requires {name}"
            yield from gem_edges(source, required, view, evidence=evidence, kind=EdgeKind.DEPENDS)


def module_of_gem(path: str, view: View) -> Gem | None:
    """The gem whose directory the real `path` lies in."""
    for gems in gems_of(view).values():
        for gem in gems:
            if any(path.startswith(folder + "/") for folder in (gem.folder, *gem.extensions) if folder is not None):
                return gem
    return None


def _gem(path: str, name: str, version: str, view: View) -> Gem:
    home = dirname(dirname(path))
    home = dirname(home) if basename(home) == "specifications" else home
    full = basename(path).removesuffix(".gemspec")
    folder = view.tree.resolve(f"{home}/gems/{full}").path
    folder = folder if folder is not None and view.tree.children(folder) else None
    extensions = tuple(found for found in view.tree.glob(f"{home}/extensions/*/*/{full}"))
    data = view.read(path)
    text = "" if data is None else bytes(data[: 1 << 16]).decode("utf-8", "replace")
    listed = _REQUIRE_PATHS.search(text)
    names = [first or second for first, second in _QUOTED.findall(listed.group(1))] if listed else ["lib"]
    paths = [f"{folder}/{entry}" for entry in names if folder is not None and not entry.startswith("/")]
    paths += [entry for entry in names if entry.startswith("/")]
    return Gem(
        name=name,
        version=version,
        specification=path,
        folder=folder,
        extensions=extensions,
        require_paths=(*paths, *extensions),
    )
