"""A writable view of a root that leaves the root itself as it is, dressed as a container runtime dresses one."""

from __future__ import annotations

import os
import shutil
import stat
import subprocess
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING

from pruner.errors import printable
from pruner.verify.namespaces import MS_BIND, MS_NODEV, mount, unmount

if TYPE_CHECKING:
    from collections.abc import Sequence

VIEWS = ("overlay", "fuse-overlayfs", "copy")
"""In order of preference."""
HOSTNAME = "pruner"
SUPPLIED = {
    "/etc/hosts": f"127.0.0.1\tlocalhost\n::1\tlocalhost ip6-localhost ip6-loopback\n127.0.0.1\t{HOSTNAME}\n",
    "/etc/resolv.conf": "nameserver 127.0.0.1\noptions timeout:1 attempts:1\n",
    "/etc/hostname": f"{HOSTNAME}\n",
}


def mount_view(lower: Path, home: Path, views: Sequence[str], *, mapped: bool) -> tuple[Path, str, str]:
    """Make a writable view of the directory `lower` under the empty directory `home`.

    `mapped` says that the process is root of a user namespace of one user. Returns the view's directory, which of
    `views` it is, and what it lacks (or ""). Raises `OSError` where none of them works; the process must have a
    mount namespace of its own.
    """
    for name in ("lower", "upper", "work", "merged"):
        (home / name).mkdir()
    merged = home / "merged"
    owner = lower.stat()
    mount(str(lower), str(home / "lower"), "", MS_BIND)  # a fixed name: option strings of overlays have no room for any
    refused: list[str] = []
    for view in views:
        try:
            lacks = _MAKERS[view](home, owner, mapped)
        except OSError as error:
            refused.append(f"{view}: {(error.strerror or str(error)).lower()}")
        else:
            dress(merged)
            return merged, view, lacks
    raise OSError(0, "; ".join(refused))


def dress(merged: Path) -> None:
    """Write the files that a container runtime supplies, with the root's own links resolved inside it."""
    child = os.fork()
    if child == 0:
        try:
            os.chroot(merged)
            os.chdir("/")
            for name, text in SUPPLIED.items():
                path = Path(name)
                path.parent.mkdir(mode=0o755, exist_ok=True)
                with suppress(FileNotFoundError):
                    path.unlink()
                path.write_text(text)
                path.chmod(0o644)
        except OSError:
            os._exit(1)  # a root whose /etc is no directory gets none; its programs say so themselves
        os._exit(0)
    os.waitpid(child, 0)


def _overlay(home: Path, owner: os.stat_result, mapped: bool) -> str:
    # userxattr: trusted.* attributes are out of reach in a user namespace (kernel, filesystems/overlayfs.rst)
    options = f"lowerdir={home}/lower,upperdir={home}/upper,workdir={home}/work" + (",userxattr" if mapped else "")
    _like(home / "upper", owner)
    try:
        mount("overlay", str(home / "merged"), "overlay", MS_NODEV, options)
    except OSError:
        # an upper layer can't lie on another overlay, as in a container: put it into memory
        mount("tmpfs", str(home / "upper"), "tmpfs", 0, "mode=755")
        for name in ("upper", "work"):
            (home / "upper" / name).mkdir()
        _like(home / "upper/upper", owner)
        options = options.replace(f"{home}/upper", f"{home}/upper/upper").replace(f"{home}/work", f"{home}/upper/work")
        try:
            mount("overlay", str(home / "merged"), "overlay", MS_NODEV, options)
        except OSError:
            unmount(str(home / "upper"))
            raise
    return ""


def _fuse(home: Path, owner: os.stat_result, mapped: bool) -> str:
    del mapped
    program = shutil.which("fuse-overlayfs")
    if program is None:
        raise OSError(0, "not installed")
    _like(home / "upper", owner)
    options = f"lowerdir={home}/lower,upperdir={home}/upper,workdir={home}/work"
    done = subprocess.run(  # noqa: S603 - fixed program, paths of our own making
        [program, "-o", options, str(home / "merged")], stdin=subprocess.DEVNULL, capture_output=True, check=False
    )
    if done.returncode != 0:
        raise OSError(0, _last_line(done.stderr) or "failed")
    return ""


def _copy(home: Path, owner: os.stat_result, mapped: bool) -> str:
    lacks = copy_tree(home / "lower", home / "merged", keep_owners=not mapped)
    _like(home / "merged", owner)
    return lacks


def copy_tree(source: Path, target: Path, *, keep_owners: bool) -> str:
    """Copy a tree with everything that this user may read and set; returns what is lacking, or "". Raises `OSError`."""
    preserve = "--preserve=all" if keep_owners else "--preserve=mode,timestamps,links"
    command = ["cp", "-R", "-P", preserve, "--reflink=auto", "--", f"{source}/.", str(target)]
    done = subprocess.run(  # noqa: S603
        command, stdin=subprocess.DEVNULL, capture_output=True, check=False, env={**os.environ, "LC_ALL": "C"}
    )
    if done.returncode == 0:
        return ""
    if not any(target.iterdir()):
        raise OSError(0, _last_line(done.stderr) or "cp failed")
    count = done.stderr.count(b"\ncp: ") + 1
    return f"{count} names could not be copied: devices, and what is closed to this user"


def remove_tree(path: Path) -> None:
    """Remove a tree of one's own in which directories may be closed to their owner."""
    for directory, names, _files, handle in os.fwalk(path, topdown=True, onerror=None):
        del directory
        for name in names:
            if not stat.S_ISLNK(os.stat(name, dir_fd=handle, follow_symlinks=False).st_mode):
                with suppress(OSError):
                    os.chmod(name, 0o700, dir_fd=handle)
    shutil.rmtree(path, ignore_errors=True)


def _like(directory: Path, owner: os.stat_result) -> None:
    """Give a view's top directory the mode and, where that is allowed, the owner of the root's."""
    with suppress(OSError):
        os.chown(directory, owner.st_uid, owner.st_gid)
    directory.chmod(stat.S_IMODE(owner.st_mode))


def _last_line(text: bytes) -> str:
    lines = text.decode(errors="replace").strip().splitlines()
    return printable(lines[-1]) if lines else ""


_MAKERS = {"overlay": _overlay, "fuse-overlayfs": _fuse, "copy": _copy}
