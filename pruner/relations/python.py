"""Requirements of Python distributions (PEP 508, core metadata `Requires-Dist`), read by `packaging`.

A distribution is looked for in the same site-packages first. Markers are evaluated for Linux and for the Python that
the directory belongs to. Requirements of an extra count for whom requires the extra, not for all who require the
distribution.
"""

from __future__ import annotations

import re
from collections import defaultdict
from functools import lru_cache
from posixpath import dirname
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from packaging.markers import Marker

    from pruner.model import Package, PackageId

_IN_PATH = re.compile(r"/python(\d+\.\d+)/")
_RELEASE = re.compile(r"(?:\d+:)?(\d+(?:\.\d+)*)")
_MACHINES = {
    "amd64": "x86_64",
    "arm64": "aarch64",
    "i386": "i686",
    "armhf": "armv7l",
    "armel": "armv6l",
    "ppc64el": "ppc64le",
}
"""dpkg's and OCI's names of architectures in the spelling of uname(2); apk and rpm use the kernel's own."""


class Requirement(NamedTuple):
    """One `Requires-Dist` as far as it is used."""

    name: str
    """Normalised (PEP 503)."""
    extras: frozenset[str]
    marker: Marker | None
    extra_only: bool
    """The marker mentions an extra."""


def site_of(package: Package) -> str:
    """The site-packages or dist-packages directory of the distribution; empty where the SBOM gives no location."""
    for location in package.locations:
        folder = dirname(location)
        if folder.endswith((".dist-info", ".egg-info", "/EGG-INFO")):
            return dirname(folder)
        if location.endswith((".egg-info", ".egg-link")):
            return folder
    return ""


@lru_cache(maxsize=16384)
def normalised(name: str) -> str:
    """The name as PEP 503 compares it."""
    return re.sub(r"[-_.]+", "-", name).lower()


@lru_cache(maxsize=16384)
def parse(text: str) -> Requirement | None:
    """The requirement that `text` states; None where it states none."""
    from packaging.requirements import InvalidRequirement
    from packaging.requirements import Requirement as Parsed

    try:
        parsed = Parsed(text)
    except InvalidRequirement:
        return None
    return Requirement(
        name=normalised(parsed.name),
        extras=frozenset(normalised(extra) for extra in parsed.extras),
        marker=parsed.marker,
        extra_only=parsed.marker is not None and "extra" in str(parsed.marker),
    )


def resolve(
    packages: Sequence[Package], everything: Sequence[Package]
) -> Mapping[PackageId, tuple[tuple[PackageId, ...], ...]]:
    """The clauses of Python distributions, those of requested extras included."""
    known = Distributions(packages, everything)
    return {package.id: known.clauses(package) for package in packages}


class Distributions:
    """The installed distributions by normalised name and directory, with the environment of each directory."""

    __slots__ = ("_by_name", "_environments", "_machine", "_versions")

    def __init__(self, packages: Sequence[Package], everything: Sequence[Package]) -> None:
        by_name: defaultdict[str, list[tuple[str, Package]]] = defaultdict(list)
        for package in packages:
            by_name[normalised(package.name)].append((site_of(package), package))
        self._by_name = by_name
        self._versions = _python_versions(everything)
        architectures = {
            package.architecture for package in everything if package.architecture not in (None, "", "all", "noarch")
        }
        first = min((name for name in architectures if name), default="x86_64")
        self._machine = _MACHINES.get(first, first)
        self._environments: dict[str, dict[str, str]] = {}

    def clauses(self, package: Package) -> tuple[tuple[PackageId, ...], ...]:
        """What `package` requires without an extra of its own, and what the extras that it asks for require."""
        found = dict.fromkeys(self._required(package, "", set()))
        return tuple(clause for clause in found if package.id not in clause)

    def _required(
        self, package: Package, extra: str, seen: set[tuple[PackageId, str]]
    ) -> Iterator[tuple[PackageId, ...]]:
        if (package.id, extra) in seen:
            return
        seen.add((package.id, extra))
        site = site_of(package)
        for text in package.depends:
            requirement = parse(text)
            if requirement is None or requirement.extra_only is not bool(extra):
                continue
            if requirement.marker is not None and not self._applies(requirement.marker, site, extra):
                continue
            options = self._installed(requirement.name, site)
            yield tuple(option.id for option in options)
            for wanted in sorted(requirement.extras):
                for option in options:
                    yield from self._required(option, wanted, seen)

    def _installed(self, name: str, site: str) -> list[Package]:
        """In the same directory, or else where the system's Python looks."""
        candidates = self._by_name.get(name, ())
        here = [package for where, package in candidates if where == site]
        return here or [package for where, package in candidates if where.startswith("/usr/") or not where]

    def _applies(self, marker: Marker, site: str, extra: str) -> bool:
        from packaging.markers import UndefinedComparison, UndefinedEnvironmentName

        environment = self._environments.get(site)
        if environment is None:
            environment = self._environments[site] = self._environment(site)
        try:
            return marker.evaluate({**environment, "extra": extra})
        except (UndefinedComparison, UndefinedEnvironmentName):
            return True

    def _environment(self, site: str) -> dict[str, str]:
        match = _IN_PATH.search(site + "/")
        version = match.group(1) if match else next(iter(self._versions), "3")
        full = self._versions.get(version, version if version.count(".") > 1 else version + ".0")
        return {
            "implementation_name": "cpython",
            "implementation_version": full,
            "os_name": "posix",
            "platform_machine": self._machine,
            "platform_python_implementation": "CPython",
            "platform_release": "",
            "platform_system": "Linux",
            "platform_version": "",
            "python_full_version": full,
            "python_version": version,
            "sys_platform": "linux",
        }


def _python_versions(everything: Sequence[Package]) -> dict[str, str]:
    """Full by minor version of the interpreters among `everything`; the system's `python3` first."""
    found: dict[str, str] = {}
    named = [package for package in everything if re.fullmatch(r"python(?:3(?:\.\d+)?)?(?:-minimal)?", package.name)]
    for package in sorted(named, key=lambda package: (package.name != "python3", package.name, package.version)):
        match = _RELEASE.match(package.version)
        if match and package.type not in ("python", "npm", "gem"):
            full = match.group(1)
            found.setdefault(".".join(full.split(".")[:2]), full)
    return found
