"""Paths that match nothing of what their package ships, by lists of the names that packages ship."""

from __future__ import annotations

from bisect import bisect_left
from typing import TYPE_CHECKING

from pruner.errors import printable
from pruner.slices.checkrules import problem
from pruner.slices.patterns import is_pattern, literal_prefix, matches
from pruner.slices.types import PathKind

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from pruner.slices.types import Content, Problem, Release


def unmatched_paths(release: Release, lists: Mapping[str, Sequence[str]], architecture: str) -> Iterator[Problem]:
    """Copied paths and globs that match no name of their package in `lists`; chisel fails when it cuts such a slice.

    A name may end in a slash where it is a directory, or not. The lists are `architecture`'s: paths of others are not
    looked at, nor, when it is empty, any path that is limited to architectures.
    """
    for name, package in release.packages.items():
        if name not in lists:
            continue
        names = sorted({listed if listed.startswith("/") else f"/{listed}" for listed in lists[name]})
        bare = {listed.rstrip("/") for listed in names}
        for made in package.slices:
            for content in made.contents:
                if content.kind not in (PathKind.COPY, PathKind.GLOB):
                    continue
                if content.arch and architecture not in content.arch:
                    continue
                if not _found(content, names, bare):
                    message = f"{made.key}: {name} ships nothing at {printable(content.source or content.path)}"
                    yield problem(
                        package.file, content.line, "unmatched-path", message, "chisel fails to cut the slice"
                    )


def _found(content: Content, names: Sequence[str], bare: set[str]) -> bool:
    wanted = content.source or content.path
    if not is_pattern(wanted):
        return wanted.rstrip("/") in bare
    prefix = literal_prefix(wanted)
    # `/usr/share/x/` is a prefix of the directory that a list names without its slash, and no pattern is meant for it.
    for position in range(bisect_left(names, prefix), len(names)):
        listed = names[position]
        if not listed.startswith(prefix):
            return False
        if matches(wanted, listed) or (not listed.endswith("/") and matches(wanted, f"{listed}/")):
            return True
    return False
