"""The columns of the before/after table."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from pruner.model import File, FileType
from pruner.plan.types import FilePlan, Totals

if TYPE_CHECKING:
    from collections.abc import Iterable

_COMMANDS = re.compile(r"/(?:usr/)?(?:local/)?s?bin/|/opt/[^/]+/bin/")
_SHELL = re.compile(r"sh|ash|bash|dash|ksh|mksh|zsh|csh|tcsh|fish|rbash|busybox")
_INTERPRETER = re.compile(
    r"(?:python|pypy)[0-9.]*|perl[0-9.]*|ruby[0-9.]*|node(?:js)?|php[0-9.]*|lua[0-9.]*|tclsh[0-9.]*|guile[0-9.-]*"
    r"|[gm]?awk|java|Rscript|erl|beam.smp|pwsh"
)
_PACKAGE_MANAGER = re.compile(
    r"apt|apt-get|dpkg|apk|rpm|yum|dnf|microdnf|zypper|pacman|pip[0-9.]*|npm|yarn|pnpm|gem[0-9.]*|composer|cpan[0-9.]*"
)
"""Which names count is a convention of this table alone: no decision is taken by them."""


def totals_of(files: Iterable[File | FilePlan], packages: int) -> Totals:
    """Count `files`; symbolic links and further hard links of a command do not count as another one."""
    names = bytes_ = setuid = shells = interpreters = managers = 0
    counted: set[str] = set()
    for file in files:
        if file.type is FileType.DIRECTORY:
            continue
        names += 1
        inode = file.hardlink or file.path
        if file.type is not FileType.REGULAR or inode in counted:
            continue
        counted.add(inode)
        bytes_ += file.bytes
        setuid += bool(file.mode & 0o6000)
        if file.mode & 0o111 and _COMMANDS.match(file.path):
            name = file.path.rpartition("/")[2]
            shells += _SHELL.fullmatch(name) is not None
            interpreters += _INTERPRETER.fullmatch(name) is not None
            managers += _PACKAGE_MANAGER.fullmatch(name) is not None
    return Totals(
        packages=packages,
        files=names,
        bytes=bytes_,
        setuid_files=setuid,
        shells=shells,
        interpreters=interpreters,
        package_managers=managers,
    )
