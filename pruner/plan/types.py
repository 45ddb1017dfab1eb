"""The plan: a decision and a reason for every package and every file. All outputs are made from it alone."""

from __future__ import annotations

import builtins  # noqa: TC003 -- a field named `bytes` hides the type
from dataclasses import dataclass, field
from enum import StrEnum
from typing import TYPE_CHECKING

import msgspec

if TYPE_CHECKING:
    from pruner.model import Distro, Edge, FileType, ImageConfig, PackageId, Unknown


NO_EVIDENCE = "no evidence: "
"""Every reason that stands in for missing evidence starts with this."""


class Decision(StrEnum):
    """What happens to a package or a file."""

    KEEP = "keep"
    SLICE = "slice"
    """Packages only: some of its files are kept."""
    DROP = "drop"
    MAKE = "make"
    """Files only: not copied from the fat root; the plan holds its content (`FilePlan.content`)."""


class FilePlan(msgspec.Struct, frozen=True, kw_only=True):
    """The decision for one name of the root."""

    path: str
    type: FileType
    mode: int
    uid: int
    gid: int
    bytes: int
    """Apparent size in bytes; for a made file the size of its content."""
    target: str | None
    hardlink: str | None
    device: tuple[int, int] | None
    owner: str | None
    """The purl (or `TYPE:NAME@VERSION` without one) of the first owning package; None where no package owns it."""
    package: PackageId | None
    """The same package's id in the inventory."""
    decision: Decision
    reason: str
    """One lowercase phrase."""
    origin: str | None
    """Kept: the node whose edge brought the file in (`from` in JSON). Dropped: None."""
    digest: str | None = None
    """`ALGORITHM:HEX` as the SBOM states it."""
    content: builtins.bytes | None = None
    """The bytes of a made regular file."""


@dataclass(frozen=True, slots=True, kw_only=True)
class PackagePlan:
    """The decision for one package."""

    id: PackageId
    purl: str
    """Canonical purl, or `TYPE:NAME@VERSION` where the SBOM gives none."""
    type: str
    name: str
    version: str
    architecture: str | None
    decision: Decision
    bytes: int
    """Bytes of regular files that it owns in the fat root, hard links counted once."""
    kept_bytes: int
    reason: str
    files: int = 0
    kept_files: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class OptionalPlan:
    """One optional edge, or a group of them that a user accepts or refuses together."""

    name: str
    """What `--accept` and `--refuse` take: a group's name, or `KIND:PATH`."""
    accepted: bool
    edges: tuple[Edge, ...]
    bytes: int
    """Accepted: what refusing it alone would save. Refused: what accepting it would add at the least: the files with
    their libraries, interpreters and packages, without what the text of those files names in turn."""
    files: int
    why: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Totals:
    """One column of the before/after table."""

    packages: int
    files: int
    """Names of regular files and symbolic links."""
    bytes: int
    """Regular files, hard links counted once."""
    setuid_files: int
    shells: int
    interpreters: int
    package_managers: int


@dataclass(frozen=True, slots=True, kw_only=True)
class InputRecord:
    """One file that the plan was made from."""

    role: str
    """`sbom`, `root`, `packages` (one for each archive), `relations`, `config` or `rules`."""
    name: str
    """Base name only: no path of the planning machine enters an output."""
    digest: str | None
    """`sha256:HEX` of the file; None for a directory."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """What the user asked for besides entry points and profile, so that the same can be planned again."""

    keep: tuple[str, ...] = ()
    drop: tuple[str, ...] = ()
    features: tuple[str, ...] = ()
    """`NAME` or `NAME=VALUE`."""
    accept: tuple[str, ...] = ()
    refuse: tuple[str, ...] = ()
    image: str | None = None
    """Name of the fat image, for the Dockerfile's first stage."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """The one artifact that all outputs are made from. Everything in it is sorted."""

    profile: str
    entries: tuple[str, ...]
    inputs: tuple[InputRecord, ...]
    image: ImageConfig | None
    distro: Distro
    mode: str
    """`root` when bytes were read, `sbom` when the SBOM was all there was."""
    files: tuple[FilePlan, ...]
    packages: tuple[PackagePlan, ...]
    edges: tuple[Edge, ...]
    """Every edge that the closure followed; with the entries, enough to answer *why*."""
    optional: tuple[OptionalPlan, ...] = ()
    capabilities: tuple[str, ...] = ()
    """`NAME` or `NAME=VALUE`."""
    unknowns: tuple[Unknown, ...] = ()
    lacks: tuple[str, ...] = ()
    before: Totals
    after: Totals
    verify: tuple[str, ...] = field(default=())
    """Verification commands of the configuration file, carried along for `pruner verify`."""
    settings: Settings = field(default_factory=Settings)


PLAN_SCHEMA_VERSION = "1"
