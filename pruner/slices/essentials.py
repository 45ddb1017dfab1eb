"""What slices need of each other over a whole release: essentials that are missing, and loops.

Rules: canonical/chisel, internal/setup/setup.go at v1.4.1. Architectures are left out of account, as chisel does.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from pruner.slices.checkrules import problem
from pruner.slices.graph import components

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Iterator, Mapping

    from pruner.slices.types import Essential, Problem, Release, SliceKey

_LOOP_NAMES = 8
"""Slices that a message about a loop names."""


def essentials_of(release: Release) -> dict[SliceKey, tuple[Essential, ...]]:
    """What each slice comes with, what its package wants of all slices included; a slice never comes with itself."""
    found = {}
    for package in release.packages.values():
        for made in package.slices:
            every = (*package.essential, *made.essential)
            found[made.key] = tuple(essential for essential in every if essential.key != made.key)
    return found


def missing_essentials(release: Release, unread: Collection[str]) -> Iterator[Problem]:
    """Essentials that no file of the release defines, each where it is written; `unread` packages may define any."""
    known = set(essentials_of(release))
    for package in release.packages.values():
        if not package.slices:  # nobody asks for what the package wants of its slices
            continue
        shared = ((f"package {package.name}", essential) for essential in package.essential)
        own = ((f"slice {made.key}", essential) for made in package.slices for essential in made.essential)
        for who, essential in (*shared, *own):
            if essential.key in known or essential.key.package in unread:
                continue
            has = sorted(key.slice for key in known if key.package == essential.key.package)
            hint = (
                f"{essential.key.package} has {', '.join(has)}" if has else f"no file defines {essential.key.package}"
            )
            message = f"{who} needs {essential.key}, which is missing"
            yield problem(package.file, essential.line, "essential-missing", message, hint)


def essential_loops(release: Release) -> Iterator[Problem]:
    """Slices that need each other in a circle, each circle once, at an essential that is part of it."""
    needs = essentials_of(release)
    keys = sorted({*needs, *(essential.key for wanted in needs.values() for essential in wanted)})
    number = {key: at for at, key in enumerate(keys)}
    after = [{number[essential.key] for essential in needs.get(key, ())} for key in keys]
    for found in sorted([keys[at] for at in members] for members in components(after)):
        if len(found) < 2:
            continue
        members = set(found)
        place = next((key, essential) for key in found for essential in needs.get(key, ()) if essential.key in members)
        names = [str(key) for key in found[:_LOOP_NAMES]] + ["…"] * (len(found) > _LOOP_NAMES)
        yield problem(
            release.packages[place[0].package].file,
            place[1].line,
            "essential-loop",
            f"slices need each other in a circle: {', '.join(names)}",
            "architectures don't count; merge the slices, or leave one essential out",
        )


def reached(needs: Mapping[SliceKey, tuple[Essential, ...]], roots: Iterable[SliceKey]) -> set[SliceKey]:
    """`roots` and all that come along with them."""
    seen = set(roots)
    todo = list(seen)
    while todo:
        for essential in needs.get(todo.pop(), ()):
            if essential.key not in seen:
                seen.add(essential.key)
                todo.append(essential.key)
    return seen
