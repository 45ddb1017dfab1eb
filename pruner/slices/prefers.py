"""Which package a path comes from when several have it: chains of `prefer`, one for each path.

Rules: canonical/chisel, internal/setup/setup.go at v1.4.1.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from pruner.errors import printable

if TYPE_CHECKING:
    from collections.abc import Container, Iterator, Mapping

    from pruner.slices.conflicts import Use


class Prefers:
    """The preferences of a release."""

    def __init__(self, uses: Mapping[str, list[Use]], packages: Container[str], unread: Container[str]) -> None:
        self._uses = uses
        self._packages = packages
        self._unread = unread
        self._targets: dict[str, dict[str, Use]] = {}
        """By path and package, the first use that names another package."""
        for path, users in uses.items():
            for use in users:
                if use.content.prefer:
                    self._targets.setdefault(path, {}).setdefault(use.key.package, use)

    def faults(self) -> Iterator[tuple[Use, str]]:
        """Preferences that are no line from one package to the next, with the reason."""
        for path, targets in self._targets.items():
            holders = {use.key.package for use in self._uses[path]}
            sources: dict[str, str] = {}
            for use in self._uses[path]:
                target, name = use.content.prefer, use.key.package
                if not target or target == name or target in self._unread:
                    continue
                first = targets[name].content.prefer
                if target not in self._packages:
                    yield use, f"{use.key} {printable(path)} prefers package '{printable(target)}', which is unknown"
                elif target != first:
                    yield use, f"package {name} prefers both {first} and {target} for {printable(path)}"
                elif sources.setdefault(target, name) != name:
                    yield use, f"packages {sources[target]} and {name} both prefer {target} for {printable(path)}"
                elif target not in holders:
                    yield use, f"{use.key} prefers package {target}, which does not have {printable(path)}"
                elif targets[name] is use and self._loops(path, name):
                    yield use, f"package {name} is part of a prefer loop on {printable(path)}"

    def settled(self, path: str, first: str, second: str) -> str | None:
        """Whether a chain for `path` joins two packages that both have it.

        Empty where one does, else why the path's preferences leave the two out; None where it has none.
        """
        if path not in self._targets:
            return None
        if second in self._chain(path, first) or first in self._chain(path, second):
            return ""
        return f"packages {first} and {second} conflict on {printable(path)}, and no 'prefer' joins them"

    def _chain(self, path: str, package: str) -> list[str]:
        """Packages that `package` gives way to, in order; ends before it repeats."""
        targets = self._targets[path]
        chain: list[str] = []
        while package in targets and targets[package].content.prefer not in chain:
            package = targets[package].content.prefer
            chain.append(package)
        return chain

    def _loops(self, path: str, package: str) -> bool:
        return package in self._chain(path, package)
