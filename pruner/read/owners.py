"""Which packages a name of the root belongs to.

A path belongs to the package that declares it, once links in its parent directories are followed; never to the
package that declares a link to it. Syft's own `contains` edges follow the last component too (busybox-binsh, which
declares the link `/bin/sh`, "contains" `/bin/busybox`), so they only help where declarations can't be resolved.
"""

from __future__ import annotations

from bisect import bisect_left
from collections import defaultdict
from typing import TYPE_CHECKING

from pruner.bytewise import bytewise
from pruner.model import FileType
from pruner.read.ecosystems import DISTRIBUTION_TYPES

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from pruner.model import Package, PackageId
    from pruner.rootfs.tree import Tree

_EVIDENCE_IS_ELSEWHERE = frozenset({*DISTRIBUTION_TYPES, "linux-kernel", "linux-kernel-module"})


def owners_of(
    packages: Sequence[Package], tree: Tree, contains: Mapping[PackageId, Sequence[str]] | None = None
) -> dict[str, tuple[PackageId, ...]]:
    """Owners of every owned path of `tree`, packages of the distribution first, else in the order of `packages`.

    Of nested whole directories (node_modules within node_modules) the innermost owns. A package without files and
    directories of its own (a jar, a Go module) owns the files that it was found in. `contains` are the paths that the
    SBOM states per package; they are used for declared paths that lead nowhere because the SBOM lacks the links.
    """
    claims: defaultdict[str, dict[PackageId, None]] = defaultdict(dict)
    innermost = _innermost(packages, tree)
    for package in sorted(packages, key=lambda package: package.type not in DISTRIBUTION_TYPES):
        paths = _declared(package, tree, () if contains is None else contains.get(package.id, ()))
        paths.extend(innermost.get(package.id, ()))
        if not paths and not package.files and package.type not in _EVIDENCE_IS_ELSEWHERE:
            paths = [path for path in _located(package.locations, tree) if path in tree.files]
        for path in paths:
            claims[path][package.id] = None
    return {path: tuple(claims[path]) for path in bytewise(claims)}


def _declared(package: Package, tree: Tree, contains: Sequence[str]) -> list[str]:
    if not package.files:
        return [path for path in contains if path in tree.files]
    found, astray = list[str](), list[str]()
    names: list[str] = []
    for declared in package.files:
        path = declared.path if declared.path in tree.files else tree.locate(declared.path).path
        if path is not None and path in tree.files:
            if tree.files[path].type is FileType.SYMLINK:
                names = names or sorted(file.path for file in package.files)
                if _holds_others(declared.path, names):
                    continue
            found.append(path)
        elif path is None:
            astray.append(declared.path)
    if astray and contains:
        found.extend(_aliases(astray, set(contains).difference(found)))
    return found


def _holds_others(path: str, names: Sequence[str]) -> bool:
    """Whether a package that ships the sorted `names` ships `path` as a directory.

    bash's `/bin`, a link in a merged-usr root, is not its own.
    """
    below = f"{path}/"
    at = bisect_left(names, below)
    return at < len(names) and names[at].startswith(below)


def _aliases(astray: Sequence[str], candidates: set[str]) -> list[str]:
    """The one candidate of the same base name for each path, where there is exactly one.

    Without links, `/bin/bash` of a merged-usr system can't be told to be `/usr/bin/bash`; the SBOM's edge can.
    """
    by_name: defaultdict[str, list[str]] = defaultdict(list)
    for candidate in candidates:
        by_name[candidate.rpartition("/")[2]].append(candidate)
    matches = (by_name.get(path.rpartition("/")[2], []) for path in astray)
    return [match[0] for match in matches if len(match) == 1]


def _innermost(packages: Sequence[Package], tree: Tree) -> dict[PackageId, list[str]]:
    """Paths of every package's whole directories, without those of whole directories further in."""
    holders: defaultdict[str, list[PackageId]] = defaultdict(list)
    for package in packages:
        for directory in _located(package.whole_directories, tree):
            if directory != "/":
                holders[directory].append(package.id)
    owner: dict[str, list[PackageId]] = {}
    for directory in sorted(holders, key=len):
        here = holders[directory]
        owner[directory] = here
        owner.update(dict.fromkeys(tree.under(directory), here))
    paths: defaultdict[PackageId, list[str]] = defaultdict(list)
    for path, holder in owner.items():
        for package_id in holder:
            if path in tree.files:
                paths[package_id].append(path)
    return paths


def _located(paths: Sequence[str], tree: Tree) -> list[str]:
    located = (path if path in tree.files else tree.locate(path).path for path in paths)
    return [path for path in located if path is not None]
