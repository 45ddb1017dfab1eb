"""Versions compared as each ecosystem's own tool compares them.

Debian and rpm by univers, whose answers the tests hold against dpkg and rpm. Alpine by tokens of our own, since univers
refuses `_git`, `_cvs` and `~HASH` (musl has been 1.2.4_git20230717 for years). Measured, import and one comparison:
univers.debian 30 ms, 10 us; univers.rpm 8 ms, 3 us; python-debian 8 ms, 17 us, but under the GPL; debian-inspector
30 ms, 6 us, and a whole deb822 reader beside it. Answers are remembered, for a cone asks the same few thousand again.
"""

from __future__ import annotations

import re
from functools import lru_cache
from typing import TYPE_CHECKING, Any

from pruner.errors import InputError, printable

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

_LONGEST = 256
"""Characters; dpkg's database holds none beyond 80, and numbers of thousands of digits cost quadratic time."""

_DEB = re.compile(r"(?:(\d+):)?([A-Za-z0-9.+~]+|[A-Za-z0-9.+~-]+(?=-))(?:-([A-Za-z0-9.+~]+))?")
_RPM = re.compile(r"(?:(\d+):)?([^\s:-]+)(?:-([^\s:-]+))?")
_APK = re.compile(
    r"\d+(?:\.\d+|[a-z]\d+)*[a-z]?(?:_(?:alpha|beta|pre|rc|cvs|svn|git|hg|p)\d*)*(?:~[0-9a-f]+)?(?:-r\d+)?"
)
_APK_TOKENS = re.compile(
    r"^(?P<first>\d+)|_(?P<suffix>[a-z]+)|(?<=[_a-z]{2})(?P<count>\d+)|\.?(?P<digit>\d+)"
    r"|~(?P<hash>[0-9a-f]+)|-r(?P<revision>\d+)|(?P<letter>[a-z])"
)
_APK_SUFFIXES = {name: rank for rank, name in enumerate(("alpha", "beta", "pre", "rc", "cvs", "svn", "git", "hg", "p"))}
_BEFORE_THE_END = 0
_END = (1, 0, "")
_KINDS = {"revision": 2, "hash": 3, "count": 4, "suffix": 5, "letter": 6, "digit": 7, "first": 8}
_SIGNS: Mapping[str, frozenset[int]] = {
    "<<": frozenset({-1}),
    "<": frozenset({-1}),
    "<=": frozenset({-1, 0}),
    "<~": frozenset({-1, 0}),
    "=": frozenset({0}),
    "~": frozenset({0}),
    ">=": frozenset({0, 1}),
    ">~": frozenset({0, 1}),
    ">": frozenset({1}),
    ">>": frozenset({1}),
}
_OPERATORS = {
    "deb": frozenset({"<<", "<=", "=", ">=", ">>"}),
    "apk": frozenset({"<", "<=", "=", ">=", ">", "~", "<~", ">~"}),
    "rpm": frozenset({"<", "<=", "=", ">=", ">"}),
}


def compare(ecosystem: str, one: str, other: str) -> int:
    """-1, 0 or 1 as `one` is older than, as new as, or newer than `other`.

    `ecosystem` is deb, apk or rpm. Raises `InputError` for what is no version there.
    """
    return _compared(ecosystem, one, other)


def satisfies(ecosystem: str, version: str, operator: str, wanted: str) -> bool:
    """Whether `version` is in the relation `operator` to `wanted`; no operator is satisfied by every version.

    apk's `~` takes every version that `wanted` is the beginning of. rpm compares releases only where both have one.
    Raises `InputError` for an operator that the ecosystem has not, and for what is no version.
    """
    if not operator:
        return True
    if operator not in _OPERATORS[ecosystem]:
        known = ", ".join(sorted(_OPERATORS[ecosystem]))
        raise InputError(f"unknown operator '{printable(operator)}'", hint=f"the operators are {known}")
    return _satisfying_sign(ecosystem, version, operator, wanted) in _SIGNS[operator]


def _satisfying_sign(ecosystem: str, version: str, operator: str, wanted: str) -> int:
    if "~" in operator and _begins(version, wanted):
        return 0
    if ecosystem == "rpm" and ("-" in version) != ("-" in wanted):
        version, wanted = version.partition("-")[0], wanted.partition("-")[0]
    return _compared(ecosystem, version, wanted)


@lru_cache(maxsize=1 << 15)
def _compared(ecosystem: str, one: str, other: str) -> int:
    return _COMPARE[ecosystem](one, other)


def _debian(one: str, other: str) -> int:
    from univers.debian import compare_versions

    return int(compare_versions(_debian_version(one), _debian_version(other)))  # type: ignore[no-untyped-call]


@lru_cache(maxsize=1 << 14)
def _debian_version(text: str) -> Any:
    from univers.debian import Version

    epoch, upstream, revision = _parts(_DEB, text, "a Debian version is [EPOCH:]UPSTREAM[-REVISION]; deb-version(7)")
    return Version(epoch=int(epoch or 0), upstream=upstream, revision=revision or "0")


def _rpm(one: str, other: str) -> int:
    from univers.rpm import compare_rpm_versions

    return int(compare_rpm_versions(_rpm_version(one), _rpm_version(other)))


@lru_cache(maxsize=1 << 14)
def _rpm_version(text: str) -> Any:
    from univers.rpm import RpmVersion

    epoch, version, release = _parts(_RPM, text, "an rpm version is [EPOCH:]VERSION[-RELEASE]")
    return RpmVersion(int(epoch or 0), version or "", release or "")


def _alpine(one: str, other: str) -> int:
    left, right = _alpine_key(one), _alpine_key(other)
    return (left > right) - (left < right)


def _begins(version: str, wanted: str) -> bool:
    beginning = _alpine_key(wanted)[:-1]
    return _alpine_key(version)[: len(beginning)] == beginning


@lru_cache(maxsize=1 << 14)
def _alpine_key(text: str) -> tuple[tuple[int, int, str], ...]:
    """The version as tokens that sort as apk-tools 3 sorts them (src/version.c; apk-tools 2 where both agree).

    Where one version has a token and the other another kind or none, the kinds decide: a pre-release suffix is before
    the end, everything else after it. A component with a leading zero is compared as text, for 1.05 is before 1.5.
    """
    _parts(_APK, text, "an apk version is 1.2.3a_rc1-r0; apk-package(5)")
    key = list[tuple[int, int, str]]()
    for token in _APK_TOKENS.finditer(text):
        kind, value = token.lastgroup, token[token.lastgroup or 0]
        if kind == "suffix":
            rank = _APK_SUFFIXES[value]
            key.append((_BEFORE_THE_END if rank < _APK_SUFFIXES["cvs"] else _KINDS[kind], rank, ""))
        elif kind in {"letter", "hash"} or (kind == "digit" and value.startswith("0")):
            key.append((_KINDS[kind], 0, value))
        else:
            key.append((_KINDS[kind or ""], int(value), ""))
    return (*key, _END)


def _parts(pattern: re.Pattern[str], text: str, hint: str) -> tuple[str | None, ...]:
    found = pattern.fullmatch(text) if len(text) <= _LONGEST else None
    if found is None:
        raise InputError(f"'{printable(text[:80])}' is no version", hint=hint)
    return found.groups()


_COMPARE: Mapping[str, Callable[[str, str], int]] = {"deb": _debian, "apk": _alpine, "rpm": _rpm}
