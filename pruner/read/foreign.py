"""Packages of formats that carry less than syft-json: what a purl and a few properties tell."""

from __future__ import annotations

import fnmatch
from dataclasses import dataclass
from typing import TYPE_CHECKING

from pruner.model import Package, PackageDependency, PackageId, Strength
from pruner.read.ecosystems import METADATA_ALIASES, is_installed, type_of_purl
from pruner.read.languages import located
from pruner.read.paths import absolute_path
from pruner.read.purls import parsed_purl

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

_DECLARING_FILES = (
    "package-lock.json",
    "yarn.lock",
    "pnpm-lock.yaml",
    "bun.lock",
    "*requirements*.txt",
    "Pipfile.lock",
    "poetry.lock",
    "pdm.lock",
    "uv.lock",
    "Gemfile.lock",
    "go.mod",
    "go.sum",
    "Cargo.lock",
    "composer.lock",
    "pom.xml",
    "*.deb",
    "*.rpm",
)
"""What Syft finds packages in that are named there and need not be installed."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Stated:
    """What a document states about one package."""

    id: str
    name: str
    version: str
    purl: str = ""
    type: str = ""
    metadata_type: str = ""
    found_by: str = ""
    locations: Sequence[str] = ()
    licenses: Iterable[str] = ()
    maintainer: str | None = None
    depends: Sequence[str] = ()
    provides: Sequence[str] = ()


def installed_package(stated: Stated, name: str, at: str) -> Package | None:
    """The package, or None where it is not installed; `name` is the input's and `at` the place in it.

    Raises `InputError` when a location can't be a path.
    """
    purl = parsed_purl(stated.purl)
    metadata_type = METADATA_ALIASES.get(stated.metadata_type, stated.metadata_type)
    ecosystem = stated.type or (type_of_purl(purl.type) if purl is not None else "unknown")
    locations = tuple(dict.fromkeys(absolute_path(location, name, at) for location in stated.locations))
    if not is_installed(ecosystem=ecosystem, metadata_type=metadata_type, found_by=stated.found_by):
        return None
    if not stated.metadata_type and locations and all(_declares(location) for location in locations):
        return None
    qualifiers = dict(purl.qualifiers or {}) if purl is not None else {}
    source, _, source_version = str(qualifiers.get("upstream", "")).partition("@")
    distribution = ecosystem in {"deb", "apk"}
    return located(
        Package(
            id=PackageId(stated.id),
            type=ecosystem,
            name=stated.name,
            version=stated.version,
            purl=purl,
            architecture=str(qualifiers.get("arch", "")) or None,
            source=source or (stated.name if distribution else None),
            source_version=source_version or (stated.version if distribution else None),
            locations=locations,
            depends=tuple(stated.depends),
            provides=tuple(stated.provides),
            licenses=tuple(sorted(set(stated.licenses))),
            maintainer=stated.maintainer or None,
        )
    )


def stated_dependencies(
    pairs: Iterable[tuple[str, str]], packages: Iterable[Package], document: str
) -> tuple[PackageDependency, ...]:
    """Edges from (dependant, dependency) ids, without repeated ones, self-edges and ends that are no packages."""
    known = {package.id for package in packages if package.type != "apk" or not package.depends}
    everything = {package.id for package in packages}
    edges = {
        (PackageId(dependant), PackageId(dependency))
        for dependant, dependency in pairs
        if dependant != dependency and dependant in known and dependency in everything
    }
    return tuple(
        PackageDependency(
            dependant=dependant, dependency=dependency, strength=Strength.HARD, evidence=f"dependency in the {document}"
        )
        for dependant, dependency in sorted(edges)
    )


def _declares(location: str) -> bool:
    name = location.rpartition("/")[2]
    return any(fnmatch.fnmatchcase(name, pattern) for pattern in _DECLARING_FILES)
