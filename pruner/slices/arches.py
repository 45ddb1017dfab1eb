"""Debian architectures: their multiarch triplets, and on which of the given ones a path or a package exists."""

from __future__ import annotations

from typing import TYPE_CHECKING

import msgspec

from pruner.slices.nametree import NameTree
from pruner.slices.types import PathKind

if TYPE_CHECKING:
    from collections.abc import Mapping

    from pruner.slices.types import Content, SliceSource

ARCHITECTURES = ("amd64", "arm64", "armhf", "i386", "ppc64el", "riscv64", "s390x")
"""The ones that chisel knows: canonical/chisel, internal/deb/helpers.go."""

TRIPLETS: Mapping[str, str] = {
    "amd64": "x86_64-linux-gnu",
    "arm64": "aarch64-linux-gnu",
    "armel": "arm-linux-gnueabi",
    "armhf": "arm-linux-gnueabihf",
    "i386": "i386-linux-gnu",
    "loong64": "loongarch64-linux-gnu",
    "mips64el": "mips64el-linux-gnuabi64",
    "mipsel": "mipsel-linux-gnu",
    "ppc64el": "powerpc64le-linux-gnu",
    "riscv64": "riscv64-linux-gnu",
    "s390x": "s390x-linux-gnu",
}
"""What `dpkg-architecture -qDEB_HOST_MULTIARCH` says: https://wiki.debian.org/Multiarch/Tuples."""


def architectures_of(package: str, source: SliceSource) -> tuple[str, ...]:
    """The architectures that have `package`, sorted; empty where all that were given do, or only one was given."""
    given = _given(source)
    having = tuple(name for name in given if _listed(source, name).get(package))
    return () if len(having) in {0, len(given)} else having


def architectures_of_need(package: str, other: str, source: SliceSource) -> tuple[str, ...]:
    """The architectures on which `package` can need `other`; empty where that is so wherever `package` exists."""
    having = architectures_of(other, source)
    return () if set(having) >= set(architectures_of(package, source) or _given(source)) else having


class Architectures:
    """On which architectures of `source` the contents of slices exist."""

    def __init__(self, source: SliceSource) -> None:
        self._source = source
        self._own = source.architecture
        self._given = _given(source)
        self._trees: dict[tuple[str, str], NameTree[None]] = {}

    def spread(self, content: Content, package: str) -> tuple[Content, ...]:
        """`content` with the architectures that have it, and what stands in its place on the others.

        What no pattern may generalise, a copy or a link with a triplet in it, is written once for each triplet. What is
        made rather than extracted is made wherever the package exists.
        """
        if len(self._given) < 2:
            return (content,)
        having: dict[Content, list[str]] = {}
        for name in self._given:
            there = _translated(content, self._own, name)
            if name == self._own or self._has(name, package, there):
                having.setdefault(there, []).append(name)
        whole = architectures_of(package, self._source) or self._given
        return tuple(
            msgspec.structs.replace(there, arch=() if tuple(names) == whole else tuple(names))
            for there, names in having.items()
        )

    def _has(self, name: str, package: str, content: Content) -> bool:
        listed = _listed(self._source, name).get(package, ())
        if content.kind not in {PathKind.COPY, PathKind.GLOB}:
            return bool(listed)
        tree = self._trees.get((name, package))
        if tree is None:
            tree = self._trees[name, package] = NameTree()
            for shipped in listed:
                tree.add(shipped.rstrip("/"), None)
        path = (content.source or content.path).rstrip("/")
        return any(True for _ in tree.nodes(path.removesuffix("/**")))


def _given(source: SliceSource) -> tuple[str, ...]:
    """The architectures of `source` that chisel knows, sorted; its own always."""
    given = {source.architecture, *source.listed_by_arch}
    return tuple(sorted(name for name in given if name in ARCHITECTURES or name == source.architecture))


def _listed(source: SliceSource, name: str) -> Mapping[str, tuple[str, ...]]:
    return source.listed if name == source.architecture else source.listed_by_arch.get(name, {})


def _translated(content: Content, own: str, other: str) -> Content:
    """`content` with another architecture's triplet in its path, and in the path or link that it is made from."""
    ours, theirs = TRIPLETS.get(own), TRIPLETS.get(other)
    if own == other or ours is None or theirs is None:
        return content
    if ours not in content.path and ours not in (content.source or ""):
        return content
    source = None if content.source is None else content.source.replace(ours, theirs)
    return msgspec.structs.replace(content, path=content.path.replace(ours, theirs), source=source)
