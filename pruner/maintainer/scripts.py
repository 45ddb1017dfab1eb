"""The order in which packages are configured, and what their scripts are given."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from pruner.maintainer.builtins import IDLE, SCRATCH
from pruner.maintainer.certificates import make_keystore, update_certificates
from pruner.maintainer.disk import Disk
from pruner.maintainer.dpkgcommands import DEBIAN_COMMANDS
from pruner.maintainer.knowledge import Knowledge, bundled_commands
from pruner.maintainer.machine import Machine, is_shell
from pruner.model import PackageId as Id
from pruner.model import Unknown, package_node

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence

    from pruner.rootfs import Root
    from pruner.rootfs.packages import PackageArchive

KIND = "maintainer-script"
_FIRST = ("base-passwd", "base-files")
"""Configured before all others, as debootstrap does it: they make the users and directories that others name."""
_RUNS = {
    "deb": (("preinst", ("install", "")), ("postinst", ("configure", ""))),
    "apk": ((".pre-install", ("",)), (".post-install", ("",))),
}
"""Scripts of a first installation and their arguments (Debian Policy 6.5; apk-package(5))."""
_MOST_SHOWN = 12
_PATH = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"
_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9+.-]*")
_FEWEST_USERS = b"root:x:0:0:root:/root:/usr/sbin/nologin\nnobody:x:65534:65534:nobody:/nonexistent:/usr/sbin/nologin\n"
_FEWEST_GROUPS = b"root:x:0:\nnogroup:x:65534:\n"


def run_scripts(root: Root, archives: Sequence[PackageArchive]) -> tuple[Disk, tuple[Unknown, ...]]:
    """The root after every package's scripts, and for each script what it would do besides."""
    disk = Disk(root)
    knowledge = Knowledge(bundled_commands(), IDLE)
    commands = {**DEBIAN_COMMANDS, "update-ca-certificates": update_certificates}
    unknowns: list[Unknown] = []
    ordered = configuration_order(archives)

    def machine_for(archive: PackageArchive, script: str, arguments: Sequence[str]) -> Machine:
        return Machine(
            disk,
            commands,
            knowledge,
            environment=_environment(archive, script),
            arguments=arguments,
            templates=_templates(archive.text("templates")),
        )

    _fewest_users(disk, ordered)
    for number in range(2):
        for archive in ordered:
            script, arguments = _RUNS[archive.ecosystem][number]
            content = archive.control.get(script)
            if not content:
                continue
            disk.reason = f"made by {archive.package}'s {script.lstrip('.')}"
            if not is_shell(content):
                unknowns.append(_unknown(archive, script, ["is no shell script"]))
                continue
            machine = machine_for(archive, script, arguments)
            machine.run(content)
            for path in [path for path in disk.made if path.startswith(SCRATCH)]:
                disk.remove(path, recursive=True)
            if machine.unknowns:
                unknowns.append(_unknown(archive, script, list(machine.unknowns)))
    _make_directories(ordered, machine_for)
    make_keystore(disk)
    return disk, tuple(sorted(unknowns))


def _make_directories(
    archives: Sequence[PackageArchive], machine_for: Callable[[PackageArchive, str, Sequence[str]], Machine]
) -> None:
    """What systemd-tmpfiles(8) makes at boot, which no container does: scripts call it only where systemd is there."""
    for archive in archives:
        for member in archive.members:
            if member.parts[:-1] == ("usr", "lib", "tmpfiles.d") and archive.package != "systemd":
                machine = machine_for(archive, "tmpfiles.d", ())
                machine.disk.reason = f"declared in {archive.package}'s {member.name}"
                machine.call(["systemd-tmpfiles", "--create", member.name])


def configuration_order(archives: Sequence[PackageArchive]) -> list[PackageArchive]:
    """Packages after those that they depend on, else by name; a cycle is entered at its first name."""
    by_name = {archive.package: archive for archive in sorted(archives, key=lambda one: one.package, reverse=True)}
    ordered: dict[str, PackageArchive] = {}
    entered: set[str] = set()
    waiting = [name for name in [*_FIRST, *sorted(by_name)][::-1] if name in by_name]
    while waiting:
        name = waiting[-1]
        if name in entered:
            ordered.setdefault(waiting.pop(), by_name[name])
            continue
        entered.add(name)
        waiting.extend(sorted({other for other in _needs(by_name[name]) if other in by_name} - entered, reverse=True))
    return [*ordered.values(), *(archive for archive in archives if by_name[archive.package] is not archive)]


def _needs(archive: PackageArchive) -> Iterator[str]:
    if archive.ecosystem == "apk":
        return
    for key in ("pre-depends", "depends"):
        for clause in archive.field(key).split(","):
            for alternative in clause.split("|"):
                if (found := _NAME.match(alternative.strip())) is not None:
                    yield found[0]


def _fewest_users(disk: Disk, archives: Sequence[PackageArchive]) -> None:
    """Root and nobody where no package brings the distribution's users."""
    if any(archive.package == "base-passwd" for archive in archives) or disk.file("/etc/passwd") is not None:
        return
    disk.reason = "the two users that every system has; base-passwd, which makes the others, is not among the packages"
    disk.directory("/etc", parents=True)
    disk.write("/etc/passwd", _FEWEST_USERS)
    disk.write("/etc/group", _FEWEST_GROUPS)


def _environment(archive: PackageArchive, script: str) -> dict[str, str]:
    """dpkg(1), ENVIRONMENT, and debconf's for an installation without questions."""
    return {
        "PATH": _PATH,
        "HOME": "/root",
        "DEBIAN_FRONTEND": "noninteractive",
        "DPKG_MAINTSCRIPT_NAME": script.lstrip("."),
        "DPKG_MAINTSCRIPT_PACKAGE": archive.package,
        "DPKG_MAINTSCRIPT_PACKAGE_REFCOUNT": "1",
        "DPKG_MAINTSCRIPT_ARCH": archive.architecture,
    }


def _templates(text: str) -> Mapping[str, str]:
    """Default answers by question (debconf-devel(7), THE TEMPLATES FILE)."""
    answers: dict[str, str] = {}
    name = ""
    for line in text.split("\n"):
        key, _, value = line.partition(":")
        if key == "Template":
            name = value.strip()
        elif key == "Default" and name:
            answers[name] = value.strip()
    return answers


def _unknown(archive: PackageArchive, script: str, texts: Sequence[str]) -> Unknown:
    more = [f"and {len(texts) - _MOST_SHOWN} more"] if len(texts) > _MOST_SHOWN else []
    shown = "; ".join([*texts[:_MOST_SHOWN], *more])
    version = archive.field("pkgver" if archive.ecosystem == "apk" else "version")
    identity = Id(f"{archive.ecosystem}:{archive.package}:{archive.architecture}:{version}")
    return Unknown(
        kind=KIND, subject=package_node(identity), detail=f"its {script.lstrip('.')} was not followed in: {shown}"
    )
