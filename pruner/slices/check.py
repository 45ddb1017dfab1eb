"""Everything that is wrong with a release: what chisel refuses, and what it takes but not as it is meant."""

from __future__ import annotations

from types import MappingProxyType
from typing import TYPE_CHECKING

from pruner.slices.advice import advice
from pruner.slices.conflicts import path_conflicts
from pruner.slices.essentials import essential_loops, missing_essentials
from pruner.slices.unmatched import unmatched_paths

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from pruner.slices.readrelease import ReadRelease
    from pruner.slices.types import Problem, SliceKey


def check_release(
    read: ReadRelease,
    *,
    lists: Mapping[str, Sequence[str]] = MappingProxyType({}),
    architecture: str = "",
    roots: Iterable[SliceKey] = (),
) -> tuple[Problem, ...]:
    """Every problem of a release, those of reading it included, sorted by file and line.

    `lists` gives all names that a package ships, by package, absolute, of Debian's `architecture`: paths that match
    none of them are warnings. `roots` are the slices that are meant to be cut: one that they don't need is a warning.
    The rules are in `pruner.slices.checkrules`.
    """
    release = read.release
    found = [
        *read.problems,
        *path_conflicts(release, read.unread),
        *missing_essentials(release, read.unread),
        *essential_loops(release),
        *advice(release, roots),
        *unmatched_paths(release, lists, architecture),
    ]
    return tuple(sorted(set(found)))
