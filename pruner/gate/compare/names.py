"""Names that are no UTF-8, which JSON can't hold: scanners write U+FFFD for every byte that is none."""

from __future__ import annotations

import re
from dataclasses import replace
from typing import TYPE_CHECKING

import msgspec

from pruner.bytewise import bytewise

if TYPE_CHECKING:
    from collections.abc import Iterable

    from pruner.gate.types import Side, SidePackage
    from pruner.plan.types import Plan

_LOST = "\ufffd"
_BYTE = re.compile("[\udc80-\udcff]")
"""As Python holds a byte of a name that is no UTF-8 (PEP 383)."""


def with_true_names(before: Side, after: Side, plan: Plan | None) -> tuple[Side, Side]:
    """The sides with the names that a root or a plan has, where a document has U+FFFD for bytes of them.

    Where two true names become one such name, nobody can tell which is meant, and it stays.
    """
    if not any(_lossy(side.files or ()) for side in (before, after)):
        return before, after
    planned = [file.path for file in plan.files] if plan is not None else []
    known: dict[str, set[str]] = {}
    for path in (*(before.files or ()), *(after.files or ()), *planned):
        if not path.isascii() and _BYTE.search(path):
            known.setdefault(_BYTE.sub(_LOST, path), set()).add(path)
    names = {lossy: min(paths) for lossy, paths in known.items() if len(paths) == 1}
    return _renamed(before, names), _renamed(after, names)


def _lossy(paths: Iterable[str]) -> list[str]:
    return [path for path in paths if not path.isascii() and _LOST in path]


def _renamed(side: Side, names: dict[str, str]) -> Side:
    files = side.files or {}
    chosen = {path: names[path] for path in _lossy(files) if path in names and names[path] not in files}
    if not chosen:
        return side
    listed = {chosen.get(path, path): file for path, file in files.items()}
    for path in chosen.values():
        listed[path] = msgspec.structs.replace(listed[path], path=path)
    return replace(
        side,
        files={path: listed[path] for path in bytewise(listed)},
        packages={key: tuple(_of(package, chosen) for package in found) for key, found in side.packages.items()},
        binaries=side.binaries and {chosen.get(path, path): binary for path, binary in side.binaries.items()},
    )


def _of(package: SidePackage, chosen: dict[str, str]) -> SidePackage:
    if chosen.keys().isdisjoint(package.files):
        return package
    return msgspec.structs.replace(package, files=tuple(bytewise(chosen.get(path, path) for path in package.files)))
