"""From a plan to the files of the plan directory, as values: no disk is written, no clock and no environment read."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pruner.emit.artifact import Artifact
from pruner.emit.context import context_artifacts
from pruner.emit.dockerfile import dockerfile_artifact
from pruner.emit.filelist import filelist_artifacts
from pruner.emit.planfile import plan_artifact
from pruner.emit.report import summary_artifact
from pruner.emit.sbom import sbom_artifact
from pruner.plan.types import Decision

if TYPE_CHECKING:
    from collections.abc import Iterator

    from pruner.plan.materials import Materials
    from pruner.plan.types import Plan

__all__ = ["Artifact", "emit_all"]


def emit_all(
    plan: Plan, *, image: str | None, epoch: int | None = None, materials: Materials | None = None
) -> tuple[Artifact, ...]:
    """Every file of the plan directory, sorted by path; the same plan gives the same bytes.

    With `materials` there are install plans for the packages that are kept, beside what the decisions alone give.

    `image` names the fat image that the Dockerfile builds from. `epoch`, seconds since 1970 (SOURCE_DATE_EPOCH), is the
    time that the SBOM states; without it there is none. Raises what `dockerfile_artifact` raises.
    """
    artifacts = (
        plan_artifact(plan),
        *filelist_artifacts(plan),
        *context_artifacts(plan),
        dockerfile_artifact(plan, image=image),
        sbom_artifact(plan, image=image, epoch=epoch),
        summary_artifact(plan, image=image),
        *(() if materials is None else _install_plans(plan, materials, epoch)),
    )
    return tuple(sorted(artifacts, key=lambda artifact: artifact.path))


def _install_plans(plan: Plan, materials: Materials, epoch: int | None) -> Iterator[Artifact]:
    """The install plans of the ecosystems that packages are kept of; what the others need is not even imported."""
    kept = {package.type for package in plan.packages if package.decision is not Decision.DROP}
    if "deb" in kept:
        from pruner.emit.debian import debian_artifacts

        yield from debian_artifacts(plan, materials, epoch=epoch)
    if "apk" in kept:
        from pruner.emit.alpine import alpine_artifacts

        yield from alpine_artifacts(plan, materials)
    if "rpm" in kept:
        from pruner.emit.rpm import rpm_artifacts

        yield from rpm_artifacts(plan, materials)
