"""What no archive brings: directories, state, made files; and what the finished tree must look like.

All of it is data beside `install.sh`, so that no name ever passes through a shell.
"""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass
from typing import TYPE_CHECKING

from pruner.bytewise import bytewise
from pruner.emit.artifact import Artifact
from pruner.emit.debian.copies import EMPTY
from pruner.emit.guarded import guarded_files
from pruner.emit.madefiles import encoded
from pruner.emit.statetar import Member, tar_of
from pruner.model import FileType, Selection
from pruner.plan.types import Decision

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

    from pruner.emit.debian.archives import Archive
    from pruner.plan.materials import Materials
    from pruner.plan.types import FilePlan, Plan

CA_BUNDLE = "/etc/ssl/certs/ca-certificates.crt"
_AUTHORITIES = "/usr/share/ca-certificates/"
_NODES = frozenset({FileType.CHARACTER_DEVICE, FileType.BLOCK_DEVICE})
_LETTERS = {
    FileType.REGULAR: "f",
    FileType.DIRECTORY: "d",
    FileType.SYMLINK: "l",
    FileType.CHARACTER_DEVICE: "c",
    FileType.BLOCK_DEVICE: "b",
    FileType.FIFO: "p",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Parts:
    """The kept and made names of a plan, by where an install takes them from. Each part is in order of the tree."""

    directories: tuple[FilePlan, ...]
    packaged: tuple[FilePlan, ...]
    """From archives."""
    state: tuple[FilePlan, ...]
    """From `state.tar`: what no archive brings, and what differs from what it brings."""
    copies: tuple[tuple[FilePlan, str], ...]
    """Copies of a package's own file, each with the path of that file."""
    authorities: tuple[str, ...]
    """Paths of the kept certificates that the CA bundle is joined from; empty where its bytes are known."""
    bundle: FilePlan | None
    missing: tuple[tuple[FilePlan, str], ...]
    """Regular files whose bytes are not known, and why."""
    left_out: tuple[FilePlan, ...]
    """What no install plan makes: sockets, and the device nodes of `/dev`, which are the runtime's."""


def parts_of(plan: Plan, materials: Materials, sources: Mapping[str, FilePlan]) -> Parts:
    """Where each kept and made name of `plan` comes from; `sources` are those of `copies_of`."""
    there = sorted((file for file in plan.files if file.decision is not Decision.DROP), key=_tree_order)
    authorities = tuple(
        file.path
        for file in sorted(there, key=lambda file: encoded(file.path))
        if file.path.startswith(_AUTHORITIES) and file.path.endswith(".crt") and file.path in materials.shipped
    )
    directories, packaged, state, copies, missing, left_out = [], [], [], [], [], []
    bundle = None
    for file in there:
        if file.type is FileType.DIRECTORY:
            directories.append(file)
        elif file.type is FileType.SOCKET or (file.type in _NODES and file.path.startswith("/dev/")):
            left_out.append(file)
        elif file.decision is Decision.KEEP and file.path in materials.shipped:
            packaged.append(file)
        elif file.type is not FileType.REGULAR or _is_known(file, materials):
            state.append(file)
        elif file.path in sources:
            copies.append((file, sources[file.path].path))
        elif file.path == CA_BUNDLE and authorities:
            bundle = file
        else:
            missing.append((file, materials.unread.get(file.path, "its bytes are not known")))
    return Parts(
        directories=tuple(directories),
        packaged=tuple(packaged),
        state=tuple(state),
        copies=tuple(copies),
        authorities=authorities if bundle is not None else (),
        bundle=bundle,
        missing=tuple(missing),
        left_out=tuple(left_out),
    )


def state_artifacts(parts: Parts, archives: Sequence[Archive], materials: Materials, epoch: int) -> list[Artifact]:
    """The files beside `install.sh` that say what goes where; `epoch` is the time of what has none of its own."""
    secret = bool(guarded_files(parts.state, parts.directories))
    state = tar_of(_members(parts.state, materials, epoch), always_pax=True)
    return [
        Artifact(
            path="debian/tree.tar",
            data=tar_of(_members(parts.directories, materials, epoch), always_pax=True, top=epoch),
        ),
        Artifact(path="debian/state.tar", data=state, mode=0o600 if secret else 0o644),
        Artifact(path="debian/expected.nul", data=_expected(parts)),
        Artifact(path="debian/digests.nul", data=_digests(parts)),
        Artifact(path="debian/conffiles.nul", data=_conffiles(parts, materials)),
        Artifact(path="debian/missing.nul", data=_nul(f".{file.path}" for file, _ in parts.missing)),
        *_owners(parts),
        *_copies(parts, epoch),
        *_bundle(parts, epoch),
        *_lists(archives, {file.path for file in parts.directories}),
    ]


def _conffiles(parts: Parts, materials: Materials) -> bytes:
    """Configuration files of packages that the image may have changed; with a root, changed ones are state."""
    if materials.inventory.has_content:
        return b""
    declared = {
        (package.id, file.shipped or file.path)
        for package in materials.inventory.packages
        for file in package.files
        if file.conffile
    }
    taken = ((file.path, materials.shipped[file.path]) for file in parts.packaged)
    return _nul(f".{path}" for path in bytewise(path for path, of in taken if (of.package, of.name) in declared))


def _is_known(file: FilePlan, materials: Materials) -> bool:
    """Whether the bytes are here. Syft states the size of every file that it lists, and no digest of an empty one."""
    inventory = materials.inventory
    sized = inventory.format == "syft-json" and inventory.selection is Selection.ALL
    empty = file.digest == EMPTY or (sized and file.bytes == 0 and file.digest is None)
    return empty or file.content is not None or file.path in materials.contents


def _tree_order(file: FilePlan) -> bytes:
    return encoded(file.path).replace(b"/", b"\0")


def _nul(names: Iterable[str]) -> bytes:
    return b"".join(encoded(name) + b"\0" for name in names)


def _members(files: Iterable[FilePlan], materials: Materials, epoch: int) -> Iterator[Member]:
    """Of names of one inode the first is the file, with its attributes; what the plan makes has the time `epoch`."""
    written: dict[str, str] = {}
    for file in files:
        if file.decision is Decision.MAKE:
            yield Member(file=file, content=_content(file, materials), modified=epoch)
            continue
        modified = materials.modified.get(file.path, epoch)
        inode = file.hardlink or file.path
        if file.type is not FileType.REGULAR:
            yield Member(file=file, modified=modified)
        elif inode in written:
            yield Member(file=file, modified=modified, link=written[inode])
        else:
            written[inode] = file.path
            attributes = materials.attributes.get(file.path, {})
            yield Member(file=file, content=_content(file, materials), modified=modified, attributes=attributes)


def _content(file: FilePlan, materials: Materials) -> bytes:
    return file.content if file.content is not None else materials.contents.get(file.path, b"")


def _expected(parts: Parts) -> bytes:
    """What `find -printf` says of the finished tree: type, mode, owners, size, name and link text of every name."""
    files = (*parts.directories, *_extracted(parts), *parts.state)
    return _nul(
        f"{_LETTERS[file.type]} {file.mode:o} {file.uid} {file.gid} {_size(file)} .{file.path} -> {file.target or ''}"
        for file in sorted(files, key=lambda file: encoded(file.path))
    )


def _size(file: FilePlan) -> int:
    if file.type is not FileType.REGULAR:
        return 0
    return file.bytes if file.content is None else len(file.content)


def _digests(parts: Parts) -> bytes:
    """What `sha256sum --zero` says of the files from archives, where the SBOM states their digest."""
    stated = ((file, file.digest) for file in _extracted(parts) if file.type is FileType.REGULAR)
    return _nul(
        f"{digest.removeprefix('sha256:').lower()}  .{file.path}"
        for file, digest in stated
        if digest is not None and digest.startswith("sha256:")
    )


def _owners(parts: Parts) -> list[Artifact]:
    """Names from archives by owner, group and mode, which maintainer scripts and dpkg-statoverride(1) may change."""
    groups: defaultdict[tuple[int, int, str], list[str]] = defaultdict(list)
    for file in _extracted(parts):
        mode = "-" if file.type is FileType.SYMLINK else f"{file.mode:o}"
        groups[file.uid, file.gid, mode].append(f".{file.path}")
    lines, lists = [], []
    for number, key in enumerate(sorted(groups), start=1):
        lines.append(f"{number} {' '.join(map(str, key))}\n")
        lists.append(Artifact(path=f"debian/lists/owners-{number}.nul", data=_nul(groups[key])))
    return [Artifact(path="debian/owners.txt", data="".join(lines).encode()), *lists]


def _extracted(parts: Parts) -> tuple[FilePlan, ...]:
    """What comes out of archives: names of theirs, and copies of such."""
    return (*parts.packaged, *(file for file, _ in parts.copies))


def _copies(parts: Parts, epoch: int) -> list[Artifact]:
    if not parts.copies:
        return []
    pairs = _nul(f".{path}" for file, source in parts.copies for path in (source, file.path))
    return [
        Artifact(path="debian/copies.txt", data=f"{epoch}\n".encode()),
        Artifact(path="debian/lists/copies.nul", data=pairs),
        Artifact(path="debian/lists/copied.nul", data=_nul(f".{file.path}" for file, _ in parts.copies)),
    ]


def _bundle(parts: Parts, epoch: int) -> list[Artifact]:
    """How the CA bundle is made where its bytes are not known: as update-ca-certificates(8) joins it."""
    file = parts.bundle
    if file is None:
        return []
    digest = file.digest.removeprefix("sha256:") if file.digest and file.digest.startswith("sha256:") else "-"
    line = f"{file.mode:o} {file.uid} {file.gid} {epoch} {digest}\n"
    names = _nul(f".{path}" for path in parts.authorities)
    return [
        Artifact(path="debian/bundle.txt", data=line.encode()),
        Artifact(path="debian/lists/authorities.nul", data=names),
    ]


def _lists(archives: Sequence[Archive], directories: set[str]) -> list[Artifact]:
    """The packages with their numbers, and for each of these the names to take."""
    made, surplus = [], set[str]()
    lines = []
    for number, archive in enumerate(archives, start=1):
        locked = archive.locked
        if not archive.straight and not archive.moved:
            continue
        checksum = locked.checksum.removeprefix("sha256:") if locked.checksum.startswith("sha256:") else "-"
        lines.append(f"{number} {locked.name} {locked.version} {locked.architecture} {checksum}\n")
        surplus.update(archive.surplus)
        pairs = [text for pair in archive.moved for text in pair]
        lists: Mapping[str, Sequence[str]] = {
            f"{number}.nul": archive.straight,
            f"{number}.moved.nul": [name for name, _ in archive.moved],
            f"{number}.pairs.nul": pairs,
        }
        made += [
            Artifact(path=f"debian/lists/{name}", data=_nul(f".{path}" for path in names))
            for name, names in lists.items()
            if names
        ]
    ends = ((path, end) for path in surplus for end in range(1, len(path)) if path[end] == "/")
    parents = {path[:end] for path, end in ends} - directories
    return [
        Artifact(path="debian/packages.txt", data="".join(lines).encode()),
        *made,
        Artifact(path="debian/lists/surplus.nul", data=_nul(f".{path}" for path in sorted(surplus, key=encoded))),
        Artifact(
            path="debian/lists/surplus-directories.nul",
            data=_nul(f".{path}" for path in sorted(parents, key=encoded, reverse=True)),
        ),
    ]
