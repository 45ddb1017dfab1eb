"""Licenses by SPDX expression (SPDX 2.3, annex D): whether what an SBOM states for a package is allowed.

Expressions are parsed by license-expression, which cyclonedx-python-lib brings along: its import takes 70 ms and its
table of SPDX identifiers 20 ms more, both only where a policy speaks of licenses.
"""

from __future__ import annotations

import fnmatch
import re
from dataclasses import dataclass
from difflib import get_close_matches
from functools import cache
from typing import TYPE_CHECKING, Any

from pruner.errors import printable

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from pruner.gate.policy.types import Level

_LONGEST = 4000
"""Characters of an expression that is parsed: what is hostile is longer than what is true."""

_GNU = re.compile(
    r"(?P<family>AGPL|LGPL|GPL|GFDL)(?P<niv>-NIV)?[- ]?v?(?P<major>[0-9])(?P<minor>\.[0-9])?"
    r"(?P<later>\+|-or-later|-only)?\Z",
    re.IGNORECASE,
)
"""GNU licenses as SPDX 2 (`AGPL-3.0+`), Debian's copyright-format 1.0 (`GPL-2`, `GFDL-NIV-1.3+`) and rpm name them."""
_DEBIAN = {"expat": "MIT", "artistic": "Artistic-1.0"}
"""Short names of Debian's copyright-format 1.0 for which SPDX has another."""
_AMBIGUOUS = frozenset({"gpl"})
"""Names that license-expression knows as one license, and that are given to several: `GPL` to any version of it."""
_UNSTATED = frozenset({"", "noassertion", "none", "unknown"})
"""How SPDX (2.3, section 7.15) and Python's metadata write that no license is stated."""
_REFERENCE = "LicenseRef-"
_ALIKE = 0.9
"""How much of a word must agree with an identifier to be taken for a slip of the hand."""
_REFUSED, _UNKNOWN, _PERMITTED = range(3)


@dataclass(frozen=True, slots=True, kw_only=True)
class LicensePolicy:
    """Which licenses packages may have. Entries are SPDX identifiers, or globs of them (`GPL-3.0-*`)."""

    allow: tuple[str, ...] = ()
    """Empty: all that are not denied."""
    deny: tuple[str, ...] = ()
    unknown: Level | None = None
    """For packages without a license, for texts that are no expression, and with `deny` alone for words that SPDX
    does not know (they may name anything); None allows."""

    def judged(self, license_: str, base: str) -> int:
        """Whether a license may be used: `license_` with its exception, `base` without.

        What names the exception outweighs what names the license alone: the one is the narrower statement.
        """
        if license_ != base:
            if _matches(license_, self.deny):
                return _REFUSED
            if _matches(license_, self.allow):
                return _PERMITTED
        if _matches(base, self.deny):
            return _REFUSED
        if self.allow:
            return _PERMITTED if _matches(base, self.allow) else _REFUSED
        return _PERMITTED if _standard(base) or not self.deny else _UNKNOWN

    def denies(self, license_: str) -> bool:
        """Whether `deny` names a license that is refused, with its exception or without."""
        return _matches(license_, self.deny) or _matches(license_.partition(" WITH ")[0], self.deny)


@dataclass(frozen=True, slots=True)
class LicenseFault:
    """What is wrong with a package's licenses."""

    text: str
    """The expression."""
    licenses: tuple[str, ...]
    """Those that are not permitted; empty where it is not known whether they are."""
    unknown: tuple[str, ...] = ()
    """Words that SPDX does not know, or a text that is no expression."""
    denied: bool = False
    """One of `licenses` is refused because `deny` names it, not because `allow` doesn't."""


def stated_licenses(licenses: Iterable[str]) -> tuple[str, ...]:
    """`licenses` without the words that say that none is stated."""
    return tuple(text for text in licenses if text.strip().lower() not in _UNSTATED)


def license_faults(licenses: Iterable[str], policy: LicensePolicy) -> tuple[LicenseFault, ...]:
    """What of a package's `licenses` the policy does not permit, sorted.

    All statements of a package hold together (Debian lists one for each group of files); within one, OR is a choice.
    """
    faults = []
    for text in sorted(set(licenses)):
        parsed = _parsed(text)
        if parsed is None:
            faults.append(LicenseFault(text, (), (text,)))
            continue
        found: dict[int, set[str]] = {_REFUSED: set(), _UNKNOWN: set(), _PERMITTED: set()}
        answer = _answer(parsed, policy.judged, found)
        if answer == _REFUSED:
            refused = tuple(sorted(found[_REFUSED]))
            faults.append(LicenseFault(text, refused, denied=any(map(policy.denies, refused))))
        elif answer == _UNKNOWN:
            faults.append(LicenseFault(text, (), tuple(sorted(found[_UNKNOWN]))))
    return tuple(faults)


def checked_license(text: str) -> tuple[str, str]:
    """A license as a policy may name it in its right spelling, and what is wrong with it (else empty).

    A word that SPDX does not know is taken as it stands (`public-domain` in Debian's files), unless it is an
    identifier in another spelling.
    """
    if _is_glob(text):
        return text, ""
    parsed = _parsed(text)
    if parsed is None:
        return text, f"'{printable(text[:60])}' is no SPDX license"
    symbols = list(parsed.symbols)
    if len(parsed.symbols) != 1 or type(parsed).__name__ in {"AND", "OR"}:
        return text, f"'{printable(text[:60])}' is an expression of several licenses, name each for itself"
    known = _identifiers()
    for symbol in symbols:
        for part in str(symbol.render()).split(" WITH "):
            spelling = known.get(_letters(part))
            if spelling is not None and spelling.lower() != part.lower():
                return text, f"'{printable(part)}' is no SPDX license, did you mean {spelling}?"
    return text, ""


def slip(license_: str) -> str:
    """What is wrong with a license to deny that SPDX does not know and that looks like one it does; else empty.

    It would match nothing, and nobody would notice; a name that is meant so can be given as a glob.
    """
    base = license_.partition(" WITH ")[0]
    if _is_glob(base) or _standard(base):
        return ""
    names = {name.lower(): name for name in _identifiers().values()}
    whole = _identifiers().get(f"{_letters(base)}0")
    if whole is not None:  # Apache2
        return f"'{printable(base)}' is no SPDX license, did you mean {whole}?"
    near = get_close_matches(base.lower(), names, n=1, cutoff=_ALIKE)
    return f"'{printable(base)}' is no SPDX license, did you mean {names[near[0]]}?" if near else ""


def _is_glob(text: str) -> bool:
    return any(character in text for character in "*?[")


def _answer(expression: Any, judged: Callable[[str, str], int], found: dict[int, set[str]]) -> int:
    """Whether some choice of `expression` is permitted; `found` gathers its licenses by the answer to each."""
    kind = type(expression).__name__
    if kind in {"AND", "OR"}:
        parts = [_answer(part, judged, found) for part in expression.args]
        return min(parts) if kind == "AND" else max(parts)
    license_ = str(expression.render())
    answer = judged(license_, license_.partition(" WITH ")[0])
    found[answer].add(license_)
    return answer


def _matches(license_: str, patterns: tuple[str, ...]) -> bool:
    names = _spellings(license_)
    return any(
        fnmatch.fnmatchcase(name, spelling)
        for pattern in patterns
        for spelling in _spellings(pattern)
        for name in names
    )


@cache
def _spellings(license_: str) -> tuple[str, ...]:
    """`license_`, which may be a glob, as it is and as SPDX has it today, in small letters."""
    base, separator, exception = license_.partition(" WITH ")
    standard = _standard(base)
    named = base.removeprefix(_REFERENCE)  # as SPDX documents write a word that SPDX does not know
    if named != base and not _is_glob(named) and not _standard(named):
        standard = named
    return tuple(dict.fromkeys(f"{name}{separator}{exception}".lower() for name in (base, standard or base)))


@cache
def _standard(license_: str) -> str:
    """The identifier that SPDX has for `license_` today: deprecated ones are others; empty where it knows none."""
    gnu = _GNU.match(license_)
    if gnu is not None:
        part = "-no-invariants" if gnu["niv"] else ""
        end = "-or-later" if gnu["later"] in {"+", "-or-later"} else "-only"
        license_ = f"{gnu['family'].upper()}-{gnu['major']}{gnu['minor'] or '.0'}{part}{end}"
    if license_.lower() in _AMBIGUOUS:
        return ""
    name = _DEBIAN.get(license_.lower(), license_)
    return _names().get(name.lower(), "") or _identifiers().get(_letters(name), "")


@cache
def _parsed(text: str) -> Any:
    """The expression's tree, or None for what is none."""
    from license_expression import ExpressionError, Licensing

    if not text.strip() or len(text) > _LONGEST:
        return None
    try:
        return Licensing().parse(text)
    except (ExpressionError, ValueError, RecursionError):
        return None


@cache
def _identifiers() -> dict[str, str]:
    """Every SPDX identifier by its letters and digits alone."""
    from license_expression import get_spdx_licensing

    return {_letters(name): name for name in get_spdx_licensing().known_symbols if not name.startswith("LicenseRef-")}


@cache
def _names() -> dict[str, str]:
    """SPDX identifiers by themselves and by those that are deprecated, in small letters."""
    from license_expression import get_spdx_licensing

    return {
        alias.lower(): name
        for name, symbol in get_spdx_licensing().known_symbols.items()
        if not name.startswith("LicenseRef-")
        for alias in (*symbol.aliases, name)
    }


def _letters(text: str) -> str:
    return "".join(character for character in text.lower() if character.isalnum() or character == "+")
