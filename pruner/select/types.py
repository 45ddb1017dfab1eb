"""What a selection is asked and what it answers."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING, Protocol

from pruner.select.kernel import Status

if TYPE_CHECKING:
    from collections.abc import Collection

    from pruner.candidate import Candidate, Relation

__all__ = ["Alternative", "Choice", "Objective", "Packages", "Prefer", "SelectRequest", "Selection", "Status"]


class Objective(StrEnum):
    """What of the packages is to be least; ties go to size, then to the count."""

    SIZE = "size"
    """Installed size."""
    COUNT = "count"
    DOWNLOAD = "download"
    """Size of the archives."""


class Prefer(StrEnum):
    """What comes even before the objective."""

    INSTALLED = "installed"
    """Packages that are installed already, in that version."""
    REAL = "real"
    """The package that a dependency names over one that provides the name."""


class Packages(Protocol):
    """What `select` asks of the packages that exist (`pruner.relations.universe.Universe`)."""

    @property
    def ecosystem(self) -> str:
        """`deb`, `apk` or `rpm`."""

    @property
    def architecture(self) -> str:
        """The native one, in the ecosystem's words."""

    def named(self, name: str) -> tuple[Candidate, ...]:
        """Every version of the package `name`."""

    def providing(self, name: str) -> tuple[Candidate, ...]:
        """The packages that provide `name` without being called so."""

    def essential(self) -> tuple[Candidate, ...]:
        """The packages that their distribution says no installation is without."""

    def triggered(self, members: Collection[Candidate]) -> tuple[Candidate, ...]:
        """Alpine's packages of which `members` meet each condition of `install_if`, whether they are members or not."""

    def names(self) -> Collection[str]:
        """The names of all packages."""

    def satisfying(self, relation: Relation, dependant: Candidate | None = None) -> tuple[Candidate, ...]:
        """The packages that satisfy `relation`."""

    def conflicting(self, candidate: Candidate) -> tuple[Candidate, ...]:
        """The packages that `candidate` says it can't be installed beside."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SelectRequest:
    """What the selection must hold, and what makes one selection better than another."""

    entries: tuple[str, ...]
    """`deb:NAME`, `apk:NAME`, `rpm:NAME`, each with `=VERSION` where it matters, or a purl; in the native architecture
    unless a purl names one."""
    objective: Objective = Objective.SIZE
    prefer: Prefer | None = None
    installed: frozenset[tuple[str, str]] = frozenset()
    """Name and version of what is installed, for `Prefer.INSTALLED`."""
    with_essential: bool = False
    """Essential packages are needed too: a root in which the package manager goes on working."""
    recommends: bool = False
    """Recommended packages are needed too, as far as they can be had."""
    time_limit: float = 60.0
    """Seconds for the solver; what it has found by then is the answer, not proven to be the best."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Alternative:
    """A package that would have done as well."""

    package: Candidate
    delta_kib: int | None
    """By how much the best selection that holds it is larger than the one chosen, in KiB installed (negative where
    something came before size); None: no selection can hold it."""
    proven: bool = True
    """Whether no selection with it is better; False when the time limit was hit."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Choice:
    """A decision between packages of which any one would do, and which nothing else had decided."""

    needed_by: tuple[tuple[str, str], ...]
    """Who has the choice and in which words, sorted: (`deb:NAME`, clause). An entry that several packages answer to
    has an empty clause."""
    chosen: tuple[Candidate, ...]
    others: tuple[Alternative, ...]
    """Sorted by name and version."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Selection:
    """The best set of packages that satisfies a request, or why there is none."""

    packages: tuple[Candidate, ...] = ()
    """Sorted by name, architecture and version."""
    installed_kib: int = 0
    """Sum of their installed sizes in KiB."""
    download_bytes: int = 0
    status: Status
    choices: tuple[Choice, ...] = ()
    unmet: tuple[str, ...] = ()
    """Recommendations that could not be met though something would meet them, in words; empty unless they were asked
    for."""
    by_itself: tuple[str, ...] = ()
    """What apk installs because other packages are there and nothing asks for it, in words."""
    conflict: tuple[str, ...] = ()
    """For an unsatisfiable request: facts that can't all hold, and of which none can be left out."""
    considered: int = 0
    """How many packages the entries could reach."""
    solver_seconds: float = 0.0
    """Wall time from clauses to packages, without reading indexes and without pricing alternatives."""
