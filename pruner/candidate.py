"""Packages that could be installed: what an index or a package archive says about each, in any ecosystem's words.

A relation is one name with an optional version constraint; a clause is satisfied by any one of its relations.
"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class Relation:
    """One alternative of a clause, one conflict or one provide: `libc6:any (>= 2.34)`, `so:libz.so.1=1.3`."""

    name: str
    operator: str = ""
    """As the ecosystem writes it (deb: `<<`, `<=`, `=`, `>=`, `>>`; apk: `<`, `<=`, `=`, `>=`, `>`, `~`); empty
    without a constraint."""
    version: str = ""
    qualifier: str = ""
    """Debian's architecture qualifier: `any`, `native` or an architecture."""


Clause = tuple[Relation, ...]
"""Alternatives in declared order, of which any one will do."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Candidate:
    """One version of one package that could be installed."""

    ecosystem: str
    """`deb`, `apk` or `rpm`."""
    name: str
    version: str
    architecture: str
    installed_kib: int = 0
    """Size when installed in KiB, rounded up; 0 where the index states none."""
    download_bytes: int = 0
    """Size of the archive in bytes; 0 where the index states none."""
    pre_depends: tuple[Clause, ...] = ()
    depends: tuple[Clause, ...] = ()
    recommends: tuple[Clause, ...] = ()
    conflicts: tuple[Relation, ...] = ()
    """What must not be installed beside it (deb: Conflicts; apk: `!name`; rpm: Conflicts)."""
    breaks: tuple[Relation, ...] = ()
    """Debian's Breaks: must not be configured beside it, which comes to the same for a finished root."""
    provides: tuple[Relation, ...] = ()
    install_if: tuple[Relation, ...] = ()
    """apk: installed by itself when all of these are."""
    provider_priority: int = 0
    """apk's `k:`: which of several providers of one name is taken."""
    essential: bool = False
    multi_arch: str = ""
    """Debian's Multi-Arch field: `same`, `foreign`, `allowed`, or empty for `no`."""
    source: str = ""
    source_version: str = ""
    filename: str = ""
    """Where the archive lies, relative to its repository; empty where the index does not say."""
    checksum: str = ""
    """`sha256:HEX` of the archive (deb, rpm) or apk's own `Q1…`/`Q2…`; empty where the index states none."""

    def __hash__(self) -> int:
        """Of what tells candidates apart; all relations together would cost more than many a solver's step."""
        return hash((self.name, self.version, self.architecture))

    @property
    def label(self) -> str:
        """`NAME VERSION (ARCHITECTURE)`, for messages."""
        return f"{self.name} {self.version} ({self.architecture})"


@dataclass(frozen=True, slots=True, kw_only=True)
class LockedPackage:
    """One package of a lock: exactly this version, and what of it."""

    name: str
    version: str
    architecture: str
    source: str = ""
    source_version: str = ""
    filename: str = ""
    checksum: str = ""
    """As `Candidate.checksum`."""
    download_bytes: int = 0
    installed_kib: int = 0
    paths: tuple[str, ...] | None = None
    """The kept paths of a sliced package, absolute and sorted bytewise; None for a whole one."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Lock:
    """Packages in exact versions, so that the same root can be made again."""

    ecosystem: str
    architecture: str
    distribution: str = ""
    """`ID VERSION_ID` of os-release where it is known: `debian 12`."""
    packages: tuple[LockedPackage, ...] = ()
    """Sorted by name, architecture and version."""


LOCK_SCHEMA_VERSION = "1"
"""Of `packages.lock.json`; a reader takes no other."""
