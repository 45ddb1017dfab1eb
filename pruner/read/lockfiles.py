"""Packages that a scan knows from lock files only, where they are installed all the same.

A directory scan of Syft reads lock files, and not the node_modules and vendor directories that were made from them;
an image scan does the opposite (syft/internal/task/package_tasks.go). What a lock file names and the tree holds is
installed.
"""

from __future__ import annotations

import posixpath
from collections import defaultdict
from dataclasses import replace
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from pruner.model import Package
    from pruner.rootfs.tree import Tree

LOCKED_TYPES = frozenset({"npm", "php-composer"})
"""Ecosystems whose packages have a directory of their own name beside the lock file."""


def installed_of(declared: Iterable[Package], installed: Iterable[Package], tree: Tree) -> Iterator[Package]:
    """Those of `declared` whose directories `tree` holds, with these; no directory that `installed` has already.

    Where directories of one name hold several versions, each version gets them all: a name can't tell them apart.
    """
    declared = tuple(declared)
    if not declared:
        return
    taken = {directory for package in installed for directory in package.whole_directories}
    directories = _node_modules(tree)
    for package in declared:
        found: list[str] = []
        for lock in package.locations:
            base = posixpath.dirname(lock)
            if package.type == "npm":
                prefix = f"{base.rstrip('/')}/"
                found += [place for place in directories.get(package.name, ()) if place.startswith(prefix)]
            else:
                place = f"{base.rstrip('/')}/vendor/{package.name}"
                found += [place] if tree.children(place) else []
        whole = tuple(place for place in dict.fromkeys(found) if place not in taken)
        if whole:
            yield replace(package, whole_directories=whole)


def _node_modules(tree: Tree) -> dict[str, list[str]]:
    """Directories of installed npm packages by the name that they are required by."""
    directories: defaultdict[str, list[str]] = defaultdict(list)
    for path in tree.files:
        if path.endswith("/package.json"):
            directory = path.removesuffix("/package.json")
            _, separator, name = directory.rpartition("/node_modules/")
            if separator and name.count("/") == name.startswith("@"):
                directories[name].append(directory)
    return directories
