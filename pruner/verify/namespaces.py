"""Linux namespaces, mounts and capabilities by their system calls, for a process that has no other thread."""

from __future__ import annotations

import ctypes
import fcntl
import os
import socket
import struct
from pathlib import Path

CLONE_NEWNS = 0x00020000  # sched.h
CLONE_NEWUTS = 0x04000000
CLONE_NEWIPC = 0x08000000
CLONE_NEWUSER = 0x10000000
CLONE_NEWPID = 0x20000000
CLONE_NEWNET = 0x40000000
MS_NODEV, MS_REMOUNT, MS_BIND, MS_REC, MS_PRIVATE = 4, 32, 4096, 16384, 1 << 18  # mount(2)
MNT_DETACH = 2  # umount2(2)
PR_SET_PDEATHSIG, PR_CAPBSET_DROP = 1, 24  # prctl(2)
SIOCGIFFLAGS, SIOCSIFFLAGS, IFF_UP = 0x8913, 0x8914, 1  # netdevice(7)

_CONTAINER_CAPABILITIES = frozenset({0, 1, 3, 4, 5, 6, 7, 8, 10, 13, 18, 29, 31})
"""capabilities(7) that container runtimes leave to root (moby, oci/caps/defaults.go), less CAP_MKNOD."""
_LAST_CAPABILITY = 63

_libc = ctypes.CDLL(None, use_errno=True)


def own_namespaces() -> bool:
    """Give this process mount and network namespaces of its own; whether that took a user namespace.

    In a user namespace the process is root, and its own user is the only one that exists. Raises `OSError`.
    """
    uid, gid = os.geteuid(), os.getegid()
    if uid == 0:
        try:
            _call("unshare", CLONE_NEWNS | CLONE_NEWNET)
        except OSError:
            pass
        else:
            _private()
            return False
    _call("unshare", CLONE_NEWUSER | CLONE_NEWNS | CLONE_NEWNET)
    map_user(inner=(0, 0), outer=(uid, gid))
    _private()
    return True


def map_user(*, inner: tuple[int, int], outer: tuple[int, int]) -> None:
    """Map the one (uid, gid) of a fresh user namespace (user_namespaces(7))."""
    Path("/proc/self/setgroups").write_text("deny")
    Path("/proc/self/uid_map").write_text(f"{inner[0]} {outer[0]} 1")
    Path("/proc/self/gid_map").write_text(f"{inner[1]} {outer[1]} 1")


def another_user(uid: int, gid: int) -> None:
    """Become `uid` in a further user namespace in which the present root is the only user."""
    _call("unshare", CLONE_NEWUSER)
    map_user(inner=(uid, gid), outer=(0, 0))


def raise_loopback() -> None:
    """Bring up the interface lo of the present network namespace."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as handle:
        request = bytearray(struct.pack("16sH22x", b"lo", 0))
        fcntl.ioctl(handle, SIOCGIFFLAGS, request)
        flags = struct.unpack_from("H", request, 16)[0]
        struct.pack_into("H", request, 16, flags | IFF_UP)
        fcntl.ioctl(handle, SIOCSIFFLAGS, bytes(request))


def mount(source: str, target: str, kind: str, flags: int = 0, options: str = "") -> None:
    """Attach a filesystem or a directory at `target`. Raises `OSError`."""
    encoded = (os.fsencode(text) if text else None for text in (source, target, kind))
    _call("mount", *encoded, ctypes.c_ulong(flags), os.fsencode(options) if options else None)


def unmount(target: str) -> None:
    """Detach what is mounted on `target`. Raises `OSError`."""
    _call("umount2", os.fsencode(target), MNT_DETACH)


def enter(pid: int, *names: str) -> None:
    """Enter the namespaces of process `pid` by their names in /proc (`mnt`, `pid`, …). Raises `OSError`."""
    handles = [os.open(f"/proc/{pid}/ns/{name}", os.O_RDONLY | os.O_CLOEXEC) for name in names]
    for handle in handles:
        _call("setns", handle, 0)
        os.close(handle)


def die_with_parent() -> None:
    """Let the kernel kill this process when its parent ends."""
    _call("prctl", PR_SET_PDEATHSIG, 9, 0, 0, 0)


def allow_setuid() -> None:
    """Let setuid bits of the present root count, which a bind mount of bubblewrap switches off."""
    mount("", "/", "", MS_REMOUNT | MS_BIND | MS_NODEV)


def limit_capabilities() -> None:
    """Leave to programs that are started later what a container runtime leaves to root."""
    for number in range(_LAST_CAPABILITY + 1):
        if number not in _CONTAINER_CAPABILITIES:
            try:
                _call("prctl", PR_CAPBSET_DROP, number, 0, 0, 0)
            except OSError:
                return  # EINVAL: the kernel knows no capability of this number


def _private() -> None:
    mount("none", "/", "", MS_REC | MS_PRIVATE)


def _call(name: str, *arguments: object) -> None:
    if getattr(_libc, name)(*arguments) != 0:
        number = ctypes.get_errno()
        raise OSError(number, f"{name}: {os.strerror(number).lower()}")
