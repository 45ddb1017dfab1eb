"""Starts one program inside the namespaces of a sandbox as a container runtime would."""

from __future__ import annotations

import os
import resource
import signal
import stat
from dataclasses import dataclass
from pathlib import Path
from typing import NoReturn

from pruner.model import DEFAULT_SEARCH_PATH
from pruner.verify import namespaces

_LONGEST_ACCOUNTS = 1 << 20


@dataclass(frozen=True, slots=True, kw_only=True)
class Order:
    """A program and the circumstances in which it runs."""

    argv: tuple[str, ...]
    user: str = ""
    """`NAME[:GROUP]` or `UID[:GID]`, looked up in the root's own passwd and group; "" is root."""
    workdir: str = ""
    env: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Started:
    """A started program: process id and the readable ends of its pipes."""

    pid: int
    """Of the process between the caller and the program; the status pipe tells the program's own."""
    out: int
    err: int
    status: int
    """Lines `pid NUMBER`, then `failed TEXT` or `ended WAITSTATUS`."""
    go: int
    """Writable; the program is executed after one byte."""


def launch(order: Order, *, holder: int, mapped: bool) -> Started:
    """Fork a process into the namespaces of `holder`; it waits for one byte on `go` before it executes the program."""
    out, out_end = os.pipe()
    err, err_end = os.pipe()
    status, status_end = os.pipe()
    go_end, go = os.pipe()
    pid = os.fork()
    if pid == 0:
        try:
            namespaces.die_with_parent()
            namespaces.enter(holder, "pid")  # counts for children
            _relay(order, holder, mapped, (out_end, err_end, go_end), status_end)
        except BaseException as error:  # noqa: BLE001 - the child must not return into its parent's code
            _fail(status_end, error)
    for end in (out_end, err_end, status_end, go_end):
        os.close(end)
    return Started(pid=pid, out=out, err=err, status=status, go=go)


def _relay(order: Order, holder: int, mapped: bool, ends: tuple[int, int, int], status: int) -> NoReturn:
    """Fork the program itself and report its process id and end."""
    child = os.fork()
    if child == 0:
        try:
            _become(order, holder, mapped, ends)
        except BaseException as error:  # noqa: BLE001
            _fail(status, error)
    for end in ends:
        os.close(end)
    os.write(status, b"pid %d\n" % child)
    _, ended = os.waitpid(child, 0)
    os.write(status, b"ended %d\n" % ended)
    os._exit(0)


def _become(order: Order, holder: int, mapped: bool, ends: tuple[int, int, int]) -> NoReturn:
    """Turn this process into the program."""
    out, err, go = ends
    os.setsid()
    null = os.open("/dev/null", os.O_RDONLY)
    namespaces.enter(holder, "ipc", "uts", "mnt")
    os.umask(0o022)
    if not mapped:
        namespaces.allow_setuid()
    uid, gid, groups, home = account(order.user)
    workdir = order.workdir or "/"
    Path(workdir).mkdir(mode=0o755, parents=True, exist_ok=True)
    namespaces.limit_capabilities()
    if not mapped:
        os.setgroups(groups)
        os.setresgid(gid, gid, gid)
        os.setresuid(uid, uid, uid)
    elif (uid, gid) != (0, 0):
        namespaces.another_user(uid, gid)
    os.chdir(workdir)
    for source, target in ((null, 0), (out, 1), (err, 2)):
        os.dup2(source, target)
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    for number in (signal.SIGPIPE, signal.SIGXFSZ, signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, signal.SIG_DFL)
    os.read(go, 1)
    os.execvpe(order.argv[0], order.argv, environment(order.env, home))  # noqa: S606 - no shell is wanted


def environment(given: tuple[str, ...], home: str) -> dict[str, str]:
    """The program's environment: what runtimes set, under what the image and the check say (later ones win)."""
    found = {"PATH": ":".join(DEFAULT_SEARCH_PATH), "HOSTNAME": os.uname().nodename, "HOME": home}
    for text in given:
        name, _, value = text.partition("=")
        if name:
            found[name] = value
    return found


def account(user: str) -> tuple[int, int, list[int], str]:
    """Uid, gid, groups and home of `NAME[:GROUP]` or `UID[:GID]` by the present root's passwd and group.

    Names must exist; numbers need not, and then have gid 0 and home `/`, as with container runtimes.
    Raises `LookupError`.
    """
    name, _, group = (user or "0").partition(":")
    uid, gid, home, found = -1, 0, "/", ""
    for fields in _records("/etc/passwd", 7):
        if name in (fields[0], fields[2]) and fields[2].isdecimal() and fields[3].isdecimal():
            found, uid, gid, home = fields[0], int(fields[2]), int(fields[3]), fields[5] or "/"
            break
    else:
        if not name.isdecimal():
            raise LookupError(f"no user {name} in /etc/passwd")
        uid = int(name)
        home = "/root" if uid == 0 else "/"
    groups = [gid]
    for fields in _records("/etc/group", 4):
        if group and group in (fields[0], fields[2]) and fields[2].isdecimal():
            return uid, int(fields[2]), [int(fields[2])], home
        if not group and found and found in fields[3].split(",") and fields[2].isdecimal():
            groups.append(int(fields[2]))
    if group:
        if not group.isdecimal():
            raise LookupError(f"no group {group} in /etc/group")
        return uid, int(group), [int(group)], home
    return uid, gid, groups, home


def _records(path: str, width: int) -> list[list[str]]:
    """The records of a colon-separated database that have at least `width` fields; none where it is missing."""
    try:
        handle = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC)
    except OSError:
        return []
    with os.fdopen(handle, "rb") as stream:
        if not stat.S_ISREG(os.fstat(stream.fileno()).st_mode):
            return []
        lines = stream.read(_LONGEST_ACCOUNTS).decode(errors="surrogateescape").splitlines()
    return [fields for line in lines if len(fields := line.split(":")) >= width]


def _fail(status: int, error: BaseException) -> NoReturn:
    text = (error.strerror if isinstance(error, OSError) else None) or str(error) or type(error).__name__
    os.write(status, b"failed " + text.replace("\n", " ").encode(errors="replace")[:2000] + b"\n")
    os._exit(127)
