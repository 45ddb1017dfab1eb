"""A dependency graph from outside, before it is mapped onto installed packages."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING

from pruner.model import Strength

if TYPE_CHECKING:
    from pruner.read.packageindex import PackageIndex


class Direction(StrEnum):
    """Which way the edges of a graph file run."""

    DEPENDANT = "dependant"
    """From the package that needs to the one that is needed."""
    PROVIDER = "provider"
    """From the package that is needed to the one that needs it, as in Syft's `dependency-of`."""


@dataclass(frozen=True, slots=True, kw_only=True)
class NamedDependency:
    """A dependency between two nodes of a graph; each is a purl or a package name."""

    dependant: str
    dependency: str
    kind: str = "depends"
    strength: Strength = Strength.HARD
    alternatives: tuple[str, ...] = ()
    """Nodes that would do as well as `dependency`."""
    instead: tuple[str, ...] = ()
    """Nodes that count where `dependency` is not installed."""


@dataclass(frozen=True, slots=True, kw_only=True)
class RelationSource:
    """One `--relations` file."""

    name: str
    """What the user gave, safe to print."""
    index: PackageIndex | None = None
    """A package index."""
    edges: tuple[NamedDependency, ...] = ()
    """Edges of a graph."""
