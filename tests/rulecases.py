"""Cases of the shipped rules: small roots in a compact notation, and what one rule says about them.

A root is a list of names: `/etc/passwd` a file, `/run/app/` a directory, `/bin -> usr/bin` a link; parents are implied.
"""

from __future__ import annotations

import posixpath
from collections.abc import Mapping, Sequence
from typing import Any

from pruner.model import (
    Edge,
    File,
    FileType,
    Findings,
    Inventory,
    Package,
    PackageId,
    Strength,
)
from pruner.rootfs.tree import Tree
from pruner.rules import BoundRules, RuleSet


def tree_of(names: Sequence[str]) -> Tree:
    """The tree that the notation describes; regular files are executable."""
    files: dict[str, File] = {}
    for name in names:
        path, arrow, target = name.partition(" -> ")
        kind = FileType.SYMLINK if arrow else FileType.DIRECTORY if path.endswith("/") else FileType.REGULAR
        path = path.rstrip("/")
        files[path] = File(path=path, type=kind, mode=0o755, target=target if arrow else None)
        while (path := posixpath.dirname(path)) != "/":
            files.setdefault(path, File(path=path, type=FileType.DIRECTORY, mode=0o755))
    return Tree(files)


def package(name: str, source: str | None = None) -> Package:
    """A Debian package that is called like its source unless told otherwise."""
    return Package(id=PackageId(name), type="deb", name=name, version="1", source=source or name)


def bound(rules: RuleSet, case: Mapping[str, Any]) -> BoundRules:
    """The rules at work on the case's root."""
    names = [*case.get("root", ()), *([case["file"]] if "file" in case else ())]
    inventory = Inventory(
        name="case",
        format="syft-json",
        packages=tuple(package(name) for name in case.get("packages", ())),
        has_content=case.get("content", True),
    )
    return rules.bind(inventory, tree_of(names))


def answer(rules: RuleSet, case: Mapping[str, Any]) -> list[str]:
    """What the case's rule gives, each edge as `KIND TARGET`, optional ones with ` (GROUP, accept|refuse)`."""
    at_work = bound(rules, case)
    if "ask" in case:
        name, _, value = case["ask"].partition("=")
        found = at_work.edges_of_capability(name, value or None)
    elif "package" in case:
        found = at_work.edges_of_package(package(case["package"], case.get("source")), whole=True)
    else:
        file = File(path=case["file"], type=FileType.REGULAR, mode=0o755)
        seen = Findings(symbols=frozenset(case.get("imports", ())), literals=frozenset(case.get("names", ())))
        owner = package(case["owner"]) if "owner" in case else None
        found = at_work.edges_of_file(file, True, seen, owner)
    return [_text(edge) for edge in found.edges if edge.rule == case["rule"]]


def _text(edge: Edge) -> str:
    if edge.strength is Strength.HARD:
        return f"{edge.kind} {edge.target}"
    return f"{edge.kind} {edge.target} ({edge.group}, {'accept' if edge.default else 'refuse'})"
