"""The Alpine install plan, `alpine/` in the plan directory: the planned root made anew from packages (apk, apko)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pruner.emit.alpine.apko import apko_artifact
from pruner.emit.alpine.files import directory_archive, path_list, state_archive, sum_list
from pruner.emit.alpine.installation import installation, world_lines
from pruner.emit.alpine.script import container_artifact, script_artifact
from pruner.emit.artifact import Artifact
from pruner.emit.packagelock import lock_artifact
from pruner.errors import printable

if TYPE_CHECKING:
    from collections.abc import Iterable

    from pruner.candidate import Lock
    from pruner.plan.materials import Materials
    from pruner.plan.types import Plan

__all__ = ["alpine_artifacts"]

HOME = "alpine"


def alpine_artifacts(plan: Plan, materials: Materials) -> tuple[Artifact, ...]:
    """The files of `alpine/`; none where `plan` keeps no installed apk package.

    Raises what `dockerfile_artifact` raises for a configuration that no Dockerfile can carry.
    """
    parts = installation(plan, materials)
    if parts is None:
        return ()
    texts = {
        "world": world_lines(parts.lock),
        "checksums": _checksum_lines(parts.lock),
        "paths": path_list(parts),
        "files.sha256": sum_list(parts),
    }
    if parts.left_out:
        texts["not-installed.txt"] = _left_out_lines(parts.left_out)
    return (
        *(Artifact(path=f"{HOME}/{name}", data=_text(lines)) for name, lines in texts.items()),
        lock_artifact(parts.lock, f"{HOME}/packages.lock.json"),
        directory_archive(parts, materials, f"{HOME}/directories.tar"),
        state_archive(parts, materials, f"{HOME}/state.tar"),
        script_artifact(parts, materials, f"{HOME}/install.sh"),
        container_artifact(plan, f"{HOME}/Dockerfile"),
        apko_artifact(plan, parts, materials, f"{HOME}/apko.yaml"),
    )


def _checksum_lines(lock: Lock) -> Iterable[str]:
    return sorted(
        f"{package.name} {package.version} {package.checksum}" for package in lock.packages if package.checksum
    )


def _left_out_lines(left_out: Iterable[tuple[str, str]]) -> Iterable[str]:
    yield "# What the planned root holds and install.sh can't make: add it from elsewhere."
    yield from (f"{printable(name)}: {printable(why)}" for name, why in left_out)


def _text(lines: Iterable[str]) -> bytes:
    return "".join(f"{line}\n" for line in lines).encode("utf-8", "surrogateescape")
