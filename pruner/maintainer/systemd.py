"""sysusers.d(5) and tmpfiles.d(5): users and directories that packages declare, made by commands in their scripts."""

from __future__ import annotations

import shlex
from typing import TYPE_CHECKING

from pruner.maintainer.options import options
from pruner.maintainer.users import add_group, add_user, group_id, join_group, user_id

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from pruner.maintainer.disk import Disk
    from pruner.maintainer.machine import Command, Machine, Words
    from pruner.maintainer.statements import Status

_HOMES = ("/etc", "/run", "/usr/local/lib", "/usr/lib")


def _lines(machine: Machine, words: Words, kind: str) -> Iterator[list[str]]:
    """The fields of every line in the files that the command names. Raises `ValueError` where one is not there."""
    _, operands = options(words)
    if not operands:
        raise ValueError(f"{words[0]} without a file")
    for name in operands:
        places = (name,) if name.startswith("/") else tuple(f"{home}/{kind}/{name}" for home in _HOMES)
        data = next((data for place in places if (data := machine.disk.read(place)) is not None), None)
        if data is None:
            raise ValueError(f"{name} is not there")
        for line in data.decode("utf-8", "surrogateescape").split("\n"):
            if line.strip() and not line.lstrip().startswith("#"):
                yield shlex.split(line)


def _sysusers(machine: Machine, words: Words) -> Status:
    for line in _lines(machine, words, "sysusers.d"):
        kind, name, number, comment, home, shell = (["" if field == "-" else field for field in line] + [""] * 6)[:6]
        if kind == "g":
            add_group(machine.disk, name, int(number) if number.isdigit() else None)
        elif kind.rstrip("!") == "u":
            _user(machine.disk, name, number, comment=comment, home=home, shell=shell)
        elif kind == "m":
            join_group(machine.disk, name, number)
    return True


def _user(disk: Disk, name: str, number: str, *, comment: str, home: str, shell: str) -> None:
    uid, _, group = number.partition(":")
    add_user(
        disk,
        name,
        number=int(uid) if uid.isdigit() else None,
        group=group_id(disk, group) if group else None,
        comment=comment,
        home=home or "/",
        shell=shell or "/usr/sbin/nologin",
    )


def _tmpfiles(machine: Machine, words: Words) -> Status:
    for line in _lines(machine, words, "tmpfiles.d"):
        kind, path, mode, user, group, _age, argument = (["" if field == "-" else field for field in line] + [""] * 7)[
            :7
        ]
        if "%" in path or not path.startswith("/"):
            machine.note(" ".join(line))
            continue
        uid = user_id(machine.disk, user.lstrip(":")) if user else None
        gid = group_id(machine.disk, group.lstrip(":")) if group else None
        octal = mode.lstrip("~:")
        _make(machine, kind.rstrip("!-=~^$+"), path, argument)
        machine.disk.change(path, mode=int(octal, 8) if octal.isdigit() else None, uid=uid, gid=gid)
    return True


def _make(machine: Machine, kind: str, path: str, argument: str) -> None:
    disk = machine.disk
    if kind in {"d", "D", "v", "q", "Q"}:
        disk.directory(path, parents=True)
    elif kind in {"f", "F"}:
        if disk.file(path) is None:
            disk.write(path, argument.encode("utf-8", "surrogateescape"))
    elif kind == "L":
        if disk.file(path, follow=False) is None:
            disk.link(path, argument)
    elif kind not in {"z", "Z", "x", "X", "r", "R", "e", "a", "A", "h", "H", "t", "T"}:
        machine.note(f"tmpfiles.d: {kind} {path} {argument}")


SYSTEMD_COMMANDS: Mapping[str, Command] = {"systemd-sysusers": _sysusers, "systemd-tmpfiles": _tmpfiles}
