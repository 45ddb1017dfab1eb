"""Mapping dependency graphs from outside onto the installed packages of an inventory."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import replace
from typing import TYPE_CHECKING

from pruner.model import Inventory, Package, PackageDependency, PackageId
from pruner.read import apk, dpkg
from pruner.read.ecosystems import DISTRIBUTION_TYPES
from pruner.read.purls import parsed_purl
from pruner.read.stanzas import control_fields

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from packageurl import PackageURL

    from pruner.read.packageindex import PackageIndex
    from pruner.read.relationtypes import NamedDependency, RelationSource


def related(inventory: Inventory, sources: Sequence[RelationSource]) -> Inventory:
    """`inventory` with what `sources` say about packages that are installed; they add no package.

    Sources are united. A package that declares its own dependencies keeps them: an index adds clauses only where
    it describes the very version that is installed.
    """
    if not sources:
        return inventory
    packages = inventory.packages
    for source in sources:
        if source.index is not None:
            packages = tuple(_with_stanza(package, source.index) for package in packages)
    index = _Index(packages)
    found = {(edge.dependant, edge.dependency): edge for edge in inventory.dependencies}
    for source in sources:
        for edge in source.edges:
            for dependency in index.mapped(edge, source.name):
                found.setdefault((dependency.dependant, dependency.dependency), dependency)
    return replace(inventory, packages=packages, dependencies=tuple(found[key] for key in sorted(found)))


def _with_stanza(package: Package, index: PackageIndex) -> Package:
    if package.type != index.ecosystem:
        return package
    candidates = [_parsed(stanza, index.ecosystem) for stanza in index.stanzas(package.name)]
    fitting = [other for other in candidates if _same_architecture(package, other)] or candidates
    same = [other for other in fitting if other.version == package.version]
    declares = package.stanza is not None or package.depends or package.pre_depends
    if not fitting or (declares and not same):
        return package
    other = (same or fitting)[0]
    archive = same[0] if same else None
    return replace(
        package,
        depends=_united(package.depends, other.depends),
        pre_depends=_united(package.pre_depends, other.pre_depends),
        provides=_united(package.provides, other.provides),
        source=package.source or other.source,
        source_version=package.source_version or other.source_version,
        architecture=package.architecture or other.architecture,
        installed_bytes=package.installed_bytes or other.installed_bytes,
        filename=package.filename or (archive.filename if archive else ""),
        checksum=package.checksum or (archive.checksum if archive else ""),
        download_bytes=package.download_bytes or (archive.download_bytes if archive else 0),
    )


def _parsed(stanza: str, ecosystem: str) -> Package:
    return dpkg.package_of(stanza, control_fields(stanza)) if ecosystem == "deb" else apk.package_of(stanza)


def _same_architecture(package: Package, other: Package) -> bool:
    neutral = {None, "", "all", "noarch"}
    return package.architecture == other.architecture or bool({package.architecture, other.architecture} & neutral)


def _united(own: Iterable[str], other: Iterable[str]) -> tuple[str, ...]:
    """Clauses of both, the package's own first; spacing makes no difference."""
    clauses = {"".join(clause.split()): clause for clause in other}
    own = tuple(own)
    for clause in own:
        clauses.pop("".join(clause.split()), None)
    return (*own, *clauses.values())


class _Index:
    """Installed packages by what a graph's node may call them."""

    def __init__(self, packages: Sequence[Package]) -> None:
        self._by_purl: defaultdict[tuple[str, str, str], list[Package]] = defaultdict(list)
        self._by_name: defaultdict[str, list[Package]] = defaultdict(list)
        self._cache: dict[str, tuple[Package, ...]] = {}
        for package in packages:
            if package.purl is not None:
                self._by_purl[_key(package.purl)].append(package)
            for name in {
                package.name,
                f"{package.name}:{package.architecture}",
                f"{package.name}-{package.version}",
                f"{package.name}={package.version}",
            }:
                self._by_name[name].append(package)

    def mapped(self, edge: NamedDependency, source: str) -> Iterable[PackageDependency]:
        """The edge between installed packages: none where an end is not installed."""
        for dependant in self._named(edge.dependant):
            options = self._options(edge, dependant)
            if options:
                yield PackageDependency(
                    dependant=dependant.id,
                    dependency=options[0],
                    kind=edge.kind,
                    strength=edge.strength,
                    alternatives=tuple(options[1:]),
                    evidence=f"{edge.kind} in {source}",
                )

    def _options(self, edge: NamedDependency, dependant: Package) -> list[PackageId]:
        options: dict[PackageId, None] = {}
        nodes = (edge.dependency, *edge.alternatives)
        for node in nodes if self._named(edge.dependency) else (*nodes, *edge.instead):
            named = self._named(node)
            own = [package for package in named if package.architecture == dependant.architecture]
            options.update(dict.fromkeys(package.id for package in own or named))
        options.pop(dependant.id, None)
        return list(options)

    def _named(self, node: str) -> tuple[Package, ...]:
        """Packages that `node` stands for; a bare name means the distribution's package where there is one."""
        if node not in self._cache:
            self._cache[node] = tuple(self._by_purl_text(node) if node.startswith("pkg:") else self._by_text(node))
        return self._cache[node]

    def _by_text(self, node: str) -> list[Package]:
        named = self._by_name.get(node) or self._by_name.get(node.removesuffix(":any"), [])
        return [package for package in named if package.type in DISTRIBUTION_TYPES] or named

    def _by_purl_text(self, node: str) -> list[Package]:
        purl = parsed_purl(node)
        if purl is None:
            return []
        same = self._by_purl.get(_key(purl), [])
        wanted = dict(purl.qualifiers or {}).get("arch")
        return [package for package in same if wanted in {None, package.architecture}]


def _key(purl: PackageURL) -> tuple[str, str, str]:
    """What identifies a package whatever its version: type, namespace and name in canonical form."""
    return purl.type, purl.namespace or "", purl.name
