"""How each ecosystem writes relationships between packages.

Debian: policy 7.1, deb-control(5), Ubuntu's MultiarchSpec; architecture lists, which belong to source packages and
were resolved when a package was built, are read past. Alpine: apk-world(5) and apk-package(5).
"""

from __future__ import annotations

import re
from functools import lru_cache
from typing import TYPE_CHECKING

from pruner.candidate import Clause, Relation
from pruner.errors import InputError, printable

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

_SHOWN = 80
"""Characters of a field in a message."""

_DEB = re.compile(
    r"(?P<name>[^\s:()\[\]<>=,|!~]+)(?::(?P<qualifier>[a-zA-Z0-9-]+))?\s*"
    r"(?:\(\s*(?P<operator>[^\s\w.:+-]+)\s*(?P<version>[0-9A-Za-z][^\s()]*)\s*\)\s*)?"
    r"(?:\[[^\]]*\]\s*)?"
    r"(?P<profiles>(?:<[^>]*>\s*)*)"
)
_DEB_OPERATORS = {"<<": "<<", "<=": "<=", "=": "=", ">=": ">=", ">>": ">>", "<": "<=", ">": ">="}
"""With the obsolete `<` and `>`, which mean what dpkg makes of them."""

_APK = re.compile(r"(?P<name>[^\s<>=~!@]+)(?:@[^\s<>=~]+)?(?:(?P<operator>[<>=~]+)(?P<version>[^\s<>=~]\S*))?")
_APK_OPERATORS = {
    frozenset("<"): "<",
    frozenset("<="): "<=",
    frozenset("<~"): "<~",
    frozenset("<=~"): "<~",
    frozenset("="): "=",
    frozenset("~"): "~",
    frozenset("=~"): "~",
    frozenset(">"): ">",
    frozenset(">="): ">=",
    frozenset(">~"): ">~",
    frozenset(">=~"): ">~",
}
"""apk takes the characters of an operator in any order (apk-tools, apk_version_result_mask)."""


def clauses(ecosystem: str, text: str) -> tuple[Clause, ...]:
    """What a whole dependency field asks for, in declared order.

    deb: `a | b (>= 1), c`; apk: `so:x !y z>1`, of which conflicts are left out.
    Raises `InputError` for what is no relationship in the ecosystem's syntax, an unknown operator above all.
    """
    return _READERS[ecosystem](text, False)


def relations(ecosystem: str, text: str, *, conflicts: bool = False) -> tuple[Relation, ...]:
    """The relations that a field lists one by one: Provides, Conflicts, Breaks, or apk's `p:` and `i:` lines.

    With `conflicts`, of an apk dependency line what its `!name` words exclude. Raises `InputError` as `clauses` does.
    """
    return tuple(relation for clause in _READERS[ecosystem](text, conflicts) for relation in clause)


def _debian(text: str, _conflicts: bool) -> tuple[Clause, ...]:
    return tuple(clause for part in text.split(",") if (clause := _debian_clause(part)))


@lru_cache(maxsize=1 << 15)
def _debian_clause(text: str) -> Clause:
    return tuple(
        relation for part in text.split("|") if (word := part.strip()) and (relation := _debian_relation(word))
    )


def _debian_relation(text: str) -> Relation | None:
    """None for an alternative that only a build profile asks for: nothing is installed under one."""
    found = _DEB.fullmatch(text)
    if found is None:
        raise _unreadable(text, "a Debian relationship is NAME[:ARCHITECTURE] [(OPERATOR VERSION)]")
    if found["profiles"] and not _without_profiles(found["profiles"]):
        return None
    operator = found["operator"] or ""
    if operator and operator not in _DEB_OPERATORS:
        raise _unknown(operator, text, "<<, <=, =, >= and >>")
    return Relation(
        name=found["name"],
        operator=_DEB_OPERATORS.get(operator, ""),
        version=found["version"] or "",
        qualifier=found["qualifier"] or "",
    )


def _without_profiles(formula: str) -> bool:
    """Whether `<!nocheck> <a !b>` holds where no profile is active: some list has only negated terms."""
    return any(all(term.startswith("!") for term in terms.split()) for terms in re.findall(r"<([^>]*)>", formula))


def _alpine(text: str, conflicts: bool) -> tuple[Clause, ...]:
    return tuple(
        (_alpine_relation(word.removeprefix("!")),) for word in text.split() if word.startswith("!") == conflicts
    )


@lru_cache(maxsize=1 << 15)
def _alpine_relation(word: str) -> Relation:
    found = _APK.fullmatch(word)
    if found is None:
        raise _unreadable(word, "an apk dependency is NAME[@TAG][OPERATOR VERSION]")
    operator = found["operator"] or ""
    if operator and frozenset(operator) not in _APK_OPERATORS:
        raise _unknown(operator, word, "=, <, <=, >, >=, ~, <~ and >~")
    known = _APK_OPERATORS.get(frozenset(operator), "")
    return Relation(name=found["name"], operator=known, version=found["version"] or "")


def _unknown(operator: str, text: str, known: str) -> InputError:
    return InputError(
        f"unknown operator '{printable(operator[:_SHOWN])}' in '{printable(text[:_SHOWN])}'",
        hint=f"the operators are {known}",
    )


def _unreadable(text: str, hint: str) -> InputError:
    return InputError(f"'{printable(text[:_SHOWN])}' is no relationship", hint=hint)


_READERS: Mapping[str, Callable[[str, bool], tuple[Clause, ...]]] = {"deb": _debian, "apk": _alpine}
