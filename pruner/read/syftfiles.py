"""The `files` of a syft-json document as the model's files."""

from __future__ import annotations

from collections import Counter, defaultdict
from dataclasses import dataclass
from typing import TYPE_CHECKING

from msgspec import structs

from pruner.bytewise import bytewise
from pruner.errors import InputError
from pruner.model import File, FileType
from pruner.read.linktext import RewrittenLink, restored
from pruner.read.modes import posix_mode
from pruner.read.paths import absolute_path
from pruner.read.syftwire import Digest, FileEntry, FileMetadata

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

_TYPES = {
    "RegularFile": FileType.REGULAR,
    "HardLink": FileType.REGULAR,
    "Directory": FileType.DIRECTORY,
    "SymbolicLink": FileType.SYMLINK,
    "CharacterDevice": FileType.CHARACTER_DEVICE,
    "BlockDevice": FileType.BLOCK_DEVICE,
    "FIFONode": FileType.FIFO,
    "Socket": FileType.SOCKET,
}
_STANDARD_DIRECTORIES = frozenset(
    "/bin /boot /dev /etc /home /lib /media /mnt /opt /proc /root /run /sbin /srv /sys /tmp /usr /var".split()  # noqa: SIM905
)
"""Filesystem Hierarchy Standard 3.0, sections 3.2 and 6.1."""
_NO_METADATA = FileMetadata(mode=644)
_NO_METADATA_EXECUTABLE = FileMetadata(mode=755)


@dataclass(frozen=True, slots=True, kw_only=True)
class Listing:
    """What the document lists."""

    files: Mapping[str, File]
    """By real path, bytewise order."""
    path_of: Mapping[str, str]
    """Real path by the document's file id."""
    outside: int
    """Names left out because they lie outside the scanned directory."""


def listing_of(entries: Sequence[FileEntry], *, directory: str | None, layers: Sequence[str], name: str) -> Listing:
    """The files of `entries`.

    `directory` is the scanned directory as the user typed it, None for an image; `layers` are the image's layer
    digests, the lowest first: where a path is listed for several (scope all-layers), the highest counts.
    Raises `InputError` naming `name` and the JSON path.
    """
    chosen, path_of, outside = _entries_by_path(entries, directory=directory, layers=layers, name=name)
    files: dict[str, File] = {}
    hardlinks: dict[str, str] = {}
    for path, (index, entry) in chosen.items():
        metadata = _metadata(entry)
        kind = _TYPES.get(metadata.type)
        if kind is None:  # IrregularFile, Unknown: nothing that a root can be told to hold
            continue
        if metadata.type == "HardLink" and metadata.linkDestination:
            hardlinks[path] = absolute_path(metadata.linkDestination, name, "$.files[%d].metadata", index)
        files[path] = _file(path, kind, entry, _mode(metadata, name, index))
    _join_hardlinks(files, hardlinks)
    if directory is not None:
        _restore_link_texts(files, chosen, directory)
    return Listing(files={path: files[path] for path in bytewise(files)}, path_of=path_of, outside=outside)


def _entries_by_path(
    entries: Sequence[FileEntry], *, directory: str | None, layers: Sequence[str], name: str
) -> tuple[dict[str, tuple[int, FileEntry]], dict[str, str], int]:
    # Before 0.78 a directory scan lists its own files without a leading slash, and with one those of the scanning
    # machine that it reached through absolute links.
    slashless = directory is not None and any(entry.location.path[:1] not in {"", "/"} for entry in entries)
    rank = {digest: position for position, digest in enumerate(layers)}
    chosen: dict[str, tuple[int, FileEntry]] = {}
    path_of: dict[str, str] = {}
    outside = 0
    for index, entry in enumerate(entries):
        text = entry.location.path
        if slashless and text.startswith("/"):
            outside += 1
            continue
        path = absolute_path(text, name, "$.files[%d].location.path", index)
        if path == "/":
            continue
        path_of[entry.id] = path
        other = chosen.get(path)
        if other is not None and rank.get(other[1].location.layerID, -1) > rank.get(entry.location.layerID, -1):
            continue
        chosen[path] = (index, entry)
    return chosen, path_of, outside


def _mode(metadata: FileMetadata, name: str, index: int) -> int:
    try:
        return posix_mode(metadata.mode)
    except ValueError:
        raise InputError(
            f"{name}: $.files[{index}].metadata.mode: {metadata.mode} is no file mode",
            hint="its digits must be octal; the document is damaged",
        ) from None


def _metadata(entry: FileEntry) -> FileMetadata:
    return entry.metadata or (_NO_METADATA_EXECUTABLE if entry.executable else _NO_METADATA)


def _file(path: str, kind: FileType, entry: FileEntry, mode: int) -> File:
    metadata, executable = _metadata(entry), entry.executable
    return File(
        path=path,
        type=kind,
        mode=mode,
        uid=metadata.userID,
        gid=metadata.groupID,
        bytes=metadata.size if kind is FileType.REGULAR else 0,
        target=metadata.linkDestination if kind is FileType.SYMLINK else None,
        digest=_preferred(entry.digests) if entry.digests else None,
        libraries=None if executable is None else _libraries(entry),
        executable=executable is not None,
        has_entrypoint=executable is not None and executable.hasEntrypoint,
    )


def _libraries(entry: FileEntry) -> tuple[str, ...] | None:
    """None where the schema knows no imported libraries (before 16.0.5, which is when `hasExports` came)."""
    executable = entry.executable
    if executable is None or (executable.importedLibraries is None and executable.hasExports is None):
        return None
    return tuple(executable.importedLibraries or ())


def _preferred(digests: Sequence[Digest]) -> str | None:
    best = digests[0]
    for digest in digests:
        if digest.algorithm == "sha256":
            best = digest
    return f"{best.algorithm}:{best.value}"


def _join_hardlinks(files: dict[str, File], hardlinks: Mapping[str, str]) -> None:
    """Give every name of an inode the same data; the bytewise first name carries it.

    Image scans up to 1.50 state a further name as `HardLink` with its destination, without size and digest.
    """
    names: defaultdict[str, list[str]] = defaultdict(list)
    for path in hardlinks:
        target, seen = path, {path}
        while target in hardlinks and hardlinks[target] not in seen:
            target = hardlinks[target]
            seen.add(target)
        names[target].append(path)
    for target, others in names.items():
        data = files.get(target)
        if data is None or data.type is not FileType.REGULAR or target in hardlinks:
            continue  # a destination that the document lacks leaves a file of unknown content
        first, *further = bytewise([target, *others])
        files[first] = structs.replace(data, path=first, hardlink=None)
        for path in further:
            files[path] = structs.replace(data, path=path, hardlink=first)


def _restore_link_texts(files: dict[str, File], chosen: Mapping[str, tuple[int, FileEntry]], directory: str) -> None:
    links = []
    for path, file in files.items():
        metadata = chosen[path][1].metadata
        if file.type is FileType.SYMLINK and file.target and metadata is not None:
            links.append(RewrittenLink(path, file.target, metadata.size))
    found = restored(links, files, directory)
    for link, text in zip(links, found.texts, strict=True):
        if text != link.destination:
            files[link.path] = structs.replace(files[link.path], target=text)
    _drop_ancestors(files, found.directory)


def _is_directory(file: File | None) -> bool:
    return file is not None and file.type is FileType.DIRECTORY


def _drop_ancestors(files: dict[str, File], directory: str) -> None:
    """Take out the directories above the scanned one, which are the scanning machine's.

    Syft lists them when a link leads through a linked directory (seen from 1.18.1 to 1.51.0 with a merged-usr root).
    One that something else is listed in is the root's own as well, and so may be a top-level one of the standard.
    """
    ancestor = directory.rpartition("/")[0]
    if ancestor not in files:
        return
    parents = Counter(path.rpartition("/")[0] for path in files)
    while _is_directory(files.get(ancestor)) and not parents[ancestor] and ancestor not in _STANDARD_DIRECTORIES:
        del files[ancestor]
        ancestor = ancestor.rpartition("/")[0]
        parents[ancestor] -= 1
