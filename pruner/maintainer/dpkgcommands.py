"""Debian's own commands of maintainer scripts: alternatives, overrides, debconf, ucf, sourced files."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from pruner.maintainer.builtins import BUILTINS
from pruner.maintainer.filecommands import FILE_COMMANDS
from pruner.maintainer.filters import FILTERS
from pruner.maintainer.options import known
from pruner.maintainer.systemd import SYSTEMD_COMMANDS
from pruner.maintainer.users import USER_COMMANDS, group_id, user_id
from pruner.relations.versions import compare

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from pruner.maintainer.disk import Disk
    from pruner.maintainer.machine import Command, Machine, Words
    from pruner.maintainer.statements import Status

_ALTERNATIVES = "/var/lib/dpkg/alternatives"
_LINKS = "/etc/alternatives"


@dataclass(frozen=True, slots=True)
class _Option:
    """One way to fill a group of alternatives, with the paths of its slaves by name."""

    path: str
    priority: int
    slaves: dict[str, str]


def _update_alternatives(machine: Machine, words: Words) -> Status:
    texts = [word for word in known(words[1:]) if word not in {"--quiet", "--force", "--verbose"}]
    if texts[:1] != ["--install"]:
        if texts[:1] and texts[0] in {"--remove", "--remove-all", "--auto", "--query", "--list", "--display"}:
            return None
        raise ValueError("update-alternatives")
    link, name, path, priority = texts[1:5]
    links, slaves = {name: link}, dict[str, str]()
    for at in range(5, len(texts) - 3, 4):
        if texts[at] != "--slave":
            raise ValueError("update-alternatives")
        slave_link, slave, slave_path = texts[at + 1 : at + 4]
        links[slave], slaves[slave] = slave_link, slave_path
    if machine.disk.file(path) is None:
        return False
    known_links, present = _recorded(machine.disk, name)
    links = known_links | links
    present = [option for option in present if option.path != path] + [_Option(path, int(priority), slaves)]
    chosen = max(present, key=lambda option: option.priority)
    for each, target in {name: chosen.path, **chosen.slaves}.items():
        _relink(machine.disk, links[each], f"{_LINKS}/{each}", target)
    _record(machine.disk, name, links, present)
    return True


def _relink(disk: Disk, link: str, middle: str, target: str) -> None:
    if disk.file(target) is None:
        return  # update-alternatives leaves out slaves that are not there: manual pages that were not unpacked
    for path, text in ((middle, target), (link, middle)):
        disk.directory(path.rpartition("/")[0], parents=True)
        if disk.file(path, follow=False) is not None:
            disk.remove(path)
        disk.link(path, text)


def _recorded(disk: Disk, name: str) -> tuple[dict[str, str], list[_Option]]:
    """Links by name and the options of a group from its record (update-alternatives, alternative_load)."""
    lines = (disk.read(f"{_ALTERNATIVES}/{name}") or b"").decode("utf-8", "surrogateescape").split("\n")
    if len(lines) < 3:
        return {}, []
    links, at = {name: lines[1]}, 2
    while lines[at]:
        links[lines[at]] = lines[at + 1]
        at += 2
    at += 1
    slaves = [each for each in links if each != name]
    found = []
    while at + 1 + len(slaves) < len(lines) and lines[at]:
        paths = dict(zip(slaves, lines[at + 2 : at + 2 + len(slaves)], strict=True))
        found.append(_Option(lines[at], int(lines[at + 1]), {each: path for each, path in paths.items() if path}))
        at += 2 + len(slaves)
    return links, found


def _record(disk: Disk, name: str, links: Mapping[str, str], options: Iterable[_Option]) -> None:
    slaves = sorted(each for each in links if each != name)
    lines = ["auto", links[name]]
    for slave in slaves:
        lines += [slave, links[slave]]
    lines.append("")
    for option in sorted(options, key=lambda option: option.path):
        lines += [option.path, str(option.priority), *(option.slaves.get(slave, "") for slave in slaves)]
    disk.directory(_ALTERNATIVES, parents=True)
    disk.write(f"{_ALTERNATIVES}/{name}", "\n".join([*lines, "", ""]).encode("utf-8", "surrogateescape"))


def _statoverride(machine: Machine, words: Words) -> Status:
    texts = known(words[1:])
    if "--list" in texts:
        return False  # nobody has overridden anything in a new root
    operands = [text for text in texts if not text.startswith("--")]
    if "--add" not in texts or "--update" not in texts or len(operands) != 4:
        raise ValueError("dpkg-statoverride")
    user, group, mode, path = operands
    uid, gid = user_id(machine.disk, user), group_id(machine.disk, group)
    machine.disk.change(path, mode=int(mode, 8), uid=uid, gid=gid)
    return True


def _dpkg(machine: Machine, words: Words) -> Status:
    if words[1:2] == ["--print-architecture"]:
        machine.print(machine.value("DPKG_MAINTSCRIPT_ARCH"))
        return True
    if words[1:2] == ["--compare-versions"] and len(words) == 5:
        one, operator, other = known(words[2:])
        return _compared(one, operator, other)
    machine.print(None)
    return None


_OPERATORS = {"lt": "<<", "le": "<=", "eq": "=", "ge": ">=", "gt": ">>", "<": "<=", ">": ">="}


def _compared(one: str, operator: str, other: str) -> bool | None:
    """dpkg(1), --compare-versions: an empty version is earlier than any, with `-nl` later than any."""
    symbol = operator.removesuffix("-nl")
    symbol = _OPERATORS.get(symbol, symbol)
    if one and other:
        order = compare("deb", one, other)
    else:
        order = (bool(one) > bool(other)) - (bool(one) < bool(other))
        order = -order if operator.endswith("-nl") else order
    holds = {"<<": order < 0, "<=": order <= 0, "=": order == 0, ">=": order >= 0, ">>": order > 0}
    return holds.get(symbol)


def _divert(machine: Machine, words: Words) -> Status:
    """A diversion is not carried out but noted; nothing is diverted in a new root, so questions have plain answers."""
    texts = known(words[1:])
    if texts[0] == "--truename":
        machine.print(f"{texts[1]}\n")
    elif not {"--list", "--listpackage", "--remove"} & set(texts):
        machine.note(" ".join(["dpkg-divert", *texts]))
    return True


def _db_get(machine: Machine, words: Words) -> Status:
    """A question's default answer, as debconf gives it where nobody is asked."""
    name = words[1] if len(words) > 1 else None
    answer = None if name is None else machine.templates.get(name)
    machine.assign("RET", answer)
    return answer is not None if name is not None else None


def _ucf(machine: Machine, words: Words) -> Status:
    operands = [word for word in known(words[1:]) if not word.startswith("-")]
    if len(operands) != 2:
        raise ValueError("ucf")
    source, target = operands
    if machine.disk.file(target) is not None:
        return True
    data = machine.disk.read(source)
    return data is not None and machine.disk.write(target, data)


def _source(machine: Machine, words: Words) -> Status:
    path = words[1] if len(words) > 1 else None
    if path is not None and path.endswith("/debconf/confmodule"):
        return True  # its commands are known by name
    data = None if path is None else machine.disk.read(path)
    if data is None:
        raise ValueError("a sourced file is not there")
    return machine.source(data)


DEBIAN_COMMANDS: Mapping[str, Command] = {
    **BUILTINS,
    **FILE_COMMANDS,
    **FILTERS,
    **USER_COMMANDS,
    **SYSTEMD_COMMANDS,
    "update-alternatives": _update_alternatives,
    "dpkg-statoverride": _statoverride,
    "dpkg": _dpkg,
    "dpkg-divert": _divert,
    "db_get": _db_get,
    "ucf": _ucf,
    ".": _source,
    "source": _source,
}
