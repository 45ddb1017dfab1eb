"""Which of two versions is the newer one, by the order of their own ecosystem.

Debian, apk and rpm as `pruner.relations.versions` has it, PyPI by `packaging` (PEP 440), and by univers what it knows:
npm, cargo, golang and composer (semantic versions), gem, maven and nuget.
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
}


def order_of(kind: str, one: str, other: str) -> int | None:
    """-1, 0 or 1 as version `one` of a package of purl type `kind` is older than, equal to or newer than `other`.

    None where the ecosystem's order is not known or one of them is no version there.
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
        return int(left > right) - int(left < right)
    except TypeError:
        return None


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
