"""Everything that is wrong with a release: what chisel refuses, and what it takes but not as it is meant."""

from __future__ import annotations

from types import MappingProxyType
from typing import TYPE_CHECKING

from pruner.errors import printable
from pruner.slices.advice import advice
from pruner.slices.checkrules import problem
from pruner.slices.conflicts import path_conflicts
from pruner.slices.essentials import essential_loops, missing_essentials
from pruner.slices.types import Severity
from pruner.slices.unmatched import unmatched_paths

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence

    from pruner.slices.readrelease import ReadRelease
    from pruner.slices.types import Problem, Release, SliceKey

CUT_FILE = "cut.txt"
"""Names, beside `chisel.yaml`, the slices that are meant to be cut."""


def check_release(
    read: ReadRelease,
    *,
    lists: Mapping[str, Sequence[str]] = MappingProxyType({}),
    architecture: str = "",
    roots: Iterable[SliceKey] = (),
    cut: Mapping[SliceKey, int] = MappingProxyType({}),
) -> tuple[Problem, ...]:
    """Every problem of a release, those of reading it included, sorted by file and line.

    `lists` gives all names that a package ships, by package, absolute, of Debian's `architecture`: paths that match
    none of them are errors. `roots` are the slices that the release was made for: where nothing else is wrong, one that
    they don't need is a warning. `cut` are those that `cut.txt` names, each with its line there; it may name fewer.
    The rules are in `pruner.slices.checkrules`.
    """
    release = read.release
    found = [
        *read.problems,
        *path_conflicts(release, read.unread),
        *missing_essentials(release, read.unread),
        *essential_loops(release),
        *unmatched_paths(release, lists, architecture),
        *_missing_of_cut(release, cut, read.unread),
    ]
    sound = all(one.severity is not Severity.ERROR for one in found)
    found += advice(release, roots if sound else ())
    return tuple(sorted(set(found)))


def _missing_of_cut(release: Release, cut: Mapping[SliceKey, int], unread: Collection[str]) -> Iterator[Problem]:
    """Slices that `cut.txt` names and no file defines; `unread` packages may define any."""
    known = {made.key for package in release.packages.values() for made in package.slices}
    for key, line in cut.items():
        if key not in known and key.package not in unread:
            names = ", ".join(sorted(one.slice for one in known if one.package == key.package))
            message = f"slice {printable(str(key).rstrip('_'))} is to be cut and is missing"
            hint = f"{key.package} has {names}" if names else "chisel fails to cut it"
            yield problem(CUT_FILE, line, "cut-missing", message, hint)
