"""The attack surface of a side: what can be started, with whose rights, and which libraries come with it.

Categories of programs come from `rules/surface.yaml`; those that follow from types and modes are made here. A link
counts where its own name says something that its target's name does not: every applet of a multi-call program. Other
links are the names by which people know the program (gcc), and are said with it.
"""

from __future__ import annotations

from collections import defaultdict
from dataclasses import replace
from typing import TYPE_CHECKING, NamedTuple

from pruner.gate.capabilities import capability_text
from pruner.gate.compare.libraries import library_items
from pruner.gate.compare.programs import is_program, told
from pruner.gate.sides.entries import small_tree
from pruner.gate.types import Surface, SurfaceItem
from pruner.model import FileType
from pruner.rules.surface import bundled_catalogue

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from pruner.gate.compare.programs import Tells
    from pruner.gate.types import Side, SideFile
    from pruner.rootfs.tree import Tree
    from pruner.rules.surface import Catalogue

Called = defaultdict[tuple[str, str], set[str]]
"""Names of links by the category and the path of the program that they lead to."""
_BY_MODE = ("executable", "setgid", "setuid", "world-writable")
_TELLING = 0o6113
"""Bits without any of which a file or a directory is nothing here."""
_OFF_PATH = ("idle-library", "other-library")
_BY_NEEDS = (*_OFF_PATH, "library")


class _View(NamedTuple):
    """A side and how it is looked at."""

    side: Side
    tree: Tree
    catalogue: Catalogue
    tells: Tells


def surface_of(side: Side, *, entries: Sequence[str] = (), other: Side | None = None) -> Surface:
    """Everything of `side` that counts, sorted by category and path; `entries` are real paths of what is started.

    Where it is compared with `other`, programs are what both can tell.
    """
    catalogue = bundled_catalogue()
    tells = told(side, other or side)
    names = {word for category in catalogue.categories for word in category.counts_as}
    if side.files is None:
        return Surface(items=(), unknown=tuple(sorted((*names, *_BY_MODE, *_BY_NEEDS, "capability"))))
    unknown = set[str]()
    if not side.complete or not _states_modes(side):
        unknown |= {*names, *_BY_MODE}
    if all(file.capabilities is None for file in side.files.values()):
        unknown.add("capability")
    tree = small_tree(side.files)
    called: Called = defaultdict(set)
    programs = list(_items(_View(side, tree, catalogue, tells), called))
    items = [_with_names(item, called) for item in programs]
    items += [
        SurfaceItem(category="capability", path=path, owner=file.owner, detail=capability_text(file.capabilities))
        for path, file in side.files.items()
        if file.capabilities
    ]
    libraries, missing = library_items(side, tree, entries)
    items += libraries
    return Surface(
        items=tuple(sorted(items, key=lambda item: (item.category, item.path))),
        unknown=tuple(sorted(unknown | set(missing))),
    )


def items_beyond(surface: Surface, other: Surface, side: Side) -> list[SurfaceItem]:
    """Items of `surface` that `other`, which is of `side`, has not and would have.

    A library that nothing but a removed program loaded is idle now, and nothing that came: such items count where
    no file was there, or where it is new in the direct execution path.
    """
    known = {(item.category, item.path) for item in other.items}
    there = side.files or {}
    return [
        item
        for item in surface.items
        if (item.category, item.path) not in known
        and not (item.category in _OFF_PATH and item.path in there)
        and _would_list(side, other, item)
    ]


def _would_list(side: Side, surface: Surface, item: SurfaceItem) -> bool:
    """Whether `surface`, of `side`, would have `item` if it were there: known categories, else what packages own."""
    if item.category not in surface.unknown:
        return True
    partial = not side.complete and side.binaries is not None
    return partial and item.owner is not None and item.category not in {"capability", *_BY_NEEDS}


def _states_modes(side: Side) -> bool:
    """Whether the mode of every regular file is stated: a scan lists some executables without it."""
    files = (side.files or {}).values()
    stated = all(file.mode is not None or file.type is not FileType.REGULAR for file in files)
    return stated and any(file.mode is not None for file in files)


def _with_names(item: SurfaceItem, called: Called) -> SurfaceItem:
    names = called.get((item.category, item.path))
    return replace(item, detail=f"also {', '.join(sorted(names))}") if names else item


def _items(view: _View, called: Called) -> Iterator[SurfaceItem]:
    for file in (view.side.files or {}).values():
        kind, mode = file.type, file.mode
        if kind is FileType.SYMLINK:
            yield from _of_link(view, called, file)
            continue
        if mode is not None and not mode & _TELLING:
            continue
        if mode is not None:
            yield from _of_mode(file, mode)
        if kind is FileType.REGULAR and _is_program(view, file):
            yield from _of_program(file, view.catalogue)


def _of_mode(file: SideFile, mode: int) -> Iterator[SurfaceItem]:
    path, regular = file.path, file.type is FileType.REGULAR
    if mode & 0o002 and (regular or (file.type is FileType.DIRECTORY and not mode & 0o1000)):
        yield SurfaceItem(category="world-writable", path=path, owner=file.owner, detail=f"mode {mode:04o}")
    if regular and mode & 0o4000:
        yield SurfaceItem(category="setuid", path=path, owner=file.owner, detail=f"user {_name(file.uid)}")
    if regular and mode & 0o2000:
        yield SurfaceItem(category="setgid", path=path, owner=file.owner, detail=f"group {_name(file.gid)}")


def _of_program(file: SideFile, catalogue: Catalogue) -> Iterator[SurfaceItem]:
    yield SurfaceItem(category="executable", path=file.path, owner=file.owner)
    for category in catalogue.of_name(file.path[file.path.rindex("/") + 1 :]):
        yield SurfaceItem(category=category, path=file.path, owner=file.owner)


def _name(number: int | None) -> str:
    return "unknown" if number is None else str(number)


def _is_program(view: _View, file: SideFile) -> bool:
    return not file.path.startswith(view.catalogue.not_executed) and is_program(view.side, file, view.tells)


def _of_link(view: _View, called: Called, link: SideFile) -> Iterator[SurfaceItem]:
    catalogue = view.catalogue
    known_as = link.path[link.path.rindex("/") + 1 :]
    own = catalogue.of_name(known_as)
    if not own or link.path.startswith(catalogue.not_executed):
        return
    real = view.tree.resolve(link.path).path
    target = (view.side.files or {}).get(real) if real is not None else None
    if target is None or not _is_program(view, target):
        return
    name = target.path[target.path.rindex("/") + 1 :]
    covered = () if catalogue.is_multi_call(name) else catalogue.of_name(name)
    for category in own:
        if category not in covered:
            yield SurfaceItem(
                category=category, path=link.path, owner=link.owner or target.owner, detail=f"link to {real}"
            )
        elif known_as != name:
            called[category, target.path].add(known_as)
