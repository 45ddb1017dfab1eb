"""What must not be there, and what must: packages by globs of purls, paths by globs, categories of the catalogue."""

from __future__ import annotations

import fnmatch
import re
from typing import TYPE_CHECKING
from urllib.parse import unquote

from pruner.errors import printable
from pruner.gate.categories import FULL_LISTING, category_reason, telling_input
from pruner.gate.policy.types import Finding, Level
from pruner.gate.types import Comparison, Side, SideKind
from pruner.rules.patterns import path_pattern, unmerged

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from pruner.gate.policy.types import Policy, Selector

_VERSIONED = re.compile(r"[^/]@[^/]*\Z")
"""A version follows the name: the `@` of an npm scope (`pkg:npm/@babel/core`) does not."""
_QUALIFIERS = re.compile(r"\?(?=[a-z][a-z0-9._-]*=)", re.IGNORECASE)
"""In a glob, the `?` where qualifiers begin; any other stands for one character."""
_CASELESS = frozenset({
    "alpm", "apk", "bitbucket", "bitnami", "composer", "deb", "github", "gitlab", "golang", "hex", "luarocks", "npm",
    "oci", "pub", "pypi",
})  # fmt: skip
"""Types of which a purl is in small letters, whatever the name's own (purl-spec, types; packageurl-python)."""


def purl_matcher(pattern: str) -> Callable[[str], bool]:
    """A predicate on purls: `*` stands for any characters; without `@VERSION` every version matches.

    Qualifiers (`?arch=amd64`) hold where the pattern states them, whatever others the purl has; subpaths are not looked
    at. Percent-encoding makes no difference (`libstdc++6`, `libstdc%2B%2B6`), nor do capital letters where a type knows
    none (`pkg:pypi/Flask`) and a `_` for the `-` of pypi.
    """
    name, *stated = _QUALIFIERS.split(pattern.partition("#")[0], maxsplit=1)
    wanted = _qualifiers(stated[0]) if stated else frozenset()
    versioned = _VERSIONED.search(name) is not None
    kind, slash, rest = unquote(name).partition("/")
    glob = f"{kind.lower()}{slash}{rest}"
    exact = re.compile(fnmatch.translate(glob))
    caseless = re.compile(exact.pattern, re.IGNORECASE)
    python = re.compile(fnmatch.translate(glob.replace("_", "-")), re.IGNORECASE)

    def fits(purl: str) -> bool:
        kind = purl.removeprefix("pkg:").partition("/")[0]
        if kind == "pypi":
            return python.match(purl.replace("_", "-")) is not None
        return (caseless if kind in _CASELESS else exact).match(purl) is not None

    def matches(purl: str) -> bool:
        plain, _, qualifiers = purl.partition("#")[0].partition("?")
        if not versioned and _VERSIONED.search(plain):
            plain = plain.rpartition("@")[0]
        return fits(unquote(plain)) and wanted <= _qualifiers(qualifiers)

    return matches


def _qualifiers(text: str) -> frozenset[str]:
    return frozenset(unquote(part) for part in text.split("&") if part)


def path_matcher(pattern: str) -> Callable[[str], bool]:
    """A predicate on real paths: `*` stays within one directory, `**` crosses them, a trailing `/` means all below.

    /bin/sh and /usr/bin/sh are one, whichever of them the root has.
    """
    found = path_pattern(pattern)
    return lambda path: found.captures(path) is not None or found.captures(unmerged(path)) is not None


def forbid_findings(comparison: Comparison, policy: Policy) -> list[Finding]:
    """One finding for each thing that is there though the policy forbids it."""
    return [finding for selector in policy.forbid for finding in _forbidden(selector, comparison, policy)]


def _forbidden(selector: Selector, comparison: Comparison, policy: Policy) -> Iterator[Finding]:
    unknown = _cannot_tell(selector, comparison)
    if unknown:
        yield _unknown(selector, unknown, comparison, policy)
    for where, what in _matches(selector, comparison):
        yield Finding(
            rule="forbid",
            level=Level.FAIL,
            what=f"{what} is there, and '{printable(selector.pattern)}' is forbidden",
            where=printable(where),
            why=selector.reason or _why(selector),
            fix="leave it out of the image, or prune it: `pruner plan --drop`, or an entry point that does not need it",
            key=f"{policy.name}:{selector.line} {selector.place}",
            asked=printable(selector.pattern),
        )


def require_findings(comparison: Comparison, policy: Policy) -> list[Finding]:
    """One finding for each thing that is not there though the policy requires it."""
    found = []
    for selector in policy.require:
        if next(_matches(selector, comparison), None) is not None:
            continue
        unknown = _cannot_tell(selector, comparison)
        if unknown:
            found.append(_unknown(selector, unknown, comparison, policy))
        else:
            found.append(
                Finding(
                    rule="require",
                    level=Level.FAIL,
                    what=f"nothing is there that '{printable(selector.pattern)}' names",
                    where=selector.place,
                    why=selector.reason or "the policy requires it",
                    fix="add it to the image, or keep it when pruning: `pruner plan --keep`, or as an entry point",
                    key=f"{policy.name}:{selector.line} {selector.place}",
                    asked=printable(selector.pattern),
                )
            )
    return found


def _matches(selector: Selector, comparison: Comparison) -> Iterator[tuple[str, str]]:
    """Where and what of everything after that the selector names."""
    side = comparison.after
    if selector.kind == "package":
        matches = purl_matcher(selector.pattern)
        for packages in side.packages.values():
            for package in packages:
                if matches(package.purl):
                    yield package.purl, f"package {printable(package.key.name)} {printable(package.version)}"
    elif selector.kind == "path":
        is_named = path_matcher(selector.pattern)
        for path in side.files or ():
            if is_named(path):
                yield path, printable(path)
    else:
        for item in comparison.surface_after.items:
            if item.category == selector.pattern:
                detail = f" ({printable(item.detail)})" if item.detail else ""
                yield item.path, f"{selector.pattern} {printable(item.path)}{detail}"


def _cannot_tell(selector: Selector, comparison: Comparison) -> str:
    """Why the side after can't say that nothing else is named; empty where it can."""
    side: Side = comparison.after
    if selector.kind == "package":
        if not side.packages and side.kind is not SideKind.PLAN:
            return "lists no packages"
        kind = selector.pattern.removeprefix("pkg:").partition("/")[0].lower()
        if side.package_types is not None and kind not in side.package_types:  # a glob of types is none of them
            return f"tells of {', '.join(sorted(side.package_types))} packages alone"
    if selector.kind == "path" and (side.files is None or not side.complete):
        return "does not list every file"
    if selector.kind == "category" and selector.pattern in comparison.surface_after.unknown:
        return "does not record what it takes"
    return ""


def _unknown(selector: Selector, reason: str, comparison: Comparison, policy: Policy) -> Finding:
    fixes = {
        "package": "give an SBOM of it, which tells packages of every type",
        "path": FULL_LISTING,
        "category": telling_input(selector.pattern, comparison.surface_after.unknown),
    }
    return Finding(
        rule=selector.place.partition("[")[0],
        level=Level.FAIL,
        what=f"'{printable(selector.pattern)}' can't be looked for: the side after {reason}",
        where=selector.place,
        why="what nobody could look at is not known to be right",
        fix=fixes[selector.kind],
        key=f"{policy.name}:{selector.line} {selector.place}",
        asked=printable(selector.pattern),
        unknown=True,
    )


def _why(selector: Selector) -> str:
    if selector.kind == "category":
        return category_reason(selector.pattern)
    return "the policy forbids it"
