"""Which of two versions is the newer one, by the order of their own ecosystem.

Debian, apk and rpm as `pruner.relations.versions` has it, PyPI by `packaging` (PEP 440), and by univers what it knows:
npm, cargo, golang, composer, hex and swift (semantic versions), gem, maven, nuget, conan and alpm.
"""

from __future__ import annotations

import functools
from typing import Any

from pruner.errors import InputError

_OWN = {"deb", "apk", "rpm"}
_UNIVERS = {
    "npm": "SemverVersion",
    "cargo": "SemverVersion",
    "golang": "GolangVersion",
    "composer": "ComposerVersion",
    "gem": "RubygemsVersion",
    "maven": "MavenVersion",
    "nuget": "NugetVersion",
    "hex": "SemverVersion",
    "swift": "SemverVersion",
    "conan": "ConanVersion",
    "alpm": "ArchLinuxVersion",
}


def order_of(kind: str, one: str, other: str) -> int | None:
    """-1, 0 or 1 as version `one` of a package of purl type `kind` is older than, equal to or newer than `other`.

    None where the ecosystem's order is not known or one of them is no version there, and for two builds of one semantic
    version, which have no order (semver.org, 10) and are not the same.
    """
    if one == other:
        return 0
    if kind in _OWN:
        from pruner.relations.versions import compare

        try:
            return compare(kind, one, other)
        except InputError:
            return None
    left, right = _parsed(kind, one), _parsed(kind, other)
    if left is None or right is None:
        return None
    try:
        order = int(left > right) - int(left < right)
    except TypeError:
        return None
    return order if order or not _are_builds(kind, one, other) else None


def _are_builds(kind: str, one: str, other: str) -> bool:
    return _UNIVERS.get(kind) == "SemverVersion" and one.partition("+")[2] != other.partition("+")[2]


@functools.lru_cache(maxsize=4096)
def _parsed(kind: str, text: str) -> Any:
    if kind == "pypi":
        from packaging.version import InvalidVersion, Version

        try:
            return Version(text)
        except InvalidVersion:
            return None
    name = _UNIVERS.get(kind)
    if name is None or len(text) > 256:
        return None
    from univers import versions

    try:
        return getattr(versions, name)(text)
    except (versions.InvalidVersion, ValueError, TypeError, AttributeError):
        return None
