"""Values of slices: a release of slice definitions, what it is generated from, and what is wrong with one.

The vocabulary is chisel's own: a *release* is a directory with `chisel.yaml` and one slice definition file a package;
a *slice* is a named set of paths of one package; its *essentials* are the slices that come along. Facts about the
format: canonical/chisel, internal/setup/yaml.go and setup.go at v1.4.
"""

from __future__ import annotations

import builtins  # noqa: TC003 -- a field named `bytes` hides the type
from dataclasses import dataclass, field
from enum import StrEnum
from typing import TYPE_CHECKING, NamedTuple

import msgspec

if TYPE_CHECKING:
    from collections.abc import Mapping

    from pruner.model import FileType


class SliceKey(NamedTuple):
    """Names one slice; `str` gives chisel's own spelling `PACKAGE_SLICE`."""

    package: str
    slice: str

    def __str__(self) -> str:
        return f"{self.package}_{self.slice}"


class PathKind(StrEnum):
    """How chisel makes a path."""

    COPY = "copy"
    """Taken from the package's archive, from the path itself or from `source`."""
    GLOB = "glob"
    """Every path of the archive that the pattern matches."""
    MAKE = "make"
    """A directory, made where the archive has none."""
    TEXT = "text"
    SYMLINK = "symlink"
    GENERATE = "generate"


class Content(msgspec.Struct, frozen=True, kw_only=True):
    """One path of a slice."""

    path: str
    """Absolute, with a trailing slash for a directory."""
    kind: PathKind = PathKind.COPY
    source: str | None = None
    """Copy: the path in the archive where that is another. Symlink: the link's text. Generate: what (`manifest`)."""
    text: str | None = None
    """The content of a `TEXT` path."""
    mode: int | None = None
    mutable: bool = False
    until: str = ""
    """`mutate` where the path goes away after the mutation scripts have run."""
    arch: tuple[str, ...] = ()
    """Debian architectures that have it; empty for all."""
    prefer: str = ""
    comment: str = ""
    """Written above the entry, without the `#`; may have several lines."""
    line: int = 0
    """Where it was read, from 1; 0 where it was made."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Essential:
    """Another slice that comes along."""

    key: SliceKey
    arch: tuple[str, ...] = ()
    comment: str = ""
    line: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Slice:
    """One slice; `essential` and `contents` are sorted bytewise where pruner made it."""

    key: SliceKey
    essential: tuple[Essential, ...] = ()
    contents: tuple[Content, ...] = ()
    mutate: str = ""
    """Starlark; empty for none."""
    hint: str = ""
    comment: str = ""
    line: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class SlicedPackage:
    """One slice definition file."""

    name: str
    essential: tuple[Essential, ...] = ()
    """What every slice of the package comes with (its copyright)."""
    slices: tuple[Slice, ...] = ()
    archive: str = ""
    comment: str = ""
    file: str = ""
    """Path below the release, `slices/NAME.yaml`; empty where it was made."""


@dataclass(frozen=True, slots=True, kw_only=True)
class PublicKey:
    """A key that signs an archive."""

    name: str
    id: str
    """Sixteen upper-case hexadecimal digits."""
    armor: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Archive:
    """Where chisel fetches packages from."""

    name: str
    version: str
    suites: tuple[str, ...]
    components: tuple[str, ...]
    public_keys: tuple[str, ...]
    priority: int | None = None
    default: bool = False
    pro: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Release:
    """A release of slice definitions."""

    format: str
    """`v1`, `v2` or `v3`."""
    packages: Mapping[str, SlicedPackage]
    """By name, sorted."""
    archives: tuple[Archive, ...] = ()
    public_keys: tuple[PublicKey, ...] = ()
    maintenance: Mapping[str, str] = field(default_factory=dict)
    """`standard`, `expanded`, `legacy`, `end-of-life` -> YYYY-MM-DD."""


class Severity(StrEnum):
    """How bad a problem is."""

    ERROR = "error"
    """chisel refuses the release, or a cut of the slice."""
    WARNING = "warning"
    """chisel accepts it and does something else than what is written, or reviewers refuse it."""


@dataclass(frozen=True, slots=True, kw_only=True, order=True)
class Problem:
    """Something wrong with a release."""

    file: str
    """Below the release."""
    line: int
    """From 1; 1 where a whole file is meant."""
    rule: str
    """A stable id: `unknown-key`, `path-conflict`, `essential-loop`, …"""
    severity: Severity
    message: str
    """One lowercase fact."""
    hint: str = ""


class SourceFile(msgspec.Struct, frozen=True, kw_only=True):
    """A kept name of the root, as slices see it."""

    path: str
    """Real path in the root."""
    type: FileType
    mode: int
    uid: int = 0
    gid: int = 0
    bytes: int = 0
    target: str | None = None
    package: str
    """Name of the package that owns it; for state, of the one whose maintainer script (or whose need) makes it."""
    shipped: str | None = None
    """Absolute path in the package's archive: `/lib/x` where the root, merged, has `/usr/lib/x`. None where no archive
    brings it as it is: then it is state, with `content` if it is a regular file."""
    content: builtins.bytes | None = None
    """Of state; None where it is unknown."""
    conffile: bool = False
    maker: str = ""
    """For state: which maintainer script makes it, `postinst`; empty where that is not known."""
    local: bool = False
    """In no package, and no script is seen to make it: the user's own, as far as is known."""
    executable: bool = False
    """A program: ELF with an entry point, or a script with a `#!` line, that may be run."""
    elf: bool = False
    active: bool = True
    """False for a file that the closure keeps without running it: what it needs when it runs is not known."""
    attributes: tuple[str, ...] = ()
    """Names of extended attributes (`security.capability`) that the archive does not carry and a script sets."""
    device: tuple[int, int] | None = None
    """Major and minor number of a device node."""


class Need(NamedTuple):
    """A kept file needs another one, directly or through a package, a capability or a rule."""

    target: str
    """Real path."""
    kind: str
    """The `EdgeKind` of the weakest edge on the way."""
    evidence: str


@dataclass(frozen=True, slots=True, kw_only=True)
class SliceSource:
    """What slices are generated from: kept files with owners, needs between them, and what packages ship in full."""

    distribution: str
    """os-release ID: `ubuntu`, `debian`."""
    version: str
    """os-release VERSION_ID."""
    architecture: str
    """Debian's name: `amd64`."""
    files: Mapping[str, SourceFile]
    """Kept names, directories included, bytewise order."""
    needs: Mapping[str, tuple[Need, ...]]
    """By file; hard and accepted optional needs of the state that the closure left the file in."""
    listed: Mapping[str, tuple[str, ...]]
    """Every name, kept or not, that each package's archive ships, as shipped, by package name."""
    entries: tuple[str, ...] = ()
    """Files that the entry points name."""
    complete: frozenset[str] = frozenset()
    """Packages that are sliced in full, not only what an application needs."""
    unknowns: tuple[str, ...] = ()
    """What could not be said, one sentence each."""
    listed_by_arch: Mapping[str, Mapping[str, tuple[str, ...]]] = field(default_factory=dict)
    """`listed` of further architectures, by Debian's name of each, where they were given."""
    concatenations: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    """State whose bytes are those of other files of its package, one after the other: path -> their shipped names in
    that order, each ending in a newline (one is added where it has none)."""
