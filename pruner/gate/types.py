"""Values of the gate: two sides, and what changed between them.

A *side* is an SBOM, a plan or a root filesystem. What a side can't know is None, and shown as unknown, never as
unchanged: an SBOM records no file capabilities (security.capability, xattr(7)).
"""

from __future__ import annotations

import builtins  # noqa: TC003 -- a field named `bytes` hides the type
from collections import Counter
from dataclasses import dataclass, field
from enum import StrEnum
from typing import TYPE_CHECKING, NamedTuple

import msgspec

if TYPE_CHECKING:
    from collections.abc import Mapping

    from pruner.model import FileType


class PackageKey(NamedTuple):
    """What makes two packages the same one: never its version, nor the SBOM's own id."""

    type: str
    namespace: str
    name: str
    architecture: str


class SidePackage(msgspec.Struct, frozen=True, kw_only=True):
    """A package as one side sees it."""

    key: PackageKey
    version: str
    purl: str
    bytes: int = 0
    """Of its files on this side."""
    files: tuple[str, ...] = ()
    """Real paths that it owns and that are there, sorted."""
    licenses: tuple[str, ...] = ()
    sliced: bool | None = None
    """Part of its files is there (a plan's slice); None where the side does not know."""
    evidence: tuple[str, ...] = ()
    """Real paths that the package was found by: a database, a METADATA file, a package.json, a jar; sorted."""
    directories: tuple[str, ...] = ()
    """Directories that are its own with everything below, save those further in (npm, gem); sorted."""
    states_files: bool = False
    """Its entry says what it holds, so that `files` may be empty because none of them is there."""


class SideFile(msgspec.Struct, frozen=True, kw_only=True):
    """A name as one side sees it. None is for what the side does not record."""

    path: str
    type: FileType
    mode: int | None = None
    uid: int | None = None
    gid: int | None = None
    bytes: int | None = None
    target: str | None = None
    hardlink: str | None = None
    """For every further name of an inode: the path of its first name, where the side tells."""
    digest: str | None = None
    """`ALGORITHM:HEX`."""
    owner: PackageKey | None = None
    capabilities: builtins.bytes | None = None
    """`security.capability`; empty where there is none, None where the side can't know."""


class Binary(msgspec.Struct, frozen=True, kw_only=True):
    """What is known of a file that a kernel or a loader takes."""

    starts: bool
    """An ELF file with an entry point, or a script with `#!`."""
    elf: bool = True
    libraries: tuple[str, ...] | None = None
    """DT_NEEDED names; None where the side does not state them."""
    interpreter: str = ""
    """PT_INTERP, or the program of a `#!` line; empty where there is none or the side does not know."""


class SideKind(StrEnum):
    """What a side was read from."""

    SBOM = "sbom"
    PLAN = "plan"
    ROOT = "root"


KINDS = {SideKind.SBOM: "an SBOM", SideKind.PLAN: "a plan", SideKind.ROOT: "a root filesystem"}
"""As they are called in sentences."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Side:
    """One of the two things that are compared."""

    kind: SideKind
    name: str
    """Base name only."""
    packages: Mapping[PackageKey, tuple[SidePackage, ...]]
    """Several where the same package is there in several versions (npm)."""
    files: Mapping[str, SideFile] | None
    """Bytewise order; None where the side lists no files."""
    entries: tuple[str, ...] = ()
    """Files that the entry points name: an image's configuration, or a plan's."""
    distro: str = ""
    """`debian 12`."""
    origin: Mapping[str, str] = field(default_factory=dict)
    """What is known about the image: `serial`, `name`, `digest` of its manifest, `image` (its ID), `tool`, `format`."""
    lacks: tuple[str, ...] = ()
    complete: bool = True
    """Whether `files` holds every name; else only regular files that packages own, and some executables."""
    lists_owned: bool = True
    """Whether `files` holds every regular file that packages own; else some files, and no absence says anything."""
    package_types: frozenset[str] | None = None
    """Types of packages that the side can tell; None where it tells all (an SBOM, a plan)."""
    binaries: Mapping[str, Binary] | None = None
    """Executables, shared objects and scripts by real path; None where the side knows none (a plan)."""


class Change(StrEnum):
    """What became of a package or a file."""

    ADDED = "added"
    REMOVED = "removed"
    UPGRADED = "upgraded"
    DOWNGRADED = "downgraded"
    RESLICED = "resliced"
    CHANGED = "changed"


@dataclass(frozen=True, slots=True, kw_only=True)
class PackageChange:
    """One package that differs."""

    key: PackageKey
    change: Change
    before: SidePackage | None
    after: SidePackage | None
    visibility: str
    """After: `present`, `removed` (entry and files gone), `invisible` (entry gone, files remain), `unknown`.

    Of a package that changed its version: `invisible` where the older one's files remain at their own place, `unknown`
    where none of the files that it still has changed with the version.
    """
    remaining: tuple[str, ...] = ()
    """For `invisible`: the files that remain, changed and moved ones included; not documentation nor configuration."""

    @property
    def is_moved(self) -> bool:
        """Whether the entry alone moved: it has another version, and none of the package's files changed."""
        return self.visibility == "unknown" and self.before is not None and self.after is not None


@dataclass(frozen=True, slots=True, kw_only=True)
class FileChange:
    """One name that differs."""

    path: str
    change: Change
    before: SideFile | None
    after: SideFile | None
    what: tuple[str, ...] = ()
    """For `changed`: `content`, `mode`, `owner`, `type`, `target`, `setuid`, `setgid`, `capabilities`."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SurfaceItem:
    """One thing of the attack surface."""

    category: str
    """A catalogue category: `shell`, `interpreter`, `package-manager`, `transfer`, `compiler`, `encoder`, …, or
    `setuid`, `setgid`, `capability`, `world-writable`, `executable`, `library`, `idle-library`."""
    path: str
    owner: PackageKey | None
    detail: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Surface:
    """The attack surface of one side."""

    items: tuple[SurfaceItem, ...]
    unknown: tuple[str, ...] = ()
    """Categories that the side can't tell."""

    def counts(self) -> dict[str, int | None]:
        """Number of items by category, sorted; None for what can't be told, whatever items there are."""
        found = Counter(item.category for item in self.items)
        return {name: None if name in self.unknown else found[name] for name in sorted({*found, *self.unknown})}


class Fate(StrEnum):
    """What became of a vulnerability."""

    REMOVED = "fixed by removal"
    UPGRADED = "fixed by upgrade"
    NEW = "new"
    UNCHANGED = "unchanged"
    UNSEEN = "unseen"
    """The package is no longer visible, its files remain."""
    DOWNGRADED = "gone by downgrade"
    """An older version is there that the scanner does not report: seldom a fix."""
    UNKNOWN = "can't be told"
    """Whether files remain is not recorded where an entry is gone; or an entry's version moved, and no file changed."""
    DATABASE = "database differs"
    """Gone from the report while the same version is there: another database, not a fix."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Vulnerability:
    """One vulnerability of one package, as a scanner reported it."""

    id: str
    """The CVE where there is one, else the first alias."""
    aliases: tuple[str, ...]
    severity: str
    """`critical`, `high`, `medium`, `low`, `negligible`, `unknown`."""
    package: PackageKey
    version: str
    fixed_in: tuple[str, ...] = ()
    paths: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class ScannerReport:
    """One scanner's report on one side."""

    scanner: str
    version: str
    database: str
    """What identifies the vulnerability database; empty where the report does not say."""
    sees_system: bool
    """Whether the scanner recognised the distribution; without it findings of system packages are missing."""
    vulnerabilities: tuple[Vulnerability, ...]
    file: str = ""
    """The report's own file, as the user gave it, safe to print."""
    distro: str = ""
    """`debian 12.5`; empty where the scanner recognised none."""
    digests: tuple[str, ...] = ()
    """`sha256:HEX` of the image that was scanned, as far as stated."""
    serials: tuple[str, ...] = ()
    """Serial numbers of the SBOMs that it refers to."""
    ignored: tuple[Vulnerability, ...] = ()
    """What the scanner was told to be silent about."""


@dataclass(frozen=True, slots=True, kw_only=True)
class VulnerabilityChange:
    """What became of one vulnerability of one package."""

    fate: Fate
    vulnerability: Vulnerability
    before: Vulnerability | None
    after: Vulnerability | None
    detail: str = ""
    """What the fate rests on, one lowercase phrase."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Comparison:
    """What changed; everything is sorted."""

    before: Side
    after: Side
    packages: tuple[PackageChange, ...]
    files: tuple[FileChange, ...] | None
    """None where a side lists no files."""
    surface_before: Surface
    surface_after: Surface
    vulnerabilities: tuple[VulnerabilityChange, ...] | None = None
    blind_report: str = ""
    """The report on after where its scanner did not look at the system's packages that are there; else empty."""
    conformity: tuple[FileChange, ...] | None = None
    """Against a plan: `added` is there though the plan dropped it, or never knew it (`unplanned`); `removed` is missing
    though the plan keeps it."""
    notes: tuple[str, ...] = ()
    """What the reader must know: databases that differ, sides that lack something."""
