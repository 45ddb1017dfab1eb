"""What slices are made from: a plan with what each of its packages ships, from memory or from a plan directory."""

from __future__ import annotations

import tarfile
from collections import defaultdict
from typing import TYPE_CHECKING

from pruner.emit.debian.archives import native_architecture
from pruner.emit.debian.slicefile import load_slice_facts, slice_facts
from pruner.emit.packagedb import is_of_database
from pruner.emit.planread import load_plan
from pruner.errors import InputError, printable
from pruner.model import FileType
from pruner.plan.types import Decision
from pruner.slices.needs import active_nodes, entry_files, needs_of
from pruner.slices.owners import Owners
from pruner.slices.types import SliceSource, SourceFile

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Mapping, Sequence
    from pathlib import Path

    from pruner.model import Edge
    from pruner.pipeline import Planned
    from pruner.plan.slicefacts import SliceFacts
    from pruner.plan.types import FilePlan, Plan

_STATE_ARCHIVE = "debian/state.tar"
_SYSTEM = frozenset("bin boot dev etc lib lib32 lib64 libx32 proc root run sbin sys tmp usr var".split())  # noqa: SIM905
"""Directories of `/` that the system's own packages and their scripts fill; Filesystem Hierarchy Standard 3.0, 3.2."""
_HIERARCHY = frozenset({"/home", "/media", "/mnt", "/opt", "/srv"})
"""Directories that every system has for what is not the system's; sections 3.8, 3.11 to 3.13 and 3.17."""
_HISTORY = ("/var/cache/", "/var/log/", "/var/lib/apt/", "/var/lib/dpkg/", "/var/lib/ucf/")
"""What a system wrote down while it was set up: caches and logs (Filesystem Hierarchy Standard 3.0, 5.5 and 5.10), the
databases of dpkg(1), apt(8) and ucf(1). No package's own."""
_NAMED = 5
"""Files that a note names at most."""
_LOCAL = "/usr/local/"
"""Is for what the system's packages do not bring; section 4.9."""


def source_of_planned(planned: Planned, *, complete: Collection[str] = ()) -> SliceSource:
    """The slice source of a plan in memory; `complete` names the packages that are sliced in full.

    Raises `InputError` for a plan without Debian packages, and for one that was made from an SBOM alone.
    """
    _check(planned.plan)
    facts = slice_facts(planned.plan, planned.materials)
    contents = planned.materials.contents
    state = {path: contents[path] for path in facts.state if path in contents}
    return _source(planned.plan, facts, state, complete)


def source_of_directory(directory: Path) -> SliceSource:
    """The slice source of what `pruner plan` wrote to `directory`, the same as `source_of_planned` gives.

    Raises `InputError` as that does, and for a directory that is no plan, or a damaged one.
    """
    plan = load_plan(directory)
    _check(plan)
    return _source(plan, load_slice_facts(directory), _state_contents(directory), ())


def _check(plan: Plan) -> None:
    if not any(package.type == "deb" and package.decision is not Decision.DROP for package in plan.packages):
        kinds = ", ".join(sorted({package.type for package in plan.packages if package.decision is not Decision.DROP}))
        raise InputError(
            f"the plan keeps no Debian package{f', only {kinds}' if kinds else ''}",
            hint="chisel cuts Debian packages alone; a plan of another distribution can't be sliced",
        )
    if plan.mode != "root":
        raise InputError(
            "the plan was made from an SBOM alone, which tells neither what packages ship nor the bytes of state",
            hint="plan again with --root, or --from-packages",
        )


def _state_contents(directory: Path) -> Mapping[str, bytes]:
    """Regular files of `debian/state.tar` by real path; further names of an inode have the content of the first."""
    path = directory / _STATE_ARCHIVE
    found: dict[str, bytes] = {}
    try:
        with tarfile.open(path, mode="r:", encoding="utf-8", errors="surrogateescape") as archive:
            for member in archive:
                name = member.name.removeprefix(".")
                if member.islnk():
                    found[name] = found.get(member.linkname.removeprefix("."), b"")
                elif member.isreg() and (stream := archive.extractfile(member)) is not None:
                    found[name] = stream.read()
    except (OSError, tarfile.TarError) as error:
        raise InputError(f"{path}: can't be read: {error}", hint="plan again") from None
    return found


def _source(plan: Plan, facts: SliceFacts, contents: Mapping[str, bytes], complete: Collection[str]) -> SliceSource:
    kept = {file.path: file for file in plan.files if file.decision is not Decision.DROP and not is_of_database(file)}
    owners = Owners(plan, facts, kept)
    own = [
        path
        for path, file in kept.items()
        if owners.shipped(path) is None and not owners.maker(path) and _is_application(file)
    ]
    # What a package needs of a system is for others to bring, not for its own slices to make up.
    past = [path for path, file in kept.items() if complete and _is_of_system(file, owners)]
    for path in {*own, *past}:
        del kept[path]
    edges = (*plan.edges, *facts.answered)
    active = active_nodes(edges)
    elf, programs = frozenset(facts.elf), frozenset(facts.programs)
    files = {
        path: SourceFile(
            path=path,
            type=file.type,
            mode=file.mode,
            uid=file.uid,
            gid=file.gid,
            bytes=file.bytes,
            target=file.target,
            package=owners.package(path),
            shipped=(shipped := owners.shipped(path)),
            content=contents.get(path) if shipped is None and file.type is FileType.REGULAR else None,
            conffile=owners.is_conffile(path, shipped or path),
            maker=owners.maker(path) if shipped is None else "",
            local=owners.is_local(path),
            executable=path in programs,
            elf=path in elf,
            active=path in active,
            attributes=facts.attributes.get(path, ()),
            device=file.device,
        )
        for path, file in kept.items()
    }
    there = {archive.name for archive in facts.archives if archive.kept} | {file.package for file in files.values()}
    return SliceSource(
        distribution=plan.distro.id,
        version=plan.distro.version_id,
        architecture=native_architecture(plan),
        files=files,
        needs=needs_of(edges, kept, lambda path: _stands_alone(files[path])),
        listed={name: names for name, names in owners.listed.items() if name in there},
        entries=entry_files(edges, kept),
        complete=frozenset(complete),
        concatenations={path: parts for path, parts in facts.concatenations.items() if path in files},
        unknowns=(*_left_out(own), *_local(files.values()), *_unknowns(plan, files, edges)),
    )


def _is_application(file: FilePlan) -> bool:
    """Whether a name that no package brings and no script makes is the user's own rather than the system's state."""
    if file.type is FileType.DIRECTORY and file.path in _HIERARCHY:
        return False
    return file.path.startswith(_LOCAL) or file.path.split("/")[1] not in _SYSTEM


def _is_of_system(file: FilePlan, owners: Owners) -> bool:
    """Whether a file is the state of a system rather than of a package: its history, or made by no script."""
    if file.type is not FileType.REGULAR or owners.shipped(file.path) is not None:
        return False
    if owners.is_local(file.path) or owners.is_of_dropped(file.path):
        return True
    return bool(file.bytes) and file.path.startswith(_HISTORY)


def _left_out(paths: Sequence[str]) -> tuple[str, ...]:
    places = sorted({f"/{path.split('/')[1]}" if not path.startswith(_LOCAL) else _LOCAL[:-1] for path in paths})
    return tuple(
        f"names below {printable(place)} are in no package and made by none: copy them into the cut root"
        for place in places
    )


def _local(files: Iterable[SourceFile]) -> tuple[str, ...]:
    """What slices bring though it may be the user's own, one sentence."""
    paths = [file.path for file in files if file.local]
    if not paths:
        return ()
    more = f" and {len(paths) - _NAMED} more" if len(paths) > _NAMED else ""
    named = ", ".join(paths[:_NAMED])
    return (printable(f"no package brings {named}{more}, and no script is seen to make that: your own?"),)


def _stands_alone(file: SourceFile) -> bool:
    """Whether the file may stand for others: nothing that runs, is loaded, or lies in a slice of its own."""
    return (
        file.type is FileType.REGULAR
        and file.shipped is not None
        and not (file.elf or file.executable or file.conffile)
        and not file.path.startswith("/usr/share/doc/")
    )


def _unknowns(plan: Plan, files: Mapping[str, SourceFile], edges: Iterable[Edge]) -> tuple[str, ...]:
    """What the plan keeps and slices do not bring, one sentence each."""
    made = {file.path for file in plan.files if file.decision is not Decision.DROP and is_of_database(file)}
    readers = sorted({edge.source for edge in edges if edge.target in made and edge.source in files})
    lines = [f"{path} reads the package database, in whose place chisel writes its own manifest" for path in readers]
    others = {package.id: package for package in plan.packages if package.type != "deb"}
    found = {
        file.package
        for file in plan.files
        if file.path in files and file.package in others and file.type is not FileType.DIRECTORY
    }
    foreign = (package for identity, package in others.items() if identity in found)
    lines += sorted(
        f"{one.type} package {one.name} {one.version} is in no Debian archive: its files count as state"
        for one in foreign
    )
    lacking = defaultdict[str, list[str]](list)
    for unknown in plan.unknowns:
        if unknown.kind == "needed" and unknown.subject in files:
            lacking[unknown.detail].append(unknown.subject)
    for detail, subjects in sorted(lacking.items()):
        more = f" and {len(subjects) - 1} more" if len(subjects) > 1 else ""
        lines.append(f"{subjects[0]}{more}: {detail} in these packages, so that a cut lacks it")
    return tuple(map(printable, lines))
