"""Names of vulnerabilities: CVE, GHSA, DSA and others of one vulnerability are one.

A wrong union hides a vulnerability behind another one, and a missed one shows it twice; in doubt names stay apart.
"""

from __future__ import annotations

import re
from collections import defaultdict
from itertools import combinations
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from pruner.gate.types import Vulnerability

_CVE = re.compile(r"CVE-[0-9]{4}-[0-9]{4,}\Z")
_MOST_LINKS = 64
"""Names that one name is linked to before it is an advisory without a look at each pair."""


def united_names(found: Iterable[Vulnerability]) -> dict[str, tuple[str, ...]]:
    """The names under which each id and alias of `found` is compared: one, and for an advisory each that it covers.

    An advisory (DSA, RHSA, ALAS) may fix several vulnerabilities: it stands for each of them and unites none. One is
    whatever is linked to two CVEs, or to names that are not linked to each other. Names are united with their CVE
    first, so that the order of findings makes no difference.
    """
    linked: dict[str, set[str]] = defaultdict(set)
    for item in found:
        for alias in {*item.aliases} - {item.id}:
            linked[item.id].add(alias)
            linked[alias].add(item.id)
        linked.setdefault(item.id, set())
    advisories = _advisories(linked)
    union = _Union()
    pairs = [
        (name, other)
        for name, others in linked.items()
        for other in others
        if name < other and not advisories & {name, other} and not (_is_cve(name) and _is_cve(other))
    ]
    for name, other in sorted(pairs, key=lambda pair: (not any(map(_is_cve, pair)), pair)):
        union.unite(name, other)
    return {name: _representatives(name, linked, advisories, union) for name in linked}


def _representatives(name: str, linked: Mapping[str, set[str]], advisories: set[str], union: _Union) -> tuple[str, ...]:
    if name not in advisories:
        return (union.representative(name),)
    return tuple(sorted({union.representative(other) for other in linked[name] - advisories})) or (name,)


def _advisories(linked: Mapping[str, set[str]]) -> set[str]:
    """Names that stand for several vulnerabilities; what has no CVE of its own is looked at before what has one."""
    cves = {name: {*filter(_is_cve, (name, *others))} for name, others in linked.items()}
    found = {name for name in linked if not _is_cve(name) and len(cves[name]) > 1}
    found |= {
        name
        for name, others in linked.items()
        if not cves[name]
        and (
            _has_strangers(others - found, linked) or len({cve for other in others - found for cve in cves[other]}) > 1
        )
    }
    return found | {
        name
        for name, others in linked.items()
        if name not in found and not _is_cve(name) and _has_strangers(others - found, linked)
    }


def _has_strangers(names: set[str], linked: Mapping[str, set[str]]) -> bool:
    """Whether two of `names` are not linked to each other."""
    if len(names) > _MOST_LINKS:
        return True
    return any(other not in linked[one] for one, other in combinations(names, 2))


def _is_cve(name: str) -> bool:
    return _CVE.match(name) is not None


class _Union:
    """Disjoint sets of names; a set is called after its CVE, else after its first name."""

    def __init__(self) -> None:
        self._parents: dict[str, str] = {}

    def representative(self, name: str) -> str:
        """What the set of `name` is called."""
        path = []
        while (parent := self._parents.get(name, name)) != name:
            path.append(name)
            name = parent
        for passed in path:
            self._parents[passed] = name
        return name

    def unite(self, one: str, other: str) -> None:
        """Make the sets of `one` and `other` one, unless both are known under a CVE already."""
        roots = {self.representative(one), self.representative(other)}
        if sum(map(_is_cve, roots)) > 1:
            return
        first, *others = sorted(roots, key=lambda name: (not _is_cve(name), name))
        for root in others:
            self._parents[root] = first
