"""Frozen domain types: what exists (inventory), what needs what (edges), and nothing that does I/O.

Paths are absolute POSIX strings in the root's own name space, normalised, and *real in their parent*: no component
but the last is a symbolic link. Bytes that are not UTF-8 are carried as surrogate escapes (`os.fsdecode`).

Values that a plan makes by the ten thousand are `msgspec.Struct`s, which are made in 0.1 us instead of a frozen
dataclass's 1.5 us; `msgspec.structs.replace` changes them.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum
from typing import TYPE_CHECKING, NewType

import msgspec

if TYPE_CHECKING:
    from collections.abc import Mapping

    from packageurl import PackageURL

Node = NewType("Node", str)
"""A node of the closure: `/path`, `package:ID`, `requires:ID` (declared need, not kept by itself),
`capability:NAME[=VALUE]` or `entry:TEXT`."""

PackageId = NewType("PackageId", str)
"""Identifies one package of one inventory; the SBOM's own id, meaningless outside it."""


class FileType(StrEnum):
    """What a name in the root is."""

    REGULAR = "file"
    DIRECTORY = "directory"
    SYMLINK = "symlink"
    CHARACTER_DEVICE = "character-device"
    BLOCK_DEVICE = "block-device"
    FIFO = "fifo"
    SOCKET = "socket"


COUNTED_TYPES = frozenset({FileType.REGULAR, FileType.SYMLINK})
"""What tables count as files: no directories, nor devices, pipes and sockets, which scans of directories leave out."""


class File(msgspec.Struct, frozen=True, kw_only=True):
    """One name of the root filesystem."""

    path: str
    type: FileType
    mode: int = 0o644
    """POSIX permission bits with setuid, setgid and sticky (`st_mode & 0o7777`)."""
    uid: int = 0
    gid: int = 0
    bytes: int = 0
    """Apparent size of a regular file in bytes; 0 for everything else."""
    target: str | None = None
    """Text of a symbolic link as stored."""
    hardlink: str | None = None
    """For every further name of an inode: the path of its bytewise first name. None for the first name."""
    digest: str | None = None
    """`ALGORITHM:HEX` as the SBOM states it, sha256 preferred; None where it states none."""
    device: tuple[int, int] | None = None
    """Major and minor number of a device node."""
    libraries: tuple[str, ...] | None = None
    """DT_NEEDED names as the SBOM states them; None where it says nothing about the file as an executable."""
    executable: bool = False
    """The SBOM identified the file as an executable or shared object."""
    has_entrypoint: bool = False
    """The SBOM saw an entry point: an executable, rather than a shared object."""


class DeclaredFile(msgspec.Struct, frozen=True, kw_only=True):
    """A path that a package's own database entry claims, as written there (it need not exist)."""

    path: str
    digest: str | None = None
    """`ALGORITHM:VALUE` in the database's own spelling (md5 hex for dpkg, `Q1…` for apk)."""
    conffile: bool = False
    shipped: str | None = None
    """The path that the package's archive has it under, where that is another: a diverted file (dpkg-divert(1))."""
    mode: int | None = None
    """`st_mode` with the type of the file, where the database states it (rpm)."""
    ghost: bool = False
    """The package's archive does not hold it: made by a scriptlet or by the program (rpm's `%ghost`)."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Package:
    """An installed package of any ecosystem."""

    id: PackageId
    type: str
    """Syft's word for the ecosystem: `deb`, `apk`, `rpm`, `python`, `npm`, `gem`, `java-archive`, `go-module`, …"""
    name: str
    version: str
    purl: PackageURL | None = None
    architecture: str | None = None
    source: str | None = None
    """Name of the source package (dpkg source, apk origin); the package's own name where they agree."""
    source_version: str | None = None
    files: tuple[DeclaredFile, ...] = ()
    locations: tuple[str, ...] = ()
    """Real paths of the evidence: the database, a METADATA file, a package.json, a jar."""
    depends: tuple[str, ...] = ()
    """Raw clauses that the package needs, one string each, in its ecosystem's syntax
    (deb: `libc6 (>= 2.34) | libc7`; apk: `so:libc.musl-x86_64.so.1`; python: PEP 508; npm and gem: names)."""
    pre_depends: tuple[str, ...] = ()
    provides: tuple[str, ...] = ()
    """Raw provides, same syntaxes."""
    installed_bytes: int = 0
    """Declared installed size in bytes, 0 where unknown."""
    filename: str = ""
    """Where a given index says that the archive of this very version lies, relative to its repository."""
    checksum: str = ""
    """`sha256:HEX` of that archive where an index states it, or apk's own `Q1…`, which its database states too."""
    download_bytes: int = 0
    """Size of that archive in bytes, 0 where unknown."""
    licenses: tuple[str, ...] = ()
    maintainer: str | None = None
    stanza: str | None = None
    """The package's own text in the image's package database (dpkg status, apk installed), where it was read."""
    whole_directories: tuple[str, ...] = ()
    """Directories that belong to the package in full, for ecosystems without a file list (an npm package's folder)."""


@dataclass(frozen=True, slots=True, kw_only=True)
class PackageDependency:
    """A declared dependency between two packages of the inventory, dependant -> dependency."""

    dependant: PackageId
    dependency: PackageId
    kind: str = "depends"
    strength: Strength
    alternatives: tuple[PackageId, ...] = ()
    """The other packages that would do as well."""
    evidence: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Distro:
    """What os-release says, as far as the SBOM carries it; empty strings where it is missing."""

    id: str = ""
    version_id: str = ""
    name: str = ""
    id_like: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class ImageConfig:
    """The OCI image configuration that applies at run time (image-spec, config.md)."""

    entrypoint: tuple[str, ...] = ()
    cmd: tuple[str, ...] = ()
    env: tuple[str, ...] = ()
    """`NAME=value` strings in the image's order."""
    user: str = ""
    working_dir: str = ""
    volumes: tuple[str, ...] = ()
    exposed_ports: tuple[str, ...] = ()
    labels: tuple[tuple[str, str], ...] = ()
    stop_signal: str = ""
    healthcheck: Healthcheck | None = None
    shell: tuple[str, ...] = ()
    architecture: str = ""
    os: str = ""

    @property
    def search_path(self) -> tuple[str, ...]:
        """Directories of PATH, or the default that container runtimes use where the image sets none."""
        for entry in self.env:
            if entry.startswith("PATH="):
                return tuple(part for part in entry[5:].split(":") if part)
        return DEFAULT_SEARCH_PATH


@dataclass(frozen=True, slots=True, kw_only=True)
class Healthcheck:
    """Docker's HEALTHCHECK extension of the image configuration; durations in nanoseconds, 0 where unset."""

    test: tuple[str, ...]
    interval: int = 0
    timeout: int = 0
    start_period: int = 0
    start_interval: int = 0
    retries: int = 0


DEFAULT_SEARCH_PATH = ("/usr/local/sbin", "/usr/local/bin", "/usr/sbin", "/usr/bin", "/sbin", "/bin")


class Selection(StrEnum):
    """How complete the SBOM's list of files is."""

    ALL = "all"
    OWNED = "owned-by-package"
    NONE = "none"


@dataclass(frozen=True, slots=True, kw_only=True)
class Inventory:
    """What the SBOM and, where given, the root filesystem say exists."""

    name: str
    """The SBOM's own name of what was scanned."""
    format: str
    """`syft-json`, `cyclonedx-json`, `cyclonedx-xml` or `spdx-json`; `packages` where archives stand in for an SBOM."""
    schema_version: str = ""
    tool: str = ""
    """`NAME VERSION` of the program that wrote the SBOM."""
    distro: Distro = field(default_factory=Distro)
    image: ImageConfig | None = None
    packages: tuple[Package, ...] = ()
    """Sorted by type, name, version, architecture and first location."""
    files: Mapping[str, File] = field(default_factory=dict)
    """Every name of the root by its real path, bytewise order of paths."""
    owners: Mapping[str, tuple[PackageId, ...]] = field(default_factory=dict)
    """Owning packages by real path, the packages of the distribution first."""
    dependencies: tuple[PackageDependency, ...] = ()
    """Package edges that do not follow from `Package.depends`: given graphs, ecosystems without raw data."""
    selection: Selection = Selection.ALL
    lacks: tuple[str, ...] = ()
    """What the input does not hold, one lowercase sentence each."""
    has_content: bool = False
    """A root filesystem was given, so that the bytes of files can be read."""


class EdgeKind(StrEnum):
    """Why a dependant needs a dependency."""

    ENTRY = "entry"
    EXEC = "exec"
    LOAD = "load"
    DATA = "data"
    CONFIG = "config"
    LINK = "link"
    IMPORT = "import"
    COMPANION = "companion"
    DEPENDS = "depends"
    RULE = "rule"
    STATE = "state"
    CAPABILITY = "capability"


INERT_KINDS = frozenset({EdgeKind.DATA, EdgeKind.CONFIG, EdgeKind.COMPANION, EdgeKind.STATE})
"""A file that only such edges reach is inert: its links, its DT_NEEDED and its configuration count,
its shebang, executables, symbols and literals do not."""


class Strength(StrEnum):
    """Whether the dependant can do without."""

    HARD = "hard"
    OPTIONAL = "optional"


class Edge(msgspec.Struct, frozen=True, kw_only=True):
    """`source` needs `target`; dependant -> dependency."""

    source: Node
    target: Node
    kind: EdgeKind
    strength: Strength = Strength.HARD
    evidence: str = ""
    """What was seen and where, one lowercase phrase: `DT_NEEDED libz.so.1`."""
    rule: str | None = None
    """The id of the rule that made the edge."""
    group: str | None = None
    """For an optional edge: the name under which a user accepts or refuses it (`shell-commands`)."""
    default: bool = True
    """For an optional edge: whether the balanced profile takes it."""

    def __hash__(self) -> int:
        """Of what tells edges apart nearly always: a plan hashes them a hundred thousand times."""
        return hash((self.source, self.target))


class Choice(msgspec.Struct, frozen=True, kw_only=True):
    """`source` needs any one of `options`; left open while closing."""

    source: Node
    options: tuple[Node, ...]
    kind: EdgeKind
    evidence: str = ""


@dataclass(frozen=True, slots=True, kw_only=True, order=True)
class Unknown:
    """Something that a static look can't decide."""

    kind: str
    """`dlopen`, `import`, `command`, `needed`, `path`, `dropped-need`, `evidence`, …"""
    subject: str
    """The node or file where it was seen."""
    detail: str
    """What is not known, one lowercase phrase."""


class Findings(msgspec.Struct, frozen=True, kw_only=True):
    """What one look at one node yields."""

    edges: tuple[Edge, ...] = ()
    choices: tuple[Choice, ...] = ()
    unknowns: tuple[Unknown, ...] = ()
    symbols: frozenset[str] = frozenset()
    """Imported symbols of an ELF file, for rules to match."""
    literals: frozenset[str] = frozenset()
    """Strings of the file that rules may match (path-like and library-like literals)."""


def file_node(path: str) -> Node:
    """The node of a file: its path."""
    return Node(path)


def package_node(package: PackageId) -> Node:
    """The node of a package that is kept whole."""
    return Node(f"package:{package}")


def requires_node(package: PackageId) -> Node:
    """The node of a package that something declares a need of, whether or not it is kept."""
    return Node(f"requires:{package}")


def capability_node(name: str, value: str | None = None) -> Node:
    """The node of a capability, `capability:NAME` or `capability:NAME=VALUE`."""
    return Node(f"capability:{name}" if value is None else f"capability:{name}={value}")


def entry_node(text: str) -> Node:
    """The node of an entry point as the user wrote it."""
    return Node(f"entry:{text}")


def node_kind(node: Node) -> str:
    """`file`, `package`, `requires`, `capability` or `entry`."""
    return "file" if node.startswith("/") else node.partition(":")[0]


def node_name(node: Node) -> str:
    """The node without its kind: a path, a package id, `NAME[=VALUE]`, an entry's text."""
    return node if node.startswith("/") else node.partition(":")[2]
