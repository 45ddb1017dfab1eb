"""What every container needs whatever runs in it: os-release, mount points, and the image's own directories."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pruner.model import Edge, EdgeKind, File, FileType, entry_node
from pruner.plan import Decision, FilePlan, made_directory

if TYPE_CHECKING:
    from pruner.analyze.view import View

_MOUNT_POINTS = ("/dev", "/proc", "/sys", "/run")
"""Where an OCI runtime mounts (runtime-spec, config-linux.md, default filesystems); kept where the image has them."""

_OS_RELEASE = ("/etc/os-release", "/usr/lib/os-release")
"""os-release(5); scanners name the distribution by it."""


def base_edges(view: View) -> tuple[Edge, ...]:
    """Edges to the files that say what distribution this is."""
    source = entry_node("base")
    edges: list[Edge] = []
    for path in _OS_RELEASE:
        edges.extend(
            view.edges_to(source, path, EdgeKind.STATE, evidence="names the distribution to scanners and programs")
        )
    return tuple(edges)


def base_directories(view: View) -> tuple[FilePlan, ...]:
    """`/tmp` (1777), WORKDIR, VOLUMEs, HOME and the runtime's mount points, with the image's owner and mode."""
    wanted: dict[str, FilePlan] = {}

    def want(path: str, reason: str, mode: int = 0o755) -> None:
        found = view.tree.resolve(path)
        file = view.tree.get(found.path) if found.path is not None else None
        real = file.path if file is not None else _normal(path)
        if real is None or real == "/" or (file is not None and file.type is not FileType.DIRECTORY):
            return
        wanted.setdefault(real, _planned(file, reason) if file else made_directory(real, reason=reason, mode=mode))

    want("/tmp", "programs expect /tmp", 0o1777)  # noqa: S108 -- a directory of the image, not of this machine
    for path in _MOUNT_POINTS:
        if view.tree.get(path) is not None:
            want(path, "mount point of the container runtime")
    if view.tree.get("/var/tmp") is not None:  # noqa: S108 -- likewise
        want("/var/tmp", "programs expect /var/tmp")  # noqa: S108 -- likewise
    image = view.inventory.image
    if image is not None:
        if image.working_dir:
            want(image.working_dir, "the image's WORKDIR")
        for volume in image.volumes:
            want(volume, "a VOLUME of the image")
    home = home_directory(view)
    if home is not None:
        want(home, "HOME of the image's user")
    return tuple(wanted[path] for path in sorted(wanted))


def home_directory(view: View) -> str | None:
    """HOME of the user that the image runs as: its own ENV first, then the image's passwd; None where unknown."""
    image = view.inventory.image
    for entry in image.env if image is not None else ():
        if entry.startswith("HOME=/"):
            return entry.removeprefix("HOME=")
    user = (image.user if image is not None else "").partition(":")[0] or "0"
    content = view.read("/etc/passwd")
    for line in bytes(content or b"").decode("utf-8", "surrogateescape").splitlines():
        fields = line.split(":")
        if len(fields) >= 6 and user in (fields[0], fields[2]):
            return fields[5] if fields[5].startswith("/") and view.tree.get(fields[5]) else None
    return "/root" if user in ("0", "root") and view.tree.get("/root") is not None else None


def _planned(file: File, reason: str) -> FilePlan:
    return FilePlan(
        path=file.path,
        type=file.type,
        mode=file.mode,
        uid=file.uid,
        gid=file.gid,
        bytes=0,
        target=None,
        hardlink=None,
        device=None,
        owner=None,
        package=None,
        decision=Decision.KEEP,
        reason=reason,
        origin=None,
    )


def _normal(path: str) -> str | None:
    """A clean absolute path for a directory to be made; None for one that climbs or is relative."""
    parts = [part for part in path.split("/") if part not in ("", ".")]
    return None if ".." in parts or not path.startswith("/") else "/" + "/".join(parts)
