"""`install.sh`: a fixed script behind comments that say what it installs, and the texts beside it."""

from __future__ import annotations

import json
from collections import Counter
from importlib import resources
from typing import TYPE_CHECKING

from pruner.emit.artifact import Artifact
from pruner.emit.guarded import guarded_files
from pruner.errors import printable
from pruner.model import FileType
from pruner.plan.types import Decision

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from pruner.emit.debian.archives import Archive
    from pruner.emit.debian.state import Parts
    from pruner.plan.types import FilePlan

_HEADER = """\
#!/bin/sh
# Installs the planned root from Debian packages of exactly the planned versions. Made by pruner.
#
#   install.sh [--allow-missing] DEST
#
# DEST is empty or does not exist. It needs root, apt with the archive's current lists (apt-get update), dpkg-deb and
# what is essential in Debian. No maintainer script is run. The tree grows in DEST.partial, is compared name by name
# with the plan, and takes its name when it is complete; otherwise nothing is left.
#
# Beside it: packages.txt and lists/ (what to take of which package), tree.tar (directories), state.tar (what no
# package brings), owners.txt, expected.nul and digests.nul (what the result must be), missing.nul.
"""
_MISSING = "Missing, so that install.sh asks for --allow-missing (Dockerfile and mmdebstrap.sh for ALLOW_MISSING=1):"


def install_script(parts: Parts, archives: Sequence[Archive]) -> Artifact:
    """The script with one comment for every name of the state, its reason, and for what it can't install."""
    body = resources.files("pruner.emit.debian").joinpath("install.sh").read_text("ascii")
    return Artifact(path="debian/install.sh", data=("".join(_comments(parts, archives)) + body).encode(), mode=0o755)


def _comments(parts: Parts, archives: Sequence[Archive]) -> Iterator[str]:
    yield _HEADER
    yield f"#\n# {len(archives)} packages bring {len(parts.packaged)} names.\n"
    yield f"# {len(parts.state)} names come with the plan, in state.tar:\n"
    for file in parts.state:
        link = f" -> {_shown(file.target or '')}" if file.type is FileType.SYMLINK else ""
        yield f"#   {_shown(file.path)}{link}: {_origin(file)}; {printable(file.reason)}\n"
    for copy, source in parts.copies:
        yield f"# {_shown(copy.path)} is a copy of {_shown(source)}: the SBOM states the same digest.\n"
    if parts.bundle is not None:
        yield f"# {parts.bundle.path} is joined from {len(parts.authorities)} kept certificates.\n"
    for file, reason in parts.missing:
        yield f"# missing: {_shown(file.path)}: {reason}\n"
    for file in parts.left_out:
        yield f"# left out: {_shown(file.path)}: {left_out_reason(file)}\n"


def left_out_reason(file: FilePlan) -> str:
    """Why no install plan makes `file`."""
    return "whoever listens on it makes it" if file.type is FileType.SOCKET else "the container runtime makes its own"


def _origin(file: FilePlan) -> str:
    if file.decision is Decision.MAKE:
        return "made by the plan"
    return "no package brings it" if file.owner is None else "not as the package brings it"


def _shown(text: str) -> str:
    return printable(json.dumps(text, ensure_ascii=False)[1:-1])


def readme_artifact(parts: Parts, archives: Sequence[Archive]) -> Artifact:
    """`README`: what each file is for, and what this install plan can't do."""
    kinds = Counter("whole" if archive.locked.paths is None else "sliced" for archive in archives)
    unchecked = sum(not archive.locked.checksum for archive in archives)
    guarded = guarded_files(parts.state, parts.directories)
    lines = [
        "Install plans for Debian packages, made by pruner.",
        "",
        "  install.sh            installs into an empty directory with apt and dpkg-deb, as root",
        "  Dockerfile            does that in a stage of a Debian image; docker build DIRECTORY-OF-THIS-FILE",
        "  mmdebstrap.sh         does it below mmdebstrap's own apt, for another suite or mirror than the machine's",
        "  manifest.yaml         for rules_distroless up to 0.8: whole packages, without state",
        "  apt.MODULE.bazel      for rules_distroless from 0.9 on: the same",
        "  packages.lock.json    the packages: versions, checksums, and what of each is kept",
        "  relationships.json    every declared dependency of a kept package: needed at run time, by maintainer",
        "                        scripts alone, or by neither",
        "  slices.json           what `pruner slices` takes: all that each package ships, its scripts, and which state",
        "                        no package brings",
        "",
        f"{len(archives)} packages, {kinds['whole']} of them whole; {len(parts.state)} names in state.tar.",
    ]
    if unchecked:
        lines.append(
            f"For {unchecked} packages no index stated a checksum while planning (--relations Packages.xz): "
            "apt compares those with its signed lists."
        )
    if guarded:
        lines += ["", "state.tar holds files that not everybody may read; guard it like the image:"]
        lines += [f"  {_shown(file.path)}" for file in guarded]
    if parts.bundle is not None:
        lines.append(f"{parts.bundle.path} is joined from the kept certificates while installing.")
    for title, pairs in (
        (_MISSING, parts.missing),
        ("Left out:", tuple((file, left_out_reason(file)) for file in parts.left_out)),
    ):
        if pairs:
            lines += ["", title, *(f"  {_shown(file.path)}: {reason}" for file, reason in pairs)]
    return Artifact(path="debian/README", data=("\n".join(lines) + "\n").encode())
