"""`install.sh`, and a Dockerfile that runs it in a plain Alpine image and ends from scratch."""

from __future__ import annotations

import re
from importlib import resources
from typing import TYPE_CHECKING

from pruner.emit.artifact import Artifact
from pruner.emit.dockerfile import configuration_lines
from pruner.emit.guarded import guarded_files
from pruner.errors import printable

if TYPE_CHECKING:
    from collections.abc import Iterator

    from pruner.emit.alpine.installation import Installation
    from pruner.plan.materials import Materials
    from pruner.plan.types import FilePlan, Plan

_RELEASE = re.compile(r"[0-9]+\.[0-9]+(\.[0-9]+)?")
_NEEDS_GNU_TAR = """\
case $(tar --version 2>&1 || :) in
*'GNU tar'*) ;;
*) fail "the state holds extended attributes, which only GNU tar restores: apk add tar" 4 ;;
esac"""

_STAGE = """\
# Made by pruner. The build context is the directory of this file:
#   docker build -f alpine/Dockerfile alpine
# The first stage installs the locked versions from the repositories of its image, and fails when one is gone.
{base}
USER 0:0
COPY . /.pruner/
RUN ["/bin/sh", "/.pruner/install.sh", "/.pruned"]

FROM scratch
COPY --from=packages /.pruned/ /
"""


def script_artifact(parts: Installation, materials: Materials, path: str) -> Artifact:
    """`install.sh` for `parts`, whose comments say of every name of the state why it is there."""
    needs_attributes = any(file.path in materials.attributes for file in parts.state)
    values = {
        "@ARCHITECTURE@": parts.lock.architecture,
        "@ATTRIBUTES@": _NEEDS_GNU_TAR if needs_attributes else "",
        "@XATTRS@": "--xattrs --xattrs-include='*' " if needs_attributes else "",
        "@STATE@": "\n".join(f"# {line}" for line in _state_lines(parts)),
    }
    template = resources.files("pruner.emit.alpine").joinpath("install.sh").read_text("utf-8")
    text = re.sub("|".join(values), lambda found: values[found[0]], template)
    return Artifact(path=path, data=text.encode(), mode=0o755)


def container_artifact(plan: Plan, path: str) -> Artifact:
    """A Dockerfile whose first stage is the Alpine release that the fat root was of, and whose last one is the result.

    Raises what `dockerfile_artifact` raises.
    """
    lines = [_STAGE.format(base=_base(plan)), *(f"{line}\n" for line in configuration_lines(plan.image))]
    return Artifact(path=path, data="".join(lines).encode())


def _state_lines(parts: Installation) -> Iterator[str]:
    if not parts.state:
        yield "There is none."
    for file in parts.state:
        yield printable(f"{_shown(file)}: {file.reason}")
    if guarded_files(parts.state, parts.directories):
        yield "Not everybody may read all of them: guard state.tar like the image."


def _shown(file: FilePlan) -> str:
    return file.path if file.target is None else f"{file.path} -> {file.target}"


def _base(plan: Plan) -> str:
    """`ARG` and `FROM` of the first stage; what has no release number (edge, a derivative) has to be named."""
    if plan.distro.id == "alpine" and _RELEASE.fullmatch(plan.distro.version_id):
        return f"ARG APK_IMAGE=alpine:{plan.distro.version_id}\nFROM ${{APK_IMAGE}} AS packages"
    return (
        "# Which image holds apk, its keys and repositories is not known: docker build --build-arg APK_IMAGE=NAME\n"
        "ARG APK_IMAGE\nFROM ${APK_IMAGE} AS packages"
    )
