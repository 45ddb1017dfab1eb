"""What a rule is, once read and checked."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pruner.model import EdgeKind
    from pruner.rules.patterns import Pattern


@dataclass(frozen=True, slots=True, kw_only=True)
class Condition:
    """When a rule fires: every key that is given must hold, any one value of a key is enough."""

    symbols: tuple[Pattern, ...] = ()
    """Imported symbols of an active ELF file."""
    literals: tuple[Pattern, ...] = ()
    """String literals of an active ELF file."""
    paths: tuple[Pattern, ...] = ()
    """Path of a kept file."""
    packages: tuple[Pattern, ...] = ()
    """Name of the package: the file's owner in a rule about files, the package itself in a rule about packages."""
    sources: tuple[Pattern, ...] = ()
    """Name of that package's source package."""
    types: tuple[str, ...] = ()
    """Ecosystems of that package; empty means those of distributions."""
    capabilities: tuple[Pattern, ...] = ()
    """`NAME`, asked for without a value, or `NAME=GLOB`."""
    distros: tuple[Pattern, ...] = ()
    """ID or one of ID_LIKE in os-release."""
    active: bool = True
    """False lets the rule fire for inert files too."""
    content: bool | None = None
    """True: only where the bytes of files are known; False: only from an SBOM alone; None: both."""

    @property
    def about_files(self) -> bool:
        """The condition asks for something that only a file has."""
        return bool(self.symbols or self.literals or self.paths)


NEVER = Condition()
"""An `unless` that excludes nothing."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Optional:
    """The rule's edges, or some files of a whole package, may be left out."""

    group: str
    default: bool
    """Whether the balanced profile takes them."""
    files: tuple[Pattern, ...] = ()
    """Files of a package that is kept whole. Where empty: the rule's own edges, and where it has none, the package
    itself while nothing but a declared dependency asks for it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Option:
    """That something may be left out, and who says so."""

    group: str
    default: bool
    why: str
    rule: str


@dataclass(frozen=True, slots=True, kw_only=True)
class DropClass:
    """Files that are left out of whole packages and of trees."""

    name: str
    files: tuple[Pattern, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Rule:
    """One piece of knowledge that can't be derived from the root filesystem."""

    id: str
    when: Condition
    unless: Condition = NEVER
    keep: tuple[str, ...] = ()
    """Targets as written: path patterns with placeholders, `owner`, `package:GLOB`, `command:NAME`."""
    kind: EdgeKind | None = None
    """Kind of the edges to what `keep` names; None: `data` for files, `rule` for packages, `exec` for commands."""
    directories: tuple[str, ...] = ()
    links: tuple[str, ...] = ()
    ask: tuple[str, ...] = ()
    """Capabilities, `NAME` or `NAME=VALUE`, placeholders allowed."""
    exceptions: tuple[Pattern, ...] = ()
    """Paths that neither `keep` nor `drop-class` means."""
    drop: DropClass | None = None
    optional: Optional | None = None
    why: str
    reference: tuple[str, ...]
    """Manual pages (`getpwnam(3)`), specifications or upstream source files that say so."""
    origin: str
    """Base name of the file that the rule was read from."""

    @property
    def has_edges(self) -> bool:
        """Whether the rule adds edges (rather than saying something about files of packages)."""
        return bool(self.keep or self.ask or self.links or self.directories)
