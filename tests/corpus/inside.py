"""The part of the sandbox that runs within its namespaces: a script of the standard library only.

    inside.py hold < JSON    makes the mounts and the network, prints a line, stays until stdin ends
    inside.py exec JSON      changes root, user and directory, then becomes the command

Started by `tests.corpus.sandbox`; see there for the fields.
"""

from __future__ import annotations

import fcntl
import json
import os
import signal
import socket
import struct
import subprocess
import sys
from pathlib import Path
from typing import Any

SIOCGIFFLAGS, SIOCSIFFLAGS, IFF_UP = 0x8913, 0x8914, 1  # netdevice(7)
DEVICES = ("null", "zero", "full", "random", "urandom", "tty")
LINKS = {"fd": "/proc/self/fd", "stdin": "fd/0", "stdout": "fd/1", "stderr": "fd/2", "ptmx": "pts/ptmx"}


def hold(setup: dict[str, Any]) -> None:
    """Mount every root of `setup`, raise the loopback interface, and be process 1 until stdin ends."""
    socket.sethostname(setup["hostname"])
    _raise_loopback()
    for root in setup["roots"]:
        _mount_root(root, setup["supplied"], setup["volume"])
    signal.signal(signal.SIGCHLD, signal.SIG_IGN)  # process 1 inherits orphans and must reap them
    print("ready", flush=True)
    sys.stdin.read()


def _raise_loopback() -> None:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as control:
        request = struct.pack("16sH14x", b"lo", 0)
        flags = struct.unpack("16sH14x", fcntl.ioctl(control, SIOCGIFFLAGS, request))[1]
        fcntl.ioctl(control, SIOCSIFFLAGS, struct.pack("16sH14x", b"lo", flags | IFF_UP))


def _mount_root(root: dict[str, str], supplied: str, volume: str) -> None:
    merged = Path(root["merged"])
    options = f"lowerdir={root['lower']},upperdir={root['upper']},workdir={root['work']}"
    _mount("-t", "overlay", "overlay", "-o", options, str(merged))
    _place(merged, "proc", directory=True)
    _mount("-t", "proc", "proc", str(merged / "proc"))
    _device_directory(merged)
    for name in ("hosts", "resolv.conf", "hostname"):
        _mount("--bind", f"{supplied}/{name}", str(_place(merged, f"etc/{name}", directory=False)))
    _mount("--bind", volume, str(_place(merged, "volume", directory=True)))


def _device_directory(merged: Path) -> None:
    dev = _place(merged, "dev", directory=True)
    _mount("-t", "tmpfs", "tmpfs", "-o", "mode=755,nosuid", str(dev))
    for name in DEVICES:
        host = Path(f"/dev/{name}").stat()
        os.mknod(dev / name, 0o20666, host.st_rdev)
        (dev / name).chmod(0o666)
    for name, target in LINKS.items():
        (dev / name).symlink_to(target)
    for name, kind, options in (("shm", "tmpfs", "mode=1777"), ("pts", "devpts", "newinstance,ptmxmode=0666,mode=620")):
        (dev / name).mkdir()
        _mount("-t", kind, kind, "-o", options, str(dev / name))


def _place(merged: Path, name: str, *, directory: bool) -> Path:
    """A mount point in the root, made when the root lacks it, as container runtimes do."""
    place = merged / name
    (place if directory else place.parent).mkdir(parents=True, exist_ok=True)
    if not directory and not place.exists():
        place.touch()
    return place


def _mount(*arguments: str) -> None:
    subprocess.run(["mount", *arguments], check=True, stdin=subprocess.DEVNULL)


def execute(order: dict[str, Any]) -> None:
    """Replace this process by `order["argv"]` in the root, as the given user, in the given directory."""
    os.chroot(order["root"])
    os.chdir(order["cwd"])
    os.setgroups(order["groups"])
    os.setgid(order["gid"])
    os.setuid(order["uid"])
    os.umask(0o022)
    for number in (signal.SIGPIPE, signal.SIGXFSZ):
        signal.signal(number, signal.SIG_DFL)  # python ignores them, and programs inherit that
    try:
        os.execvpe(order["argv"][0], order["argv"], order["env"])
    except OSError as error:
        # the numbers that a shell gives: 127 not found (the loader included), 126 anything else
        print(f"{order['argv'][0]}: {error.strerror}", file=sys.stderr, flush=True)
        os._exit(127 if isinstance(error, FileNotFoundError) else 126)


if __name__ == "__main__":
    if sys.argv[1] == "hold":
        hold(json.loads(sys.stdin.readline()))
    else:
        execute(json.loads(sys.argv[2]))
