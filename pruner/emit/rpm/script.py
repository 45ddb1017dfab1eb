"""`install.sh`: what this plan asks for, and the part that all plans share (`install.sh` beside this module)."""

from __future__ import annotations

import json
import re
from importlib import resources
from typing import TYPE_CHECKING

from pruner.emit.guarded import guarded_files
from pruner.emit.rpm.lock import label
from pruner.errors import printable
from pruner.model import FileType

if TYPE_CHECKING:
    from collections.abc import Iterator

    from pruner.candidate import Lock
    from pruner.emit.rpm.state import RpmFiles
    from pruner.plan.types import Plan

_HEAD = """\
#!/bin/sh
# Installs the packages of a plan of pruner into an empty directory, in exactly the planned versions, and keeps of them
# exactly the planned names. Scriptlets are not run.
#
#   install.sh DESTINATION [OPTION OF DNF]...
#
# It needs root, dnf, rpm and GNU tar, and the repositories that dnf knows or that the options name
# (--repofrompath, --repo, --forcearch, ...). kept.nul and state.tar lie beside it.
#
# The rpm database of the result lists the planned packages and no others. It names a sliced package's files that are
# not there, too: rpm can't leave out some of them. Scanners report the packages that it lists.
"""
_RELEASE = re.compile(r"[A-Za-z0-9._-]*")
"""What os-release(5) lets VERSION_ID be; for anything else dnf is left to find the release itself."""
_DEFAULT_DATABASE = "/var/lib/rpm"
_DATABASES = ("/usr/lib/sysimage/rpm", "/usr/share/rpm", _DEFAULT_DATABASE)
"""Where distributions have it: Fedora since 36 and SUSE, ostree, and all others."""


def install_script(plan: Plan, lock: Lock, files: RpmFiles) -> bytes:
    """The script of `plan`. Every name that it holds is quoted or part of a comment with no line break in it."""
    body = resources.files("pruner.emit.rpm").joinpath("install.sh").read_text()
    return "".join([_HEAD, *_state(files), *_settings(plan, lock, files), "\n", body]).encode()


def _state(files: RpmFiles) -> Iterator[str]:
    made = [file for file in files.made if file.type is not FileType.DIRECTORY]
    if made:
        yield "#\n# These come from state.tar: no package brings them, or the image has them otherwise:\n"
        yield from (f"#   {_shown(file.path)}: {printable(file.reason)}\n" for file in made)
    if guarded_files(made, (*files.brought, *files.made)):
        yield "# Not everybody may read all of them: guard state.tar like the image.\n"
    if files.unknown:
        yield "#\n# The plan keeps these too, and they are NOT MADE. Supply them where they are needed:\n"
        yield from (f"#   {_shown(path)}: {reason}\n" for path, reason in files.unknown.items())
    if files.altered:
        yield "#\n# The image has these otherwise, and they are INSTALLED AS THEIR PACKAGES BRING THEM:\n"
        yield from (f"#   {_shown(path)}: {difference}\n" for path, difference in files.altered.items())


def _settings(plan: Plan, lock: Lock, files: RpmFiles) -> Iterator[str]:
    yield "\nset -eu\n"
    yield f"release={plan.distro.version_id if _RELEASE.fullmatch(plan.distro.version_id) else ''}\n"
    yield f"database={_database(plan)}\n"
    yield f"unmade={len(files.unknown)}\n"
    yield f"altered={len(files.altered)}\n\n"
    yield "planned() {\n  cat <<'END'\n"
    yield from (f"{label(package)}\n" for package in lock.packages)
    yield "END\n}\n"


def _database(plan: Plan) -> str:
    """The directory of the database in the fat root, as far as a file of it is in the plan."""
    places = (f"{place}/" for place in _DATABASES)
    found = [place for place in places if any(file.path.startswith(place) for file in plan.files)]
    return found[0].rstrip("/") if found else _DEFAULT_DATABASE


def _shown(path: str) -> str:
    return printable(json.dumps(path, ensure_ascii=False))
