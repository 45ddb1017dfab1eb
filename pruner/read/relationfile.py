"""Files that `--relations` names: package databases and indexes, and graphs."""

from __future__ import annotations

import os
import re
from typing import TYPE_CHECKING

from pruner.errors import InputError, printable
from pruner.read.packageindex import index_in
from pruner.read.relationtypes import Direction, NamedDependency, RelationSource
from pruner.read.source import read_input

if TYPE_CHECKING:
    from collections.abc import Callable

__all__ = ["Direction", "RelationSource", "read_relations"]

_ACCEPTED = (
    "accepted are a dpkg status, Packages[.gz|.xz], an apk installed database, APKINDEX[.tar.gz], "
    "networkx node-link JSON, GraphML and DOT"
)
_DOT = re.compile(rb"(?:\s|//[^\n]*\n|#[^\n]*\n|/\*(?>.*?\*/))*(?:strict\s+)?(?:di)?graph\b", re.DOTALL | re.IGNORECASE)


def read_relations(path: str | os.PathLike[str], direction: Direction | str = Direction.DEPENDANT) -> RelationSource:
    """The dependency graph in the file at `path`, whose kind is told from its content.

    `direction` says which way the edges of a graph file run; package indexes state it themselves.
    Raises `InputError` when the file can't be read, is of no accepted kind, or is damaged.
    """
    source = read_input(os.fspath(path))
    start = source.data[:65536].removeprefix(b"\xef\xbb\xbf").lstrip()
    if start.startswith((b"{", b"<")) or _DOT.match(start):
        edges = _graph_reader(start)(source.data, source.name)
        if Direction(direction) is Direction.PROVIDER:
            edges = tuple(_reversed(edge, source.name) for edge in edges)
        return RelationSource(name=source.name, edges=edges)
    index = index_in(source.data, source.name)
    if index is None:
        raise InputError(f"{source.name}: not a kind of relations file that is known", hint=_ACCEPTED)
    return RelationSource(name=source.name, index=index)


def _graph_reader(start: bytes) -> Callable[[bytes, str], tuple[NamedDependency, ...]]:
    from pruner.read import graphfile

    if start.startswith(b"{"):
        return graphfile.node_link_edges
    return graphfile.graphml_edges if start.startswith(b"<") else graphfile.dot_edges


def _reversed(edge: NamedDependency, name: str) -> NamedDependency:
    if edge.alternatives:
        raise InputError(
            f"{name}: {printable(edge.dependant)} -> {printable(edge.dependency)} has alternatives, "
            "which only edges from the dependant can have",
            hint="leave out --relations-direction provider, or the attribute",
        )
    return NamedDependency(dependant=edge.dependency, dependency=edge.dependant, kind=edge.kind, strength=edge.strength)
