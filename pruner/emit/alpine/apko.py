"""`apko.yaml` (apko, pkg/build/types: unknown keys are errors): an image of the locked packages, whole.

apko installs packages whole with all that they declare, runs no scripts, and has no file contents of its own; what of
the plan that leaves out is said in comments, in front.
"""

from __future__ import annotations

import posixpath
import re
import shlex
from typing import TYPE_CHECKING, Any

from pruner.emit.alpine.installation import content_of, world_lines
from pruner.emit.artifact import Artifact
from pruner.errors import printable
from pruner.model import FileType
from pruner.plan.types import Decision

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from pruner.emit.alpine.installation import Installation
    from pruner.model import ImageConfig
    from pruner.plan.materials import Materials
    from pruner.plan.types import FilePlan, Plan

_HEADER = """\
# Made by pruner, for apko, which installs packages whole, with everything that they declare, and runs no scripts.
# Repositories and keys are the builder's; the lock then holds their addresses and checksums:
#   apko lock -r REPOSITORY -k KEY.rsa.pub --output apko.lock.json apko.yaml
#   apko build -r REPOSITORY -k KEY.rsa.pub --lockfile apko.lock.json apko.yaml NAME:TAG image.tar
"""
_ARCHITECTURES = frozenset({
    "x86", "x86_64", "aarch64", "armhf", "armv7", "ppc64le", "s390x", "riscv64", "loongarch64",
})  # fmt: skip
_PASSWD, _GROUP = "/etc/passwd", "/etc/group"
_ACCOUNTS = frozenset({_PASSWD, _GROUP, "/etc/shadow"})
_FIELDS = {_PASSWD: 7, _GROUP: 4}
_VARIABLE = re.compile(r"[A-Za-z_][A-Za-z0-9_.-]*")
_SIGNAL = re.compile(r"[A-Z0-9+-]+")
_MADE_USERS, _MADE_GROUPS = range(100, 65533), range(101, 65533)
"""Numbers that scripts and people give (busybox: adduser -S, addgroup -S); the others are alpine-baselayout-data's."""
_MOST_LINKS = 40
"""As Linux follows (path_resolution(7))."""


def apko_artifact(plan: Plan, parts: Installation, materials: Materials, path: str) -> Artifact:
    """`apko.yaml` of `plan`. What it can't say is in its comments, each with the reason."""
    import yaml

    users, groups = _accounts(plan, parts, materials)
    document: dict[str, Any] = {
        "contents": {"packages": list(world_lines(parts.lock))},
        **_settings(plan.image),
        **_named("accounts", {**_run_as(plan.image, users), **_named("users", users), **_named("groups", groups)}),
        **_named("archs", [name for name in (parts.lock.architecture,) if name in _ARCHITECTURES]),
        **_named("paths", list(_paths(parts))),
    }
    notes = "".join(f"# {printable(line)}\n" for line in _notes(plan, parts))
    text = yaml.safe_dump(document, sort_keys=False, allow_unicode=False, width=120)
    return Artifact(path=path, data=f"{_HEADER}{notes}{text}".encode())


def _named(key: str, value: Any) -> dict[str, Any]:
    return {key: value} if value else {}


def _settings(image: ImageConfig | None) -> dict[str, Any]:
    """The keys that carry the image's configuration; apko splits words as a shell does."""
    if image is None:
        return {}
    settings: dict[str, Any] = {}
    if image.entrypoint:
        settings["entrypoint"] = {"command": shlex.join(image.entrypoint)}
    if image.cmd:
        settings["cmd"] = shlex.join(image.cmd)
    if _SIGNAL.fullmatch(image.stop_signal):
        settings["stop-signal"] = image.stop_signal
    if image.working_dir and _is_text(image.working_dir):
        settings["work-dir"] = image.working_dir
    if variables := dict(_variables(image.env)):
        settings["environment"] = variables
    if volumes := [volume for volume in image.volumes if _is_text(volume)]:
        settings["volumes"] = volumes
    if labels := {name: value for name, value in image.labels if _is_label(name, value)}:
        settings["annotations"] = labels
    return settings


def _variables(env: Iterable[str]) -> Iterator[tuple[str, str]]:
    for entry in filter(_is_variable, env):
        name, _, value = entry.partition("=")
        yield name, value


def _is_variable(entry: str) -> bool:
    name, separator, value = entry.partition("=")
    return bool(separator) and _VARIABLE.fullmatch(name) is not None and _is_text(value)


def _is_label(name: str, value: str) -> bool:
    return bool(name) and _is_text(name + value)


def _accounts(
    plan: Plan, parts: Installation, materials: Materials
) -> tuple[list[dict[str, Any]], list[dict[str, Any]]]:
    """The users and groups that packages' scripts made, as far as something planned belongs to or runs as them."""
    owners = {file.uid for file in (*parts.shipped, *parts.directories, *parts.state)}
    user = "" if plan.image is None else plan.image.user.partition(":")[0]
    users = [
        {"username": fields[0], "uid": int(fields[2]), "gid": int(fields[3]), "shell": fields[6], "homedir": fields[5]}
        for fields in _records(_PASSWD, _MADE_USERS, parts, materials)
        if fields[3].isdecimal() and (int(fields[2]) in owners or user in (fields[0], fields[2]))
    ]
    wanted = {account["gid"] for account in users}
    wanted |= {file.gid for file in (*parts.shipped, *parts.directories, *parts.state)}
    groups = [
        {
            "groupname": fields[0],
            "gid": int(fields[2]),
            **_named("members", [name for name in fields[3].split(",") if name]),
        }
        for fields in _records(_GROUP, _MADE_GROUPS, parts, materials)
        if int(fields[2]) in wanted
    ]
    return users, groups


def _records(path: str, numbers: range, parts: Installation, materials: Materials) -> Iterator[list[str]]:
    """The records of a passwd(5) or group(5) that is not as its package brought it, without the distribution's own."""
    file = next((file for file in parts.state if file.path == path and file.type is FileType.REGULAR), None)
    lines = [] if file is None else content_of(file, materials).decode("utf-8", "replace").splitlines()
    for fields in (line.split(":") for line in lines):
        if len(fields) == _FIELDS[path] and fields[0] and fields[2].isdecimal() and int(fields[2]) in numbers:
            yield fields


def _run_as(image: ImageConfig | None, users: Sequence[dict[str, Any]]) -> dict[str, str]:
    if image is None or not image.user or not _is_text(image.user):
        return {}
    name, _, group = image.user.partition(":")
    numbers = {account["username"]: str(account["uid"]) for account in users}
    return {"run-as": f"{numbers.get(name, name)}:{group}" if group else numbers.get(name, name)}


def _is_own(file: FilePlan) -> bool:
    """A directory that no package brings, or not with these owners."""
    return file.decision is Decision.MAKE or file.package is None or bool(file.uid or file.gid)


def _paths(parts: Installation) -> Iterator[dict[str, Any]]:
    for file in parts.directories:
        if _is_own(file) and _is_text(file.path):
            yield {"path": file.path, "type": "directory", "permissions": file.mode, "uid": file.uid, "gid": file.gid}
    modes = _modes_behind(parts)
    for file in parts.state:
        if file.path in modes and not _is_applet(file):
            yield {"path": file.path, "type": "symlink", "source": file.target, "permissions": modes[file.path]}


def _modes_behind(parts: Installation) -> dict[str, int]:
    """For every link of the state that leads to something of the image: the mode of what it leads to.

    apko sets the permissions of a link on what is behind it (pkg/build/paths.go), and to none where none are given.
    """
    there = {file.path: file for file in (*parts.shipped, *parts.directories, *_own_links(parts))}
    modes = {}
    for file in _own_links(parts):
        found: FilePlan | None = file
        for _ in range(_MOST_LINKS):
            if found is None or found.target is None:
                break
            found = there.get(posixpath.normpath(posixpath.join(posixpath.dirname(found.path), found.target)))
        if found is not None and found.target is None:
            modes[file.path] = found.mode
    return modes


def _own_links(parts: Installation) -> Iterator[FilePlan]:
    """Links of the state in whose place no package puts anything: apko refuses to replace."""
    for file in parts.state:
        if file.target is not None and file.package is None and _is_text(file.path + file.target):
            yield file


def _is_applet(file: FilePlan) -> bool:
    return file.target == "/bin/busybox"


def _notes(plan: Plan, parts: Installation) -> Iterator[str]:
    sliced = sum(package.paths is not None for package in parts.lock.packages)
    if sliced:
        yield f"whole here, in part in the plan: {sliced} of {len(parts.lock.packages)} packages"
    if plan.image is None:
        yield "not known: entrypoint, cmd, environment and the like; the SBOM holds no image configuration"
    else:
        image = plan.image
        said = (("healthcheck", image.healthcheck), ("exposed ports", image.exposed_ports), ("shell", image.shell))
        yield from (f"left out: {name}: apko has no key for it" for name, value in said if value)
        yield from (f"left out: {what}: it is no plain text" for what in _odd_settings(image))
    if links := sum(map(_is_applet, parts.state)):
        yield f"made by apko itself: {links} links to busybox"
    yield from (
        f"left out: {file.path}: its name is no plain text"
        for file in parts.directories
        if _is_own(file) and not _is_text(file.path)
    )
    modes = _modes_behind(parts)
    for file in parts.state:
        if file.decision is not Decision.MAKE and file.path not in modes and not _is_applet(file):
            how = "here as accounts, in part" if file.path in _ACCOUNTS else "left out"
            yield f"{how}: {file.path}: no package holds it so; {file.reason}"
    yield from (f"left out: {name}: {why}" for name, why in parts.left_out)


def _odd_settings(image: ImageConfig) -> Iterator[str]:
    """What of the configuration `_settings` and `_run_as` pass over."""
    yield from (f"variable {entry.partition('=')[0]}" for entry in image.env if not _is_variable(entry))
    yield from (f"label {name}" for name, value in image.labels if not _is_label(name, value))
    yield from (f"volume {volume}" for volume in image.volumes if not _is_text(volume))
    stated = (("working directory", image.working_dir), ("user", image.user))
    yield from (f"{what} {text}" for what, text in stated if not _is_text(text))
    if image.stop_signal and not _SIGNAL.fullmatch(image.stop_signal):
        yield f"stop signal {image.stop_signal}"


def _is_text(text: str) -> bool:
    return text.isprintable()
