"""The rpm install plan: `rpm/` in the plan directory, which dnf carries out from the distribution's own repositories.

`packages.lock.json` names the exact versions; `install.sh` installs them with `dnf --installroot`, filters by path and
trims the rpm database; `kept.nul` are the names that packages bring, `state.tar` is what none brings; `Dockerfile` does
the same in a stage and ends from scratch.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from pruner.emit.artifact import Artifact
from pruner.emit.dockerfile import configuration_lines
from pruner.emit.guarded import guarded_files
from pruner.emit.packagelock import lock_artifact
from pruner.emit.rpm.lock import rpm_lock
from pruner.emit.rpm.script import install_script
from pruner.emit.rpm.state import kept_names, rpm_files, state_archive

if TYPE_CHECKING:
    from pruner.plan.materials import Materials
    from pruner.plan.types import Plan

__all__ = ["rpm_artifacts"]

_DOCKERFILE = """\
# Made by pruner. Build in the directory of this file, with a base image that has dnf, GNU tar and the repositories of
# the distribution: docker build --build-arg BASE_IMAGE=NAME .
ARG BASE_IMAGE
FROM ${BASE_IMAGE} AS installed
USER 0:0
COPY install.sh kept.nul state.tar /.pruner/
RUN ["/bin/sh", "/.pruner/install.sh", "/.pruned"]

FROM scratch
COPY --from=installed /.pruned/ /
"""


def rpm_artifacts(plan: Plan, materials: Materials) -> tuple[Artifact, ...]:
    """The files below `rpm/`; none where the plan keeps no rpm package.

    Raises `InputError` when a kept package has a name or version that no rpm can have, and what `configuration_lines`
    raises.
    """
    lock = rpm_lock(plan, materials)
    if not lock.packages:
        return ()
    files = rpm_files(plan, materials)
    configuration = "".join(f"{line}\n" for line in configuration_lines(plan.image))
    return (
        lock_artifact(lock, "rpm/packages.lock.json"),
        Artifact(path="rpm/install.sh", data=install_script(plan, lock, files), mode=0o755),
        Artifact(path="rpm/kept.nul", data=kept_names(files.brought)),
        replace(
            state_archive(files.made, materials),
            path="rpm/state.tar",
            mode=0o600 if guarded_files(files.made, (*files.brought, *files.made)) else 0o644,
        ),
        Artifact(path="rpm/Dockerfile", data=(_DOCKERFILE + configuration).encode()),
    )
