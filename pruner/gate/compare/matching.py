"""Which package of one side is which of the other, and which version of it became which."""

from __future__ import annotations

from collections import defaultdict
from functools import cmp_to_key
from typing import TYPE_CHECKING, NamedTuple

from pruner.gate.keys import DISTRIBUTIONS
from pruner.gate.versions import order_of

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

    from pruner.gate.types import PackageKey, Side, SidePackage


_UNTYPED = "unknown"
"""The type of packages of which a document states neither a purl nor anything else that tells it."""


class Match(NamedTuple):
    """One package on both sides, or on one alone."""

    before: SidePackage | None
    after: SidePackage | None


def matched(before: Side, after: Side) -> Iterator[Match]:
    """Every package of either side once, sorted by the key that it has before, else after.

    Versions that both sides have are matched with themselves, the others in the ecosystem's order.
    """
    alias = key_aliases(before.packages, after.packages)
    later = {alias.get(key, key): packages for key, packages in after.packages.items()}
    for key in sorted({*before.packages, *later}):
        yield from _versions(key, before.packages.get(key, ()), later.get(key, ()))


def key_aliases(
    before: Mapping[PackageKey, Sequence[SidePackage]], after: Mapping[PackageKey, Sequence[SidePackage]]
) -> dict[PackageKey, PackageKey]:
    """Keys of `after` that differ from a lone key of `before` only where one of the two states nothing.

    A root without os-release has no namespace, some documents state no architecture, and some not even a type.
    """
    gone: defaultdict[tuple[str, str], list[PackageKey]] = defaultdict(list)
    new: defaultdict[tuple[str, str], list[PackageKey]] = defaultdict(list)
    for keys, others, found in ((before, after, gone), (after, before, new)):
        for key in keys:
            if key not in others and key.type in DISTRIBUTIONS:
                found[key.type, key.name].append(key)
    spelled = {
        new[name][0]: keys[0]
        for name, keys in gone.items()
        if len(keys) == len(new.get(name, ())) == 1 and _agree(keys[0], new[name][0])
    }
    return spelled | _untyped_aliases(before, after)


def _untyped_aliases(
    before: Mapping[PackageKey, Sequence[SidePackage]], after: Mapping[PackageKey, Sequence[SidePackage]]
) -> dict[PackageKey, PackageKey]:
    """Keys of `after` and `before` of which one has no type: alone of their name, in a version that both may have."""
    if not any(key.type == _UNTYPED for packages in (before, after) for key in packages):
        return {}
    names: defaultdict[str, tuple[list[PackageKey], list[PackageKey]]] = defaultdict(lambda: ([], []))
    for place, (packages, others) in enumerate(((before, after), (after, before))):
        for key in packages:
            if key not in others:
                names[_full_name(key)][place].append(key)
    return {
        new[0]: old[0]
        for old, new in names.values()
        if len(old) == len(new) == 1
        and (old[0].type == _UNTYPED) is not (new[0].type == _UNTYPED)
        and _may_be_one(before[old[0]], after[new[0]])
    }


def _may_be_one(before: Sequence[SidePackage], after: Sequence[SidePackage]) -> bool:
    one, other = ({package.version for package in packages} for packages in (before, after))
    return bool(one & other) or "" in one | other


def _full_name(key: PackageKey) -> str:
    """As a document without purls has it: of a distribution's package its own name, else after its namespace."""
    return key.name if key.type in DISTRIBUTIONS or not key.namespace else f"{key.namespace}/{key.name}"


def _agree(one: PackageKey, other: PackageKey) -> bool:
    return all(
        not left or not right or left == right
        for left, right in ((one.namespace, other.namespace), (one.architecture, other.architecture))
    )


def _versions(key: PackageKey, before: Sequence[SidePackage], after: Sequence[SidePackage]) -> Iterator[Match]:
    newer = {package.version: package for package in after}
    older = {package.version: package for package in before}
    for version in sorted(older.keys() & newer.keys()):
        yield Match(older.pop(version), newer.pop(version))
    # What is left changed its version; where several did, those at the same place are the same one.
    for package in _sorted(key, older.values()):
        partner = next(
            (other for other in newer.values() if package.evidence and _places(package) & _places(other)), None
        )
        if partner is not None:
            yield Match(older.pop(package.version), newer.pop(partner.version))
    pairs = zip(_sorted(key, older.values()), _sorted(key, newer.values()), strict=False)
    for one, other in list(pairs):
        yield Match(older.pop(one.version), newer.pop(other.version))
    yield from (Match(package, None) for package in _sorted(key, older.values()))
    yield from (Match(None, package) for package in _sorted(key, newer.values()))


def _places(package: SidePackage) -> set[str]:
    """Where a package without a database lies."""
    return set() if package.key.type in DISTRIBUTIONS else set(package.evidence)


def _sorted(key: PackageKey, packages: Iterable[SidePackage]) -> list[SidePackage]:
    """Oldest first; versions without a known order by their text."""

    def order(one: SidePackage, other: SidePackage) -> int:
        known = order_of(key.type, one.version, other.version)
        return known or (one.version > other.version) - (one.version < other.version)

    return sorted(packages, key=cmp_to_key(order))
