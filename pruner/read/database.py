"""What every package database in a root gives."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from pruner.model import FileType, Package

if TYPE_CHECKING:
    from pruner.rootfs.tree import Tree
    from pruner.rootfs.types import Root


@dataclass(frozen=True, slots=True, kw_only=True)
class Database:
    """A package database."""

    type: str
    """Syft's word for its ecosystem."""
    home: str
    """Real path of its directory."""
    packages: tuple[Package, ...]
    """Their ids are `TYPE:NAME:ARCHITECTURE:VERSION`."""
    removed: frozenset[str] = frozenset()
    """Names of packages of which only configuration is left."""


def text_of(root: Root, tree: Tree, path: str) -> str | None:
    """The text of the regular file at `path`, links followed within the root; None where there is none."""
    real = tree.resolve(path).path
    file = None if real is None else tree.files.get(real)
    if real is None or file is None or file.type is not FileType.REGULAR:
        return None
    return bytes(root.read(real)).decode("utf-8", "surrogateescape")
