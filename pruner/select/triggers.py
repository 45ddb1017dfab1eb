"""Packages that apk installs by itself, as clauses: `install_if` (apk-package(5)).

Once something meets each condition of such a package, the package is there or kept out, and where it is neither, apk
refuses the whole. apk-tools (src/solver.c: `disqualify_package`, `reconsider_name`) looks one step far: a package is
kept out by one that is there and excludes it, by such that exclude all that would meet one of its needs, and where
nothing could ever meet a need, only once a name that it needs or excludes is decided.
"""

from __future__ import annotations

from collections import defaultdict
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pruner.select.cone import Cone, Need, Trigger
    from pruner.select.propagate import Literals


def trigger_clauses(cone: Cone, top: int) -> list[tuple[Trigger, Literals]]:
    """The clauses for all triggers of `cone`, each with the trigger it is for; variables above `top` are new ones."""
    if not cone.triggers:
        return []
    encoder = _Encoder(cone, top)
    for trigger in cone.triggers:
        encoder.add(trigger)
    return encoder.clauses


class _Encoder:
    def __init__(self, cone: Cone, top: int) -> None:
        self.clauses: list[tuple[Trigger, Literals]] = []
        self._top = top
        self._trigger = cone.triggers[0]
        self._triggers = {trigger.package: trigger for trigger in cone.triggers}
        self._needs: defaultdict[int, list[Need]] = defaultdict(list)
        self._dependants: defaultdict[int, set[int | None]] = defaultdict(set)
        self._excluders: defaultdict[int, set[int]] = defaultdict(set)
        for need in cone.needs:
            for option in need.options:
                self._dependants[option].add(need.dependant)
            if need.dependant is not None and not need.recommended:
                self._needs[need.dependant].append(need)
        for one, other in cone.exclusions:
            self._excluders[one].add(other)
            self._excluders[other].add(one)
        self._held: dict[int, int] = {}
        self._excluded: dict[int, int] = {}
        self._packages = cone.packages

    def add(self, trigger: Trigger) -> None:
        self._trigger = trigger
        conditions = tuple(-self._any(options) for options in trigger.conditions)
        self._say(*conditions, trigger.package + 1, *self._reasons(trigger.package))

    def _say(self, *literals: int) -> None:
        self.clauses.append((self._trigger, literals))

    def _variable(self) -> int:
        self._top += 1
        return self._top

    def _any(self, options: tuple[int, ...]) -> int:
        """A variable that is true when one of `options` is."""
        if len(options) == 1:
            return options[0] + 1
        met = self._variable()
        for option in options:
            self._say(-option - 1, met)
        return met

    def _reasons(self, package: int) -> list[int]:
        """Variables of which one is true when `package` is kept out."""
        reasons = [self._there(other) for other in self._others(package)]
        for need in self._needs[package]:
            if not need.options:
                touched = self._touched(package)
                decided = {*touched, *(other for one in touched for other in self._others(one))} - {package}
                reasons += map(self._there, sorted(decided))
            elif all(map(self._others, need.options)):
                unmet = self._variable()
                for option in need.options:
                    self._say(-unmet, self._is_excluded(option))
                reasons.append(unmet)
        return reasons

    def _others(self, package: int) -> list[int]:
        """What excludes `package`, apart from itself."""
        return sorted(self._excluders[package] - {package})

    def _touched(self, package: int) -> list[int]:
        """What has or provides a name that `package` needs or excludes."""
        asked = self._packages[package]
        names = {relation.name for clause in (*asked.depends, asked.conflicts) for relation in clause}
        return [
            number
            for number, one in enumerate(self._packages)
            if one.name in names or any(provided.name in names for provided in one.provides)
        ]

    def _is_excluded(self, package: int) -> int:
        """A variable that is only true when something that is there excludes `package`."""
        if package not in self._excluded:
            reasons = [self._there(other) for other in self._others(package)]
            variable = self._excluded[package] = self._variable()
            self._say(-variable, *reasons)
        return self._excluded[package]

    def _there(self, package: int) -> int:
        """A variable that is only true when `package` is there because it is asked for, needed or triggered."""
        dependants = self._dependants[package]
        if None in dependants:
            return package + 1
        if package not in self._held:
            held = self._held[package] = self._variable()
            causes = [number + 1 for number in sorted(number for number in dependants if number is not None)]
            trigger = self._triggers.get(package)
            if trigger is not None:
                causes.append(self._all(trigger))
            self._say(-held, package + 1)
            self._say(-held, *causes)
        return self._held[package]

    def _all(self, trigger: Trigger) -> int:
        """A variable that is only true when each condition of `trigger` is met by another package."""
        met = self._variable()
        for options in trigger.conditions:
            self._say(-met, *(option + 1 for option in options if option != trigger.package))
        return met
