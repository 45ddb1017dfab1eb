"""Composer's vendor directory: what its autoloader can load.

Which class is loaded is decided while the program runs, so an application that includes `vendor/autoload.php` gets the
autoloader, every package that was installed for production, and the directories that its own composer.json maps.
Sources: Composer's documentation (Basic usage: autoloading; `composer.json` schema: autoload), and
`vendor/composer/installed.json` of Composer 1 and 2.
"""

from __future__ import annotations

import json
from posixpath import dirname, normpath
from typing import TYPE_CHECKING, Any

from pruner.analyze.imports import tree_edges
from pruner.model import Edge, EdgeKind, FileType, file_node

if TYPE_CHECKING:
    from collections.abc import Iterator

    from pruner.analyze.view import View
    from pruner.model import Node

_LARGEST = 16 << 20


def is_autoloader(path: str, view: View) -> bool:
    """Whether the real `path` is the autoload.php of a vendor directory."""
    folder = dirname(path)
    return path.endswith("/autoload.php") and bool(view.tree.children(f"{folder}/composer"))


def autoload_edges(source: Node, path: str, view: View) -> Iterator[Edge]:
    """Edges from `source` to what the autoloader at `path` may load."""
    vendor = dirname(path)
    text = _read(f"{vendor}/composer/installed.json", view)
    listed = text.get("packages") if isinstance(text, dict) else text
    packages = [entry for entry in listed if isinstance(entry, dict)] if isinstance(listed, list) else None
    evidence = f"loaded by {path}"
    if packages is None:
        yield from tree_edges(source, vendor, view, kind=EdgeKind.COMPANION, evidence=evidence)
    else:
        names = text.get("dev-package-names") if isinstance(text, dict) else None
        development = set(names) if isinstance(names, list) else set()
        yield from tree_edges(source, f"{vendor}/composer", view, kind=EdgeKind.COMPANION, evidence=evidence)
        for entry in packages:
            yield from _package_edges(source, entry, vendor, development, view)
    yield from _own_edges(source, dirname(vendor), view)


def _package_edges(
    source: Node, entry: dict[str, Any], vendor: str, development: set[Any], view: View
) -> Iterator[Edge]:
    """The directory of an installed package; of a development package only if the autoloader includes files of it."""
    name, autoload = entry.get("name"), entry.get("autoload")
    eager = isinstance(autoload, dict) and bool(autoload.get("files"))
    if not isinstance(name, str) or (name in development and not eager):
        return
    place = entry.get("install-path")
    folder = normpath(f"{vendor}/composer/{place}" if isinstance(place, str) else f"{vendor}/{name}")
    real = view.tree.resolve(folder)
    if real.path is not None and real.path != "/":
        yield from (Edge(source=source, target=file_node(link), kind=EdgeKind.LINK) for link in real.links)
        evidence = f"composer package {name}"
        yield from tree_edges(source, real.path, view, kind=EdgeKind.COMPANION, evidence=evidence)


def _own_edges(source: Node, project: str, view: View) -> Iterator[Edge]:
    """The application's own classes: directories and files that its composer.json maps, each to be analysed."""
    text = _read(f"{project}/composer.json", view)
    autoload = text.get("autoload") if isinstance(text, dict) else None
    for kind in ("psr-4", "psr-0", "classmap", "files"):
        mapped = autoload.get(kind) if isinstance(autoload, dict) else None
        for value in mapped.values() if isinstance(mapped, dict) else [mapped]:
            for place in value if isinstance(value, list) else [value]:
                if not isinstance(place, str):
                    continue
                found = view.resolved(normpath(f"{project}/{place}"))
                evidence = "mapped by composer.json"
                if found is not None and found.type is FileType.DIRECTORY and found.path not in {"/", project}:
                    yield from tree_edges(source, found.path, view, kind=EdgeKind.IMPORT, evidence=evidence)
                elif found is not None and found.type is FileType.REGULAR:
                    yield from view.edges_to(source, found.path, EdgeKind.IMPORT, evidence=evidence)


def _read(path: str, view: View) -> Any:
    data = view.read(path)
    try:
        return {} if data is None or len(data) > _LARGEST else json.loads(bytes(data))
    except (ValueError, RecursionError):
        return {}
