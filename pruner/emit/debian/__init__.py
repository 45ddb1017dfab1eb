"""The Debian install plan, `debian/` in the plan directory: the same root from packages, without an image.

Everything a shell reads is fixed text; names of files are data beside it, NUL-terminated or in tar archives.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from pruner.emit.artifact import Artifact
from pruner.emit.debian.archives import archives_of, lock_of, top_renames
from pruner.emit.debian.builders import bazel_artifacts, dockerfile, mmdebstrap_script
from pruner.emit.debian.copies import copies_of
from pruner.emit.debian.relationships import relationships_artifact
from pruner.emit.debian.script import install_script, readme_artifact
from pruner.emit.debian.slicefile import slices_artifact
from pruner.emit.debian.state import parts_of, state_artifacts
from pruner.emit.packagelock import lock_artifact

if TYPE_CHECKING:
    from pruner.plan.materials import Materials
    from pruner.plan.types import Plan

__all__ = ["debian_artifacts"]


def debian_artifacts(plan: Plan, materials: Materials, *, epoch: int | None = None) -> tuple[Artifact, ...]:
    """Every file below `debian/`; none for a plan that keeps no Debian package.

    `epoch`, seconds since 1970, is the time of what the plan makes. Raises `InputError` for a package that can't be
    asked of an archive, and for an image configuration that no Dockerfile can carry.
    """
    copies = copies_of(plan, materials)
    archives = archives_of(plan, materials, copies.values())
    if not archives:
        return ()
    parts = parts_of(plan, materials, copies)
    renames = ";".join(f"s,^\\(\\./\\)*{alias[1:]}/,.{target}/,S" for alias, target in top_renames(materials.tree))
    return (
        lock_artifact(lock_of(plan, archives), "debian/packages.lock.json"),
        install_script(parts, archives),
        readme_artifact(parts, archives),
        Artifact(path="debian/rename.sed", data=f"{renames}\n".encode()),
        *state_artifacts(parts, archives, materials, epoch or 0),
        dockerfile(plan),
        mmdebstrap_script(plan),
        *bazel_artifacts(plan, archives, materials),
        relationships_artifact(plan, materials),
        slices_artifact(plan, materials),
    )
