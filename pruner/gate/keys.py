"""What makes two packages the same one, however a tool spells them."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from packageurl import PackageURL

from pruner.gate.types import PackageKey
from pruner.read.purls import parsed_purl

if TYPE_CHECKING:
    from pruner.model import Distro, Package
    from pruner.plan.types import PackagePlan

DISTRIBUTIONS = frozenset({"deb", "apk", "rpm"})
"""purl types of packages that a database of the root lists."""
_PURL_TYPES = {
    "python": "pypi",
    "java-archive": "maven",
    "jenkins-plugin": "maven",
    "go-module": "golang",
    "php-composer": "composer",
    "rust-crate": "cargo",
    "dotnet": "nuget",
    "binary": "generic",
}
"""purl types by Syft's types of packages, where they have another name."""
WHOLE_NAMES = frozenset({"npm", "golang", "composer"})
"""purl types whose namespace is part of the name: npm's `core` is not `@angular/core`."""
_UNSTATED = frozenset({"UNKNOWN", "NOASSERTION", "NONE"})
"""Versions that say there is none: newer releases of Syft, SPDX 2.3 (other fields)."""
_ANY_CASE = frozenset({"golang", "nuget"})
"""purl types whose names are one in small and in capital letters (purl-spec, types), which not every tool writes."""
_NAMESPACES = {"rhel": "redhat", "sles": "suse"}
"""Where the namespace of a distribution's purls is not os-release's ID (purl-spec, types, rpm)."""


def key_of_package(package: Package, distro: Distro) -> PackageKey:
    """The key of a package of an inventory; without a purl from its type, its name and the distribution."""
    purl = package.purl or _made_purl(package.type, package.name, distro.id)
    return key_of_purl(purl, package.architecture)


def key_of_plan(package: PackagePlan, distro: Distro) -> PackageKey:
    """The key of a package of a plan."""
    purl = parsed_purl(package.purl) or _made_purl(package.type, package.name, distro.id)
    return key_of_purl(purl, package.architecture)


def purl_text(key: PackageKey, version: str, stated: PackageURL | str | None) -> str:
    """The canonical purl: as stated, or made of `key`."""
    if stated:
        return str(stated)
    qualifiers = {"arch": key.architecture} if key.architecture else None
    return str(PackageURL(key.type, key.namespace or None, key.name or "-", version or None, qualifiers))


def purl_type_of(kind: str) -> str:
    """The purl type of Syft's type of packages."""
    return _PURL_TYPES.get(kind, kind)


def name_parts(kind: str, name: str) -> tuple[str, str]:
    """Namespace and name of a package of purl type `kind`, where a tool writes the two as one (purl-spec, types)."""
    separator = "/" if kind in WHOLE_NAMES else ":" if kind == "maven" else ""
    namespace, _, last = name.rpartition(separator) if separator else ("", "", name)
    return namespace, last or name


def plain_version(kind: str, version: str) -> str:
    """`version` without an epoch of zero, which is none (rpm, deb-version(7)); empty where none is stated."""
    if version in _UNSTATED:
        return ""
    return version.removeprefix("0:") if kind in {"rpm", "deb"} else version


def one_spelling(kind: str, name: str) -> str:
    """`name`, a name or namespace of a `kind` purl, as every tool's spelling of it becomes."""
    if kind == "pypi":
        return re.sub(r"[-_.]+", "-", name).lower()  # PEP 503, normalized names
    return name.lower() if kind in _ANY_CASE else name


def _namespace_of(kind: str, distribution: str) -> str:
    """The purl namespace of `kind` packages of the distribution with that os-release ID."""
    if kind not in DISTRIBUTIONS:
        return ""
    return "opensuse" if distribution.startswith("opensuse") else _NAMESPACES.get(distribution, distribution)


def key_of_purl(purl: PackageURL, architecture: str | None = None) -> PackageKey:
    """The key of the package that `purl` names; `architecture` outweighs the purl's own."""
    stated = architecture or str(dict(purl.qualifiers or {}).get("arch", ""))
    return PackageKey(
        type=purl.type,
        namespace=one_spelling(purl.type, purl.namespace or ""),
        name=one_spelling(purl.type, purl.name),
        architecture=stated if purl.type in DISTRIBUTIONS else "",
    )


def _made_purl(kind: str, name: str, distribution: str) -> PackageURL:
    purl_type = purl_type_of(kind) or "generic"
    namespace, plain = name_parts(purl_type, name)
    namespace = namespace or _namespace_of(purl_type, distribution)
    try:
        return PackageURL(type=purl_type, namespace=namespace or None, name=plain)
    except ValueError:  # a type or name that no purl can have
        return PackageURL(type="generic", name=name or "-")
