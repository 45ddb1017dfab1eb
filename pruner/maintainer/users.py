"""Users and groups that maintainer scripts add: adduser(8), useradd(8) and their kin, over the root in memory.

Ids of system users are given from 100 upwards in the order of the packages, as adduser does it (adduser.conf(5)).
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from pruner.maintainer.options import options

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from pruner.maintainer.disk import Disk
    from pruner.maintainer.machine import Command, Machine, Words
    from pruner.maintainer.statements import Status

PASSWD, GROUP = "/etc/passwd", "/etc/group"
_FIRST_SYSTEM, _LAST_SYSTEM = 100, 999
_NOGROUP = 65534
_NOBODY_HOME, _NO_LOGIN = "/nonexistent", "/usr/sbin/nologin"
_NAMELESS = frozenset({"comment", "gecos", "home", "shell", "uid", "gid", "ingroup", "conf", "firstuid", "lastuid"})


def entries(disk: Disk, path: str) -> list[list[str]]:
    """The lines of passwd(5) or group(5) as their fields."""
    text = (disk.read(path) or b"").decode("utf-8", "surrogateescape")
    return [line.split(":") for line in text.split("\n") if line.count(":") >= 3]


def user_id(disk: Disk, name: str) -> int:
    """The number of a user. Raises `ValueError` for one that is not there."""
    return _id(disk, PASSWD, name)


def group_id(disk: Disk, name: str) -> int:
    """The number of a group. Raises `ValueError` for one that is not there."""
    return _id(disk, GROUP, name)


def add_group(disk: Disk, name: str, number: int | None = None) -> int:
    """Add a group unless it is there; its number."""
    present = _find(disk, GROUP, name)
    if present is not None:
        return int(present[2])
    number = _free(disk, GROUP) if number is None else number
    _append(disk, GROUP, (name, "x", str(number), ""))
    return number


def add_user(
    disk: Disk,
    name: str,
    *,
    number: int | None = None,
    group: int | None = None,
    comment: str = "",
    home: str = _NOBODY_HOME,
    shell: str = _NO_LOGIN,
) -> bool:
    """Add a user unless it is there, with a group of its own where `group` is None; whether it was added."""
    if _find(disk, PASSWD, name) is not None:
        return False
    number = _free(disk, PASSWD) if number is None else number
    group = add_group(disk, name) if group is None else group
    _append(disk, PASSWD, (name, "x", str(number), str(group), comment, home, shell))
    return True


def join_group(disk: Disk, user: str, group: str) -> bool:
    """Make a user a member of a group."""
    lines = entries(disk, GROUP)
    found = next((fields for fields in lines if fields[0] == group), None)
    if found is None:
        return False
    members = [member for member in found[3].split(",") if member]
    if user not in members:
        found[3] = ",".join([*members, user])
        disk.write(GROUP, "".join(":".join(fields) + "\n" for fields in lines).encode("utf-8", "surrogateescape"))
    return True


def _find(disk: Disk, path: str, name: str) -> list[str] | None:
    return next((fields for fields in entries(disk, path) if name in {fields[0], fields[2]}), None)


def _id(disk: Disk, path: str, name: str) -> int:
    if name.isascii() and name.isdigit():
        return int(name)
    found = _find(disk, path, name)
    if name == "root" and found is None:
        return 0
    if found is None or not found[2].isdigit():
        raise ValueError(f"{name} is not in {path}")
    return int(found[2])


def _free(disk: Disk, path: str) -> int:
    used = {fields[2] for fields in entries(disk, path)}
    for number in range(_FIRST_SYSTEM, _LAST_SYSTEM + 1):
        if str(number) not in used:
            return number
    raise ValueError("no free system id is left")


def _append(disk: Disk, path: str, fields: Sequence[str]) -> None:
    if any(":" in field or "\n" in field for field in fields):
        raise ValueError(f"{fields[0]} can't stand in {path}")
    before = disk.read(path) or b""
    disk.write(path, before + (":".join(fields) + "\n").encode("utf-8", "surrogateescape"))


# -- commands ---------------------------------------------------------------------------------------------------------


def _long_options(words: Words) -> tuple[dict[str, str], list[str]]:
    """Adduser's options, which may be written with one dash too, and its operands."""
    found: dict[str, str] = {}
    operands: list[str] = []
    waiting: Iterator[str | None] = iter(words[1:])
    for word in waiting:
        if word is None:
            raise ValueError("a word is not known")
        if not word.startswith("-"):
            operands.append(word)
            continue
        name, separator, value = word.lstrip("-").partition("=")
        if name in _NAMELESS and not separator:
            given = next(waiting, None)
            if given is None:
                raise ValueError(f"the value of --{name} is not known")
            value = given
        found[name] = value
    return found, operands


def _adduser(machine: Machine, words: Words) -> Status:
    found, operands = _long_options(words)
    disk = machine.disk
    group_only = (words[0] or "").endswith("addgroup") or ("group" in found and "system" not in found)
    if len(operands) == 2 and not found.keys() & {"system", "group"}:
        return join_group(disk, *operands)
    if len(operands) != 1:
        raise ValueError("adduser")
    (name,) = operands
    if group_only:
        add_group(disk, name, int(found["gid"]) if "gid" in found else None)
        return True
    if "system" not in found:
        raise ValueError("adduser asks for a person's account")
    group: int | None = _NOGROUP
    if "ingroup" in found or "gid" in found:
        group = group_id(disk, found.get("ingroup") or found["gid"])
    elif "group" in found:
        group = None
    number = int(found["uid"]) if "uid" in found else None
    home = found.get("home", _NOBODY_HOME)
    comment = found.get("gecos", found.get("comment", ""))
    added = add_user(
        disk, name, number=number, group=group, comment=comment, home=home, shell=found.get("shell", _NO_LOGIN)
    )
    if added and "no-create-home" not in found and home != _NOBODY_HOME:
        _make_home(disk, name, home)
    return True


def _make_home(disk: Disk, name: str, home: str) -> None:
    found = next(fields for fields in entries(disk, PASSWD) if fields[0] == name)
    if disk.file(home) is None and disk.directory(home, parents=True):
        disk.change(home, uid=int(found[2]), gid=int(found[3]))


def _useradd(machine: Machine, words: Words) -> Status:
    found, operands = options(_shortened(words), "cdgsuGkKbef")
    if len(operands) != 1:
        raise ValueError("useradd")
    (name,) = operands
    disk = machine.disk
    group = group_id(disk, found["g"]) if "g" in found else _NOGROUP if "N" in found else None
    home = found.get("d", f"/home/{name}")
    number = int(found["u"]) if "u" in found else None
    if not add_user(
        disk, name, number=number, group=group, comment=found.get("c", ""), home=home, shell=found.get("s", "/bin/sh")
    ):
        return False
    if "m" in found:
        _make_home(disk, name, home)
    joined = [join_group(disk, name, group) for group in found.get("G", "").split(",") if group]
    return all(joined)


def _groupadd(machine: Machine, words: Words) -> Status:
    found, operands = options(_shortened(words), "gK")
    if len(operands) != 1:
        raise ValueError("groupadd")
    if _find(machine.disk, GROUP, operands[0]) is not None:
        return "f" in found
    add_group(machine.disk, operands[0], int(found["g"]) if "g" in found else None)
    return True


def _usermod(machine: Machine, words: Words) -> Status:
    found, operands = options(_shortened(words), "Gdgsuc")
    if set(found) - {"a", "G"} or "a" not in found or len(operands) != 1:
        raise ValueError("usermod")
    joined = [join_group(machine.disk, operands[0], group) for group in found["G"].split(",")]
    return all(joined)


_SHORT = {
    "--system": "-r", "--gid": "-g", "--uid": "-u", "--home-dir": "-d", "--home": "-d", "--shell": "-s",
    "--comment": "-c", "--create-home": "-m", "--no-create-home": "-M", "--no-user-group": "-N", "--groups": "-G",
    "--append": "-a", "--user-group": "-U", "--force": "-f",
}  # fmt: skip


def _shortened(words: Words) -> list[str | None]:
    short: list[str | None] = []
    for word in words:
        name, separator, value = (word or "").partition("=")
        if word is not None and name in _SHORT:
            short.extend([_SHORT[name], value] if separator else [_SHORT[name]])
        else:
            short.append(word)
    return short


def _getent(machine: Machine, words: Words) -> Status:
    path = {"passwd": PASSWD, "group": GROUP}.get(words[1] or "" if len(words) > 1 else "")
    if path is None or len(words) != 3 or words[2] is None:
        raise ValueError("getent")
    found = _find(machine.disk, path, words[2])
    machine.print("" if found is None else ":".join(found) + "\n")
    return found is not None


def _identity(machine: Machine, words: Words) -> Status:
    found, operands = options(words)
    if not operands:
        machine.print("0\n" if found.keys() & {"u", "g"} else None)
        return True
    user = _find(machine.disk, PASSWD, operands[0])
    machine.print("" if user is None else f"{user[3] if 'g' in found else user[2]}\n")
    return user is not None


def _shadowconfig(machine: Machine, words: Words) -> Status:
    """`shadowconfig on`: passwords move to files that only root and the group shadow read (pwconv(8)).

    The day of the last change stays empty: it would be that of the installation.
    """
    if words[1:2] != ["on"]:
        raise ValueError("shadowconfig")
    disk = machine.disk
    gid = group_id(disk, "shadow")
    for path, shadow, rest in ((PASSWD, "/etc/shadow", ":0:99999:7:::"), (GROUP, "/etc/gshadow", "::")):
        lines = entries(disk, path)
        secrets = "".join(f"{fields[0]}:{'!' if fields[1] == 'x' else fields[1]}:{rest}\n" for fields in lines)
        plain = "".join(":".join([fields[0], "x", *fields[2:]]) + "\n" for fields in lines)
        disk.write(shadow, secrets.encode("utf-8", "surrogateescape"), mode=0o640, gid=gid)
        disk.write(path, plain.encode("utf-8", "surrogateescape"))
    return True


USER_COMMANDS: Mapping[str, Command] = {
    "adduser": _adduser,
    "addgroup": _adduser,
    "useradd": _useradd,
    "groupadd": _groupadd,
    "usermod": _usermod,
    "shadowconfig": _shadowconfig,
    "getent": _getent,
    "id": _identity,
}
