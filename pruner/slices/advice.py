"""What chisel takes in silence though it can't be meant, and what reviewers of chisel-releases refuse: warnings.

The reviewers' rules are those of CONTRIBUTING.md and of the checks in canonical/chisel-releases, main branch of 2026.
"""

from __future__ import annotations

import re
from itertools import pairwise
from typing import TYPE_CHECKING

from pruner.errors import printable
from pruner.slices.checkrules import problem
from pruner.slices.essentials import essentials_of, reached
from pruner.slices.patterns import is_pattern
from pruner.slices.types import PathKind, SliceKey

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from pruner.slices.types import Problem, Release, Slice, SlicedPackage

COPYRIGHT = "copyright"
_HINT = re.compile(r"[A-Za-z0-9.,;() ]*")
_ARTICLE = re.compile(r"(?:a|an|the)\b", re.IGNORECASE)
_ANY_TRIPLET = re.compile(r"(?:/usr)?/lib(?:exec)?/\*/")
_ANY_VERSION = re.compile(r"/(?:python|perl|ruby|php|postgresql|node|lua|tcl|gcc)/?[0-9.]*\*/")
_DEEP_INSIDE = re.compile(r"\*\*.")


def advice(release: Release, roots: Iterable[SliceKey]) -> Iterator[Problem]:
    """Every warning about a release as a whole; `roots` are the slices that are meant to be cut, none where unknown."""
    links = _links(release)
    for package in release.packages.values():
        yield from _copyright(package)
        for made in package.slices:
            yield from _of_slice(package, made)
            for content in made.contents:
                for rule, message, hint in _of_path(content.path, links, made.key):
                    yield _warning(package, content.line, rule, f"{made.key}: {message}", hint)
    yield from _removed_unused(release)
    yield from _unreachable(release, roots)


def _warning(package: SlicedPackage, line: int, rule: str, message: str, hint: str = "") -> Problem:
    return problem(package.file, line, rule, message, hint)


def _copyright(package: SlicedPackage) -> Iterator[Problem]:
    """Every slice comes with the package's copyright, which is the last of its slices."""
    if not package.slices:
        return
    names = [made.key.slice for made in package.slices]
    if COPYRIGHT not in names:
        message = f"package {package.name} has no slice {COPYRIGHT}"
        yield _warning(package, 1, "copyright-missing", message, "every slice must bring the licence along")
        return
    own = SliceKey(package.name, COPYRIGHT)
    if names[-1] != COPYRIGHT:
        line = package.slices[names.index(COPYRIGHT)].line
        yield _warning(package, line, "copyright-last", f"{own} is not the last slice of the file")
    if any(essential.key == own for essential in package.essential):
        return
    bare = [made for made in package.slices if made.key != own and own not in {need.key for need in made.essential}]
    if bare:
        message = f"{bare[0].key} does not come with {own}"
        hint = f"name {own} in the package's essential"
        yield _warning(package, bare[0].line, "copyright-not-essential", message, hint)


def _of_slice(package: SlicedPackage, made: Slice) -> Iterator[Problem]:
    if not (made.contents or made.essential or made.mutate):
        message = f"{made.key} is empty: it has neither contents nor essentials"
        yield _warning(package, made.line, "empty-slice", message)
    for what, keys in (
        ("essential", [(str(essential.key), essential.line) for essential in made.essential]),
        ("contents", [(content.path, content.line) for content in made.contents]),
    ):
        for (first, _), (second, line) in pairwise(keys):
            if first.encode(errors="surrogateescape") > second.encode(errors="surrogateescape"):
                message = f"{made.key}: {what} not sorted bytewise: {printable(second)} after {printable(first)}"
                yield _warning(package, line, f"unsorted-{what}", message)
                break
    yield from (_warning(package, made.line, "hint-style", f"{made.key}: the hint {fault}") for fault in _hint(made))


def _hint(made: Slice) -> Iterator[str]:
    """What the reviewers' check of hints finds without knowing words."""
    hint = made.hint
    if not hint:
        return
    if not _HINT.fullmatch(hint):
        yield "has characters other than letters, digits, spaces and .,;()"
    if hint[-1] in ".,;":
        yield "ends with punctuation"
    if "  " in hint or hint != hint.strip():
        yield "has more spaces than it needs"
    if _ARTICLE.match(hint):
        yield "begins with an article"
    if hint[0].islower():
        yield "does not begin with a capital letter"


def _links(release: Release) -> frozenset[str]:
    """Paths that the release makes links."""
    return frozenset(
        content.path
        for package in release.packages.values()
        for made in package.slices
        for content in made.contents
        if content.kind is PathKind.SYMLINK
    )


def _of_path(path: str, links: frozenset[str], key: SliceKey) -> Iterator[tuple[str, str, str]]:
    """Rule, message and hint."""
    if is_pattern(path):
        if _DEEP_INSIDE.search(path):
            message = f"chisel 1.4.1 takes {printable(path)} to overlap paths that it does not match"
            yield "deep-pattern", message, "end a pattern with '**', or write '*' for each level"
        if _ANY_TRIPLET.match(path):
            yield "lazy-pattern", f"{printable(path)} matches any directory", "write *-linux-* for the architecture"
        if _ANY_VERSION.search(path):
            yield "lazy-pattern", f"{printable(path)} crosses versions", "write the version"
    position = path.find("/", 1)
    while position > 0:
        if path[:position] in links and position < len(path) - 1:
            link = printable(path[:position])
            message = f"{printable(path)} lies below {link}, which the release makes a link"
            yield "below-link", message, f"chisel makes a directory {link} if {key} is cut first"
            return
        position = path.find("/", position + 1)


def _removed_unused(release: Release) -> Iterator[Problem]:
    """`until: mutate` where no script can use the path: neither the slice's nor one of those that need the slice."""
    needs = essentials_of(release)
    scripted = [made.key for package in release.packages.values() for made in package.slices if made.mutate]
    served = reached(needs, scripted)
    for package in release.packages.values():
        for made in package.slices:
            for content in made.contents:
                if content.until and made.key not in served:
                    message = f"{made.key}: no script uses {printable(content.path)} before it is removed"
                    yield _warning(package, content.line, "until-unused", message)


def _unreachable(release: Release, roots: Iterable[SliceKey]) -> Iterator[Problem]:
    """Slices that neither are to be cut nor come with one that is."""
    wanted = list(roots)
    if not wanted:
        return
    found = reached(essentials_of(release), wanted)
    for package in release.packages.values():
        for made in package.slices:
            if made.key not in found:
                yield _warning(package, made.line, "unreachable-slice", f"no slice that is to be cut needs {made.key}")
