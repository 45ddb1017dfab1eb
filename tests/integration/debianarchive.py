"""Apt of its own for tests: lists, cache and sources that are not the machine's; and trees as comparable values."""

from __future__ import annotations

import hashlib
import os
import stat
import subprocess
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from tests.corpus.roots import FatRoot, fat_root, forget

if TYPE_CHECKING:
    from tests.corpus.model import App

STAGE = {"LC_ALL": "C.UTF-8", "PATH": "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"}


@dataclass(frozen=True)
class Apt:
    """An apt that knows one sources.list; `home` holds its lists and its configuration."""

    home: Path

    @property
    def environment(self) -> dict[str, str]:
        """What a process needs to use it, in place of the machine's."""
        proxies = {name: value for name, value in os.environ.items() if name.lower().endswith("_proxy")}
        return {**STAGE, **proxies, "APT_CONFIG": str(self.home / "apt.conf")}

    def install(self, plan: Path, destination: Path, *options: str, **more: str) -> subprocess.CompletedProcess[str]:
        """Run the plan's install.sh."""
        return subprocess.run(
            ["sh", str(plan / "debian" / "install.sh"), *options, str(destination)],
            env={**self.environment, **more},
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            errors="surrogateescape",
            check=False,
        )

    def has_all(self, root: Path) -> bool:
        """Whether every package that is installed in `root` is still to be had in its version."""
        query = ["dpkg-query", "--admindir", str(root / "var/lib/dpkg"), "--show"]
        shown = subprocess.run(
            [*query, "--showformat=${db:Status-Abbrev} ${Package}:${Architecture}=${Version}\\n"],
            capture_output=True,
            text=True,
            check=True,
        ).stdout
        wanted = [line.split()[1] for line in shown.splitlines() if line.startswith("ii ")]
        found = subprocess.run(
            ["apt-get", "--print-uris", "download", *wanted], env=self.environment, capture_output=True, check=False
        )
        return found.returncode == 0


def current_root(app: App, apt: Apt) -> FatRoot:
    """The fat root of `app`, built anew where the archive no longer has what the cached one was made of."""
    if not apt.has_all(fat_root(app).root):
        forget(app)
    return fat_root(app)


def apt_with(sources: str, home: Path) -> Apt:
    """An apt with `sources`, its lists fetched now."""
    for name in ("lists/partial", "cache/archives/partial"):
        (home / name).mkdir(parents=True, exist_ok=True)
    (home / "sources.list").write_text(sources)
    (home / "status").touch()
    settings = {
        "Dir::Etc::sourcelist": home / "sources.list",
        "Dir::Etc::sourceparts": "-",
        "Dir::State": home,
        "Dir::State::lists": home / "lists",
        "Dir::State::status": home / "status",
        "Dir::Cache": home / "cache",
        "APT::Sandbox::User": "root",
    }
    (home / "apt.conf").write_text("".join(f'{name} "{value}";\n' for name, value in settings.items()))
    apt = Apt(home)
    subprocess.run(["apt-get", "update", "-qq"], env=apt.environment, check=True, stdin=subprocess.DEVNULL)
    return apt


def listing(root: Path, *, times: bool = True) -> dict[str, tuple[object, ...]]:
    """Everything that can be told of every name below `root`, itself included: a difference is a difference."""
    found: dict[str, tuple[object, ...]] = {}
    first: dict[tuple[int, int], str] = {}
    names = [str(root)]
    for place, directories, files in os.walk(root):
        names += [os.path.join(place, name) for name in sorted([*directories, *files])]
    for name in sorted(names):
        status = os.lstat(name)
        path = name.removeprefix(str(root)) or "/"
        content: object = ""
        if stat.S_ISREG(status.st_mode):
            content = hashlib.sha256(Path(name).read_bytes()).hexdigest()
        elif stat.S_ISLNK(status.st_mode):
            content = os.readlink(name)
        same = first.setdefault((status.st_dev, status.st_ino), path) if stat.S_ISREG(status.st_mode) else path
        attributes = tuple(
            (key, os.getxattr(name, key, follow_symlinks=False)) for key in os.listxattr(name, follow_symlinks=False)
        )
        time = (status.st_mtime_ns,) if times else ()
        found[path] = (status.st_mode, status.st_uid, status.st_gid, status.st_rdev, content, same, attributes, *time)
    return found


def size_of(root: Path) -> int:
    """Bytes of regular files below `root`, hard links once."""
    files = [path.lstat() for path in root.rglob("*") if path.is_file() and not path.is_symlink()]
    return sum({(one.st_dev, one.st_ino): one.st_size for one in files}.values())
