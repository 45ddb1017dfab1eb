"""The same install for those who build with other tools: a Dockerfile, mmdebstrap, and rules_distroless for Bazel."""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING

from pruner.emit.artifact import Artifact
from pruner.emit.debian.archives import native_architecture
from pruner.emit.dockerfile import configuration_lines

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from pruner.emit.debian.archives import Archive
    from pruner.plan.materials import Materials, PackageSource
    from pruner.plan.types import Plan

_Version = tuple[str, str]
"""Name and version of a package."""

_TAG = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]*")
_SLIM = frozenset({"debian"})
_STAGES = """\
# Installs the planned packages in a stage of a plain image and keeps nothing of it. Made by pruner.
# The build context is the directory of this file; the build needs the package archive.
{base}FROM ${{BASE}} AS install
USER 0:0
COPY . /pruner/
# To go without what README calls missing: --build-arg ALLOW_MISSING=1
ARG ALLOW_MISSING=
RUN ["/bin/sh", "-c", "apt-get update && exec /bin/sh /pruner/install.sh ${{ALLOW_MISSING:+--allow-missing}} /pruned"]

FROM scratch
COPY --from=install /pruned/ /
"""
_MMDEBSTRAP = """\
#!/bin/sh
# Installs the planned root below mmdebstrap's own apt: suite and mirror need not be the machine's. Made by pruner.
#
#   mmdebstrap.sh SUITE OUTPUT.tar [MIRROR…]
#
# To go without what README calls missing: ALLOW_MISSING=1 in the environment.
#
# --variant=custom installs nothing by itself, and the hooks take the planned names out of the planned packages:
# mmdebstrap's own path filters would be one pattern for every name, and apt would add what is declared but not planned.
set -eu
[ $# -ge 2 ] || {{
  printf 'usage: mmdebstrap.sh SUITE OUTPUT.tar [MIRROR...]\\n' >&2
  exit 2
}}
suite=$1
PRUNER_OUTPUT=$(CDPATH='' cd -- "$(dirname -- "$2")" && pwd -P)/$(basename -- "$2")
PRUNER_PLAN=$(CDPATH='' cd -- "$(dirname -- "$0")" && pwd -P)
export PRUNER_OUTPUT PRUNER_PLAN
shift 2
trap 'rm -f -- "$PRUNER_OUTPUT.partial"' EXIT
trap 'exit 129' HUP
trap 'exit 130' INT
trap 'exit 143' TERM
# shellcheck disable=SC2016 # mmdebstrap's shell expands them
mmdebstrap --variant=custom --mode=root --format=null{architectures} --skip=chroot/mount \\
  --customize-hook='APT_CONFIG=$MMDEBSTRAP_APT_CONFIG sh "$PRUNER_PLAN/install.sh" \\
    ${{ALLOW_MISSING:+--allow-missing}} "$1/.pruned"' \\
  --customize-hook='tar -c -f "$PRUNER_OUTPUT.partial" -C "$1/.pruned" --sort=name --numeric-owner \\
    --xattrs --xattrs-include=security.capability .' \\
  "$suite" /dev/null "$@"
mv -f -- "$PRUNER_OUTPUT.partial" "$PRUNER_OUTPUT"
"""


def dockerfile(plan: Plan) -> Artifact:
    """`Dockerfile`: install.sh in a stage of the distribution's plain image, then the image's own configuration.

    Raises `InputError` as `dockerfile_artifact` does.
    """
    name, version = plan.distro.id, plan.distro.version_id
    if name and version and _TAG.fullmatch(name) and _TAG.fullmatch(version):
        base = f"ARG BASE={name}:{version}{'-slim' if name in _SLIM else ''}\n"
    else:
        base = "# The SBOM names no release: docker build --build-arg BASE=IMAGE .\nARG BASE\n"
    lines = "".join(f"{line}\n" for line in configuration_lines(plan.image))
    return Artifact(path="debian/Dockerfile", data=(_STAGES.format(base=base) + lines).encode())


def mmdebstrap_script(plan: Plan) -> Artifact:
    """`mmdebstrap.sh`, which takes a suite and where to write."""
    native = native_architecture(plan)
    text = _MMDEBSTRAP.format(architectures="" if native == "all" else f" --architectures={native}")
    return Artifact(path="debian/mmdebstrap.sh", data=text.encode(), mode=0o755)


def bazel_artifacts(plan: Plan, archives: Sequence[Archive], materials: Materials) -> tuple[Artifact, Artifact]:
    """`manifest.yaml` (rules_distroless to 0.8) and `apt.MODULE.bazel` (from 0.9): whole packages in exact versions.

    Sources are the root's own, whose archive keeps no old versions: a snapshot of it does.
    """
    architecture = native_architecture(plan)
    sources = tuple(source for source in materials.sources if source.components)
    # A package that is there for two architectures stands in either file once.
    locked = tuple(dict.fromkeys((archive.locked.name, archive.locked.version) for archive in archives))
    manifest = "".join(_manifest(locked, sources, architecture))
    module = "".join(_module(locked, sources, architecture))
    return (
        Artifact(path="debian/manifest.yaml", data=manifest.encode()),
        Artifact(path="debian/apt.MODULE.bazel", data=module.encode()),
    )


def _manifest(locked: Sequence[_Version], sources: Sequence[PackageSource], architecture: str) -> Iterator[str]:
    yield "# For apt.install of rules_distroless up to 0.8, with resolve_transitive = False: the list is complete.\n"
    yield "# Whole packages without state; install.sh beside this takes what the plan keeps of them.\n"
    yield "version: 1\n"
    if sources:
        yield "sources:\n"
    else:
        yield "# Where the packages lie was not known while planning: add channel and url (of a snapshot).\n"
        yield "sources: []\n"
    for source in sources:
        yield f"  - channel: {_quoted(' '.join((source.suite, *source.components)))}\n    url: {_quoted(source.uri)}\n"
    yield f"archs: [{_quoted(architecture)}]\npackages:\n"
    for name, version in locked:
        yield f"  - {_quoted(f'{name} (= {version})')}\n"


def _module(locked: Sequence[_Version], sources: Sequence[PackageSource], architecture: str) -> Iterator[str]:
    yield "# For rules_distroless from 0.9 on: include() it, or copy it into MODULE.bazel.\n"
    yield "# Whole packages without state; install.sh beside this takes what the plan keeps of them.\n"
    yield "# The list is complete; release 0.9.3 follows declared dependencies all the same.\n"
    yield 'bazel_dep(name = "rules_distroless", version = "0.9.3")\n\n'
    yield 'apt = use_extension("@rules_distroless//apt:extensions.bzl", "apt")\n'
    if not sources:
        yield "# Where the packages lie was not known while planning: add an apt.sources_list.\n"
    for source in sources:
        yield "apt.sources_list(\n"
        yield f"    architectures = [{_quoted(architecture)}],\n"
        yield f"    components = {json.dumps(list(source.components))},\n"
        yield f"    suites = [{_quoted(source.suite)}],\n"
        yield '    types = ["deb"],\n'
        yield f"    uris = [{_quoted(source.uri)}],\n)\n"
    suites = list(dict.fromkeys(source.suite for source in sources))
    yield 'apt.install(\n    dependency_set = "pruned",\n    include_transitive = False,\n    packages = [\n'
    for name, version in locked:
        yield f"        {_quoted(f'{name}:{architecture} (= {version})')},\n"
    yield f'    ],\n    suites = {json.dumps(suites)},\n)\nuse_repo(apt, "pruned")\n'


def _quoted(text: str) -> str:
    return json.dumps(text)
