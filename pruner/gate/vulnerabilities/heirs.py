"""Packages that took over the files of others: one that was renamed (libssl3, libssl3t64), split or merged."""

from __future__ import annotations

from collections import Counter
from functools import cache
from typing import TYPE_CHECKING

from pruner.gate.compare.remaining import WITHOUT_CODE
from pruner.gate.keys import DISTRIBUTIONS
from pruner.model import FileType

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

    from pruner.gate.types import PackageKey, Side


def heirs(
    before: Side, after: Side, alias: Mapping[PackageKey, PackageKey]
) -> Callable[[PackageKey], PackageKey | None]:
    """Says by a package of `before` which other one owns most of those of its files that are there.

    None where nothing of it is, where nobody tells, and for what is no package of a distribution: those do not own
    files by a list. `alias` leads from keys of `after` to those of `before`.
    """
    if before.files is None or after.files is None:
        return lambda _: None
    older, newer = before.files, after.files

    def owners(key: PackageKey) -> Iterator[PackageKey]:
        for path in (path for package in before.packages.get(key, ()) for path in package.files):
            was, now = older[path], newer.get(path)
            if now is None or now.owner is None or path.startswith(WITHOUT_CODE) or was.owner != key:
                continue
            owner = alias.get(now.owner, now.owner)
            if owner != key and owner.type == key.type and {was.type, now.type} == {FileType.REGULAR}:
                yield owner

    @cache
    def heir(key: PackageKey) -> PackageKey | None:
        if key.type not in DISTRIBUTIONS:
            return None
        found = Counter(owners(key))
        return min(found, key=lambda owner: (-found[owner], owner), default=None)

    return heir
