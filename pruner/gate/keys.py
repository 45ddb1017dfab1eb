"""What makes two packages the same one, however a tool spells them."""

from __future__ import annotations

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
_NAMESPACES = {"rhel": "redhat", "sles": "suse"}
"""Where the namespace of a distribution's purls is not os-release's ID (purl-spec, types, rpm)."""


def key_of_package(package: Package, distro: Distro) -> PackageKey:
    """The key of a package of an inventory; without a purl from its type, its name and the distribution."""
    purl = package.purl or _made_purl(package.type, package.name, distro.id)
    return _key(purl, package.architecture)


def key_of_plan(package: PackagePlan, distro: Distro) -> PackageKey:
    """The key of a package of a plan."""
    purl = parsed_purl(package.purl) or _made_purl(package.type, package.name, distro.id)
    return _key(purl, package.architecture)


def purl_text(key: PackageKey, version: str, stated: PackageURL | str | None) -> str:
    """The canonical purl: as stated, or made of `key`."""
    if stated:
        return str(stated)
    qualifiers = {"arch": key.architecture} if key.architecture else None
    return str(PackageURL(key.type, key.namespace or None, key.name or "-", version or None, qualifiers))


def plain_version(kind: str, version: str) -> str:
    """`version` without an epoch of zero, which is none (rpm, deb-version(7)); empty where none is stated."""
    if version == "UNKNOWN":  # as newer releases of Syft spell it
        return ""
    return version.removeprefix("0:") if kind in {"rpm", "deb"} else version


def namespace_of(kind: str, distribution: str) -> str:
    """The purl namespace of `kind` packages of the distribution with that os-release ID."""
    if kind not in DISTRIBUTIONS:
        return ""
    return "opensuse" if distribution.startswith("opensuse") else _NAMESPACES.get(distribution, distribution)


def _key(purl: PackageURL, architecture: str | None) -> PackageKey:
    stated = architecture or str(dict(purl.qualifiers or {}).get("arch", ""))
    return PackageKey(
        type=purl.type,
        namespace=purl.namespace or "",
        name=purl.name,
        architecture=stated if purl.type in DISTRIBUTIONS else "",
    )


def _made_purl(kind: str, name: str, distribution: str) -> PackageURL:
    purl_type = _PURL_TYPES.get(kind, kind) or "generic"
    namespace, plain = namespace_of(purl_type, distribution), name
    if purl_type in {"npm", "composer", "golang"}:
        namespace, _, plain = name.rpartition("/")
    try:
        return PackageURL(type=purl_type, namespace=namespace or None, name=plain or name)
    except ValueError:  # a type or name that no purl can have
        return PackageURL(type="generic", name=name or "-")
