"""Paths of slices: shipped names generalised over the multiarch triplet and the version of a library, never further.

A pattern stands only where it means what the names say: among everything that any package ships it matches the names
that it stands for and no others, and no other package's path, nor anything of its own package that is made rather than
extracted, can fall under it (canonical/chisel, internal/setup/setup.go: `validate`). Else the names stand as they are.
"""

from __future__ import annotations

import posixpath
import re
from collections import defaultdict
from dataclasses import dataclass
from typing import TYPE_CHECKING, NamedTuple

from pruner.slices.arches import TRIPLETS
from pruner.slices.nametree import NameTree
from pruner.slices.patterns import is_pattern
from pruner.slices.wholedirs import whole_directories

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from pruner.slices.types import SliceKey

_LIBRARY = re.compile(r"(?P<stem>.+\.so)\.(?P<major>\d+)(?P<rest>(?:\.\d[0-9A-Za-z]*)*)")
_UNSAYABLE = re.compile("[*?\ud800-\udfff]")
"""What a path can't hold: chisel has no escape for wildcards, and YAML is UTF-8. Bytes that are not come as lone
surrogates, and chisel's wildcards take each for one character."""


class Shipped(NamedTuple):
    """A name in a package's archive."""

    name: str
    package: str


class Claim(NamedTuple):
    """A path of some slice, or a pattern."""

    path: str
    package: str
    extracted: bool
    """It comes from the archive rather than being made."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Spelled:
    """Names of one slice and the one path that stands for them."""

    key: SliceKey
    path: str
    names: tuple[str, ...]
    """Sorted."""


def spelled_paths(
    plain: Mapping[str, SliceKey], claims: Sequence[Claim], listed: Mapping[str, Sequence[str]], architecture: str
) -> tuple[Spelled, ...]:
    """The paths that stand for `plain`, sorted by path: names that archives ship where the root has them, those of
    directories with a trailing slash.

    `claims` are all other paths of the release; `listed` is what every package ships. A name that no path can spell and
    that no pattern meets alone is missing from the answer.
    """
    names = _name_tree(plain, listed)
    whole = whole_directories(names.root, plain, (claim.path for claim in claims), architecture)
    covered = {name for group in whole for name in group.names}
    groups = [
        Spelled(key=one.key, path=f"{_general(one.directory, architecture)}/**", names=one.names) for one in whole
    ]
    rest = {name: key for name, key in plain.items() if name not in covered}
    families = [group for group in _families(rest, architecture) if _is_exact(group, names)]
    covered |= {name for group in families for name in group.names}
    single = [
        Spelled(key=key, path=_general(name, architecture), names=(name,))
        for name, key in rest.items()
        if name not in covered
    ]
    groups += families
    groups += [group for group in single if not is_pattern(group.path) or _is_exact(group, names)]
    covered.update(name for group in groups for name in group.names)
    groups += _as_they_are(plain, (name for name in plain if name not in covered))
    return tuple(sorted(_apart(groups, claims, plain), key=lambda group: (group.path, group.key)))


def _name_tree(plain: Mapping[str, SliceKey], listed: Mapping[str, Sequence[str]]) -> NameTree[Shipped]:
    tree: NameTree[Shipped] = NameTree()
    known: set[str] = set()
    for package, names in listed.items():
        for name in names:
            tree.add(name.rstrip("/"), Shipped(name.rstrip("/"), package))
        known.update(names)
    for name, key in plain.items():
        if name.rstrip("/") not in known:
            tree.add(name.rstrip("/"), Shipped(name.rstrip("/"), key.package))
    return tree


def _general(path: str, architecture: str) -> str:
    """`path` with wildcards for the triplet and for what can't be spelled.

    The triplet as a component or a part of one, and Debian's name of the architecture at the end of one, which stands
    for it in `/usr/lib/jvm/java-17-openjdk-amd64`.
    """
    path = _UNSAYABLE.sub("?", path)
    triplet = TRIPLETS.get(architecture)
    if triplet is not None and (triplet in path or f"-{architecture}" in path):
        path = _triplet(triplet).sub("*-linux-*", path)
        path = re.sub(rf"(?<=[^/*]-){re.escape(architecture)}(?=/|$)", "*", path)
    return path


def _triplet(triplet: str) -> re.Pattern[str]:
    return re.compile(rf"(?<![A-Za-z0-9_]){re.escape(triplet)}(?![A-Za-z0-9_])")


def _families(names: Mapping[str, SliceKey], architecture: str) -> list[Spelled]:
    """A library with its links by one pattern, `libz.so.1*` for `libz.so.1` and `libz.so.1.2.13`.

    `libz.so.1.*` where only the longer name is in the slice, `libssl.so.*` where the name holds no more than the
    version of the interface.
    """
    found: defaultdict[tuple[SliceKey, str, str, str], list[str]] = defaultdict(list)
    for name, key in names.items():
        match = _LIBRARY.fullmatch(posixpath.basename(name)) if ".so." in name else None
        if match is not None:
            found[key, posixpath.dirname(name), match["stem"], match["major"]].append(name)
    families = []
    for (key, directory, stem, major), members in found.items():
        short = f"{directory}/{stem}.{major}"
        tail = ".*" if members == [short] else f".{major}*" if short in members else f".{major}.*"
        path = f"{_general(f'{directory}/{stem}', architecture)}{tail}"
        families.append(Spelled(key=key, path=path, names=tuple(sorted(members))))
    return families


def _is_exact(group: Spelled, names: NameTree[Shipped]) -> bool:
    """Whether the path matches, of everything that any package ships, the names that it stands for and no more.

    A directory's path ends in a slash, so that nothing but another path with a slash matches one.
    """
    is_directory = group.path.endswith("/")
    nodes = names.nodes(group.path.rstrip("/"))
    met = {one.name for node in nodes if is_directory or not node.children for one in node.values}
    return met == {name.rstrip("/") for name in group.names}


def _as_they_are(plain: Mapping[str, SliceKey], names: Iterable[str]) -> list[Spelled]:
    return [
        Spelled(key=plain[name], path=name, names=(name,)) for name in names if _UNSAYABLE.search(name) is None
    ]  # fmt: skip


def _apart(groups: list[Spelled], claims: Sequence[Claim], plain: Mapping[str, SliceKey]) -> list[Spelled]:
    """`groups`, with names as they are instead of every pattern that chisel would see a conflict in.

    Names as they are conflict with less than their pattern: nothing needs to be looked at twice.
    """
    tree: NameTree[Claim] = NameTree()
    for claim in claims:
        tree.add(claim.path, claim)
    for group in groups:
        tree.add(group.path, Claim(group.path, group.key.package, extracted=True))
    apart = []
    for group in groups:
        package = group.key.package
        if is_pattern(group.path) and any(
            claim.package != package or not claim.extracted for claim in tree.overlapping(group.path)
        ):
            apart += _as_they_are(plain, group.names)
        else:
            apart.append(group)
    return apart
