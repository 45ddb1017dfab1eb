"""What a user asks for, as plain values: the command line and a configuration file both end up here."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from pruner.read.config import RelationsFile


class Profile(StrEnum):
    """How generous the closure is."""

    MINIMAL = "minimal"
    """Hard edges only."""
    BALANCED = "balanced"
    """What must run out of the box; optional edges by their own default."""
    PACKAGE = "package"
    """Whole packages and every optional edge."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Request:
    """One planning job."""

    sbom: str | None
    """Path of the SBOM, or `-` for standard input; None where `root` is a directory of package archives, or has a
    package database that says what is installed."""
    root: str | None = None
    """A directory, root tar, docker-archive, OCI layout or a directory of package archives; None plans from the SBOM
    alone."""
    entries: tuple[str, ...] = ()
    packages: tuple[str, ...] = ()
    """Names of distribution packages of which every file counts as running, but for documentation classes."""
    keep: tuple[str, ...] = ()
    drop: tuple[str, ...] = ()
    features: Mapping[str, str | None]
    """Capabilities asked for, with their value where they take one."""
    accept: tuple[str, ...] = ()
    refuse: tuple[str, ...] = ()
    profile: Profile = Profile.BALANCED
    rules: tuple[Path, ...] = ()
    relations: tuple[RelationsFile, ...] = ()
    verify: tuple[str, ...] = ()
    """Checks of the configuration file as text, carried into the plan."""
    config: Path | None = None
    """The configuration file, recorded with the inputs."""
    image: str | None = None
    """Name of the fat image, recorded with the settings; outputs are given it apart."""
