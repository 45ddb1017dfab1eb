"""Whether a rule's conditions hold, and with which captures."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from pruner.rules.patterns import Pattern, unmerged

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Sequence

    from pruner.model import Distro, File, Findings, Package
    from pruner.rules.types import Condition, Rule

DISTRIBUTION_TYPES = frozenset({"deb", "apk", "rpm", "alpm", "portage"})
"""Syft's types of packages that a distribution's package manager installs."""


@dataclass(frozen=True, slots=True)
class Match:
    """One way in which a rule fires."""

    captures: tuple[str, ...]
    """What the wildcards of the path, else of the literal, else of the package's name stand for."""
    evidence: str


def matches_of_file(
    rule: Rule, file: File, active: bool, findings: Findings, owner: Package | None
) -> tuple[Match, ...]:
    """How `rule` fires for `file`; several times when several literals match and no path is asked for."""
    when = rule.when
    if when.active and not active and not when.symbols:
        return ()
    in_package = about_package(rule, owner) if when.packages or when.sources or when.types else _ANY
    in_path = _first(when.paths, (unmerged(file.path),)) if when.paths else _ANY
    by_symbol = _first(when.symbols, findings.symbols) if when.symbols else _ANY
    if in_package is None or in_path is None or by_symbol is None or _excluded(rule.unless, file, findings, owner):
        return ()
    if when.literals:
        return tuple(
            Match(in_path.captures if when.paths else found.captures, f"names {found.evidence!r}")
            for found in _all(when.literals, findings.literals)
        )
    evidence = f"imports {by_symbol.evidence}" if when.symbols else f"is {file.path}"
    return (Match(in_path.captures if when.paths else in_package.captures, evidence),)


def about_package(rule: Rule, package: Package | None) -> Match | None:
    """How `rule` fires for `package` as far as its conditions on packages go."""
    if package is None or not _has_type(rule.when.types, package):
        return None
    by_name = _first(rule.when.packages, (package.name,)) if rule.when.packages else _ANY
    by_source = _first(rule.when.sources, (source_of(package),)) if rule.when.sources else _ANY
    if by_name is None or by_source is None or _excluded_package(rule.unless, package):
        return None
    chosen = by_name if rule.when.packages else by_source
    return Match(chosen.captures, f"package {package.name}")


def match_of_capability(rule: Rule, text: str) -> Match | None:
    """How `rule` fires for the capability `NAME[=VALUE]`."""
    found = _first(rule.when.capabilities, (text,))
    return None if found is None else Match(found.captures, f"capability {text}")


def holds_for_distro(rule: Rule, distro: Distro) -> bool:
    """Whether the rule's condition on the distribution holds."""
    names = (distro.id, *distro.id_like)
    wanted = not rule.when.distros or _first(rule.when.distros, names) is not None
    return wanted and _first(rule.unless.distros, names) is None


def source_of(package: Package) -> str:
    """Name of the package's source package."""
    return package.source or package.name


_ANY = Match((), "")


def _has_type(types: Sequence[str], package: Package) -> bool:
    return package.type in types if types else package.type in DISTRIBUTION_TYPES


def _excluded(unless: Condition, file: File, findings: Findings, owner: Package | None) -> bool:
    """Whether any condition of `unless` holds."""
    return (
        _first(unless.paths, (unmerged(file.path),)) is not None
        or _first(unless.symbols, findings.symbols) is not None
        or _first(unless.literals, findings.literals) is not None
        or (owner is not None and _excluded_package(unless, owner))
    )


def _excluded_package(unless: Condition, package: Package) -> bool:
    return (
        _first(unless.packages, (package.name,)) is not None
        or _first(unless.sources, (source_of(package),)) is not None
        or package.type in unless.types
    )


def _first(patterns: Sequence[Pattern], names: Collection[str]) -> Match | None:
    """The first match by order of patterns, then of names."""
    return next(iter(_all(patterns, names)), None)


def _all(patterns: Sequence[Pattern], names: Collection[str]) -> Iterable[Match]:
    for pattern in patterns:
        if pattern.exact:
            if pattern.head in names:
                yield Match((), pattern.head)
            continue
        candidates = sorted(name for name in names if name.startswith(pattern.head))
        for name in candidates:
            captures = pattern.captures(name)
            if captures is not None:
                yield Match(captures, name)
