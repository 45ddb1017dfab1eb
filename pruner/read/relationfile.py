"""Files that `--relations` names: package databases and indexes, and graphs."""

from __future__ import annotations

import io
import os
import re
import tarfile
from collections import defaultdict
from typing import TYPE_CHECKING

from pruner.errors import InputError, printable
from pruner.read.relationtypes import Direction, NamedDependency, RelationSource
from pruner.read.source import decompressed, read_input
from pruner.read.stanzas import blocks

if TYPE_CHECKING:
    from collections.abc import Callable

__all__ = ["Direction", "RelationSource", "read_relations"]

_ACCEPTED = (
    "accepted are a dpkg status, Packages[.gz|.xz], an apk installed database, APKINDEX[.tar.gz], "
    "networkx node-link JSON, GraphML and DOT"
)
_DEB_NAME = re.compile(r"^Package:[ \t]*(\S+)", re.MULTILINE | re.IGNORECASE)
_APK_NAME = re.compile(r"^P:(\S+)", re.MULTILINE)
_DOT = re.compile(rb"(?:\s|//[^\n]*\n|#[^\n]*\n|/\*.*?\*/)*(?:strict\s+)?(?:di)?graph\b", re.DOTALL | re.IGNORECASE)
_MAX_INDEX = 256 * 1024 * 1024


def read_relations(path: str | os.PathLike[str], direction: Direction | str = Direction.DEPENDANT) -> RelationSource:
    """The dependency graph in the file at `path`, whose kind is told from its content.

    `direction` says which way the edges of a graph file run; package indexes state it themselves.
    Raises `InputError` when the file can't be read, is of no accepted kind, or is damaged.
    """
    source = read_input(os.fspath(path))
    data = _unpacked(source.data, source.name)
    start = data[:65536].removeprefix(b"\xef\xbb\xbf").lstrip()
    if start.startswith((b"{", b"<")) or _DOT.match(start):
        edges = _graph_reader(start)(data, source.name)
        if Direction(direction) is Direction.PROVIDER:
            edges = tuple(_reversed(edge, source.name) for edge in edges)
        return RelationSource(name=source.name, edges=edges)
    text = data.decode("utf-8", "surrogateescape")
    for ecosystem, pattern in (("deb", _DEB_NAME), ("apk", _APK_NAME)):
        stanzas = _stanzas(text, pattern)
        if stanzas:
            return RelationSource(name=source.name, ecosystem=ecosystem, stanzas=stanzas)
    raise InputError(f"{source.name}: not a kind of relations file that is known", hint=_ACCEPTED)


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


def _unpacked(data: bytes, name: str) -> bytes:
    """The index within an APKINDEX.tar.gz (two gzip members, of which the first holds the signature)."""
    if data[257:262] != b"ustar":
        return data
    try:
        with tarfile.open(fileobj=io.BytesIO(data), mode="r:") as archive:
            for member in archive:
                if member.name == "APKINDEX" and member.isreg():
                    found = archive.extractfile(member)
                    return b"" if found is None else decompressed(found.read(_MAX_INDEX), name)
    except (tarfile.TarError, EOFError, ValueError, OSError) as error:
        raise InputError(f"{name}: damaged archive ({error})", hint="fetch the index anew") from None
    raise InputError(f"{name}: an archive without an APKINDEX", hint=_ACCEPTED)


def _stanzas(text: str, pattern: re.Pattern[str]) -> dict[str, tuple[str, ...]]:
    found: defaultdict[str, list[str]] = defaultdict(list)
    for block in blocks(text):
        name = pattern.search(block)
        if name is None:
            return {}
        found[name[1]].append(block)
    return {name: tuple(stanzas) for name, stanzas in found.items()}
