"""The build context of the emitted Dockerfile: which names are copied, what is added, and the script that does it.

Three kinds of names can't be copied by a process inside a build, because the builder mounts its own over them:
`/dev`, `/proc` and `/sys` (made from the plan; the nodes of /dev are the runtime's, runtime-spec, "Default Devices"),
and `/etc/hosts`, `/etc/hostname` and `/etc/resolv.conf` (copied by the builder from the image itself).
"""

from __future__ import annotations

from importlib import resources
from typing import TYPE_CHECKING

from pruner.bytewise import bytewise
from pruner.emit.artifact import Artifact
from pruner.emit.madefiles import encoded, made_archive
from pruner.model import FileType
from pruner.plan.types import Decision, FilePlan, Plan

if TYPE_CHECKING:
    from collections.abc import Iterable

SCRIPT = "context/prune.sh"
KEPT_LIST = "context/kept.nul"
MOUNTED = ("/dev", "/proc", "/sys")
SUPPLIED = ("/etc/hostname", "/etc/hosts", "/etc/resolv.conf")


def context_artifacts(plan: Plan) -> tuple[Artifact, ...]:
    """The files below `context/`, and a `.dockerignore` that keeps the rest of the plan out of the build."""
    kept = [encoded(f".{file.path}") for file in plan.files if _copied_inside(file)]
    # In order of the tree: GNU tar sets a directory's time when it meets the first name outside of it, and caches
    # (fontconfig's) compare that time.
    kept.sort(key=lambda name: name.replace(b"/", b"\0"))
    script = resources.files("pruner.emit").joinpath("prune.sh").read_bytes()
    return (
        Artifact(path=".dockerignore", data=b"*\n!context\n"),
        Artifact(path=KEPT_LIST, data=b"".join(name + b"\0" for name in kept)),
        Artifact(path=SCRIPT, data=script, mode=0o755),
        made_archive(_made(plan.files)),
    )


def supplied_files(plan: Plan) -> tuple[str, ...]:
    """The kept regular files that a builder mounts its own over, sorted."""
    return tuple(
        file.path
        for file in plan.files
        if file.path in SUPPLIED and file.decision is Decision.KEEP and file.type is FileType.REGULAR
    )


def left_out_files(plan: Plan) -> tuple[str, ...]:
    """Kept names that no build can copy, sorted: sockets, and what is not a directory or link below a mounted place."""
    kept = (file for file in plan.files if file.decision is Decision.KEEP and not _copied_inside(file))
    names = [file.path for file in kept if file.path not in SUPPLIED and not _made_from_plan(file)]
    return tuple(bytewise(names))


def _copied_inside(file: FilePlan) -> bool:
    supplied = file.path in SUPPLIED and file.type is FileType.REGULAR
    # A socket has no content, and no archive carries one: whoever listens on it makes it.
    return (
        file.decision is Decision.KEEP
        and not supplied
        and not _is_mounted(file.path)
        and file.type is not FileType.SOCKET
    )


def _is_mounted(path: str) -> bool:
    """Whether `path` is or lies below a place that builder and runtime mount a file system of their own on."""
    return path in MOUNTED or path.startswith(tuple(f"{place}/" for place in MOUNTED))


def _made(files: Iterable[FilePlan]) -> Iterable[FilePlan]:
    """Made names, and kept directories and links below the mounted places, parents first."""
    chosen = (file for file in files if file.decision is Decision.MAKE or _made_from_plan(file))
    return sorted(chosen, key=lambda file: encoded(file.path))


def _made_from_plan(file: FilePlan) -> bool:
    without_content = file.type in (FileType.DIRECTORY, FileType.SYMLINK)
    return file.decision is Decision.KEEP and _is_mounted(file.path) and without_content
