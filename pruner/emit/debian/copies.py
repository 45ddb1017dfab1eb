"""State that is a copy of a package's own file: told from the digest, where the SBOM is all there is."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pruner.model import FileType
from pruner.plan.types import Decision

if TYPE_CHECKING:
    from collections.abc import Mapping

    from pruner.plan.materials import Materials
    from pruner.plan.types import FilePlan, Plan

EMPTY = "sha256:e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"
"""The digest of no bytes at all."""


def copies_of(plan: Plan, materials: Materials) -> Mapping[str, FilePlan]:
    """For kept files of unknown content: a file of a kept Debian package, dropped or not, that has the same digest.

    Maintainer scripts install templates that way (`/etc/nsswitch.conf` from `/usr/share/libc-bin`).
    """
    unknown = {
        file.path: file.digest
        for file in plan.files
        if file.path in materials.unread and file.digest is not None and file.digest.startswith("sha256:")
    }
    wanted = set(unknown.values()) - {EMPTY}
    if not wanted:
        return {}
    packages = {
        package.id for package in plan.packages if package.type == "deb" and package.decision is not Decision.DROP
    }
    sources: dict[str, FilePlan] = {}
    for file in plan.files:
        if file.digest not in wanted or file.type is not FileType.REGULAR or file.package not in packages:
            continue
        kept = file.path in materials.shipped
        if (kept or file.decision is Decision.DROP) and (file.digest not in sources or kept):
            sources[file.digest] = file  # one that is kept rather than one to be removed again
    return {path: sources[digest] for path, digest in unknown.items() if digest in sources}
