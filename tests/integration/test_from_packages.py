"""Applications without any image: selected, fetched, planned from their packages alone, applied, and run.

The smoke tests are the corpus's own. What a user would add (the application's files, a private authority) comes as a
package, too, made here with dpkg-deb. Needs root, apt with its lists, and the corpus's fat roots for clients and peers.
"""

from __future__ import annotations

import hashlib
import json
import os
import re
import shutil
import subprocess
import sys
import tempfile
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from tests.corpus.apps import APPS
from tests.corpus.apps.nginx import STREAM
from tests.corpus.model import App
from tests.corpus.roots import cache_dir, fat_root
from tests.corpus.sandbox import Box
from tests.integration.debianarchive import apt_with, current_root
from tests.support import ROOT, need, skip

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from pruner.rootfs import Root

pytestmark = pytest.mark.integration

BASE = ("base-files", "base-passwd", "ca-certificates", "libc-bin", "netbase", "tzdata")
"""What every one of them is selected with: users, authorities, the C.UTF-8 locale, services, zones."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Trial:
    """An application of the corpus, by its packages."""

    app: App
    packages: tuple[str, ...]
    taken: tuple[str, ...] = ()
    """Paths of the fat root that belong to the application: built files, pictures, certificates."""
    added: Mapping[str, str] = field(default_factory=dict)
    """Further files of the application."""


TRIALS = {
    "python3": Trial(app=APPS["python"], packages=("python3",), taken=("/app/main.py", "/app/store.py")),
    "nginx": Trial(
        app=APPS["nginx"],
        packages=APPS["nginx"].packages,
        taken=("/etc/nginx/conf.d/site.conf", "/srv/www", "/etc/nginx/tls"),
        # Where the fat root has it in nginx.conf, which is the package's own here.
        added={"/etc/nginx/modules-enabled/99-stream.conf": STREAM},
    ),
    "redis-server": Trial(app=APPS["redis"], packages=("redis-server",)),
    "git": Trial(app=APPS["git"], packages=("git",)),
    "openjdk-17-jre-headless": Trial(app=APPS["java"], packages=("openjdk-17-jre-headless",), taken=("/app/app.jar",)),
}


class OwnUsers(Box):
    """A box whose users are those of the root under test: ids of system users differ from root to root."""

    def _account(self, user: str) -> tuple[int, int, str]:
        for line in (self._lower["root"] / "etc/passwd").read_text().splitlines():
            fields = line.split(":")
            if fields[0] == user:
                return int(fields[2]), int(fields[3]), fields[5]
        return super()._account(user)


@pytest.fixture(autouse=True, scope="module")
def _tools() -> None:
    for tool in ("apt-get", "dpkg-deb", "mmdebstrap", "unshare", "nsenter"):
        need(tool)
    if os.geteuid() != 0:
        skip("the corpus's sandbox mounts overlays: it needs root")


@pytest.fixture(scope="module")
def indexes(tmp_path_factory: pytest.TempPathFactory) -> list[Path]:
    """The lists of apt's own sources, as plain Packages files."""
    lists = sorted(Path("/var/lib/apt/lists").glob("*_Packages*"))
    if not lists:
        skip("apt has no lists: run apt-get update")
    home = tmp_path_factory.mktemp("indexes")
    found = []
    for number, path in enumerate(lists):
        target = home / f"{number}-Packages"
        with target.open("wb") as stream:
            subprocess.run(["/usr/lib/apt/apt-helper", "cat-file", path], stdout=stream, check=True)
        found += [target] if target.stat().st_size else []
    return found


@pytest.fixture
def place() -> Iterator[Path]:
    """An empty directory on the file system of the cache."""
    with tempfile.TemporaryDirectory(dir=cache_dir(), prefix="packages-") as directory:
        yield Path(directory)


def pruner(*arguments: object) -> str:
    """What the command prints; it must succeed."""
    command = [sys.executable, "-m", "pruner", *map(str, arguments)]
    done = subprocess.run(command, capture_output=True, text=True, check=False, cwd=ROOT)
    assert done.returncode == 0, done.stderr
    return done.stdout


def fetched(packages: tuple[str, ...], indexes: list[Path], place: Path) -> Path:
    """The archives of the smallest set that holds `packages`: selected now, downloaded once."""
    lock = place / "packages.lock.json"
    relations = [word for index in indexes for word in ("--relations", index)]
    entries = [word for name in packages for word in ("--entry", f"deb:{name}")]
    pruner("select", *relations, *entries, "--lock", lock)
    digest = hashlib.sha256(lock.read_bytes()).hexdigest()[:16]
    home = cache_dir().parent / "packages" / digest
    if not home.is_dir():
        pruner("fetch", "--lock", lock, "--dest", home)
    archives = place / "archives"
    shutil.copytree(home, archives, copy_function=os.link)
    listed = json.loads(lock.read_text())["packages"]
    assert len(listed) == len(list(archives.iterdir()))
    return archives


def application_package(trial: Trial, archives: Path, place: Path) -> None:
    """Add a package of the application's own files and of the corpus's authority."""
    fat = fat_root(trial.app)
    tree = place / "application"
    for path in trial.taken:
        target = tree / path.lstrip("/")
        target.parent.mkdir(parents=True, exist_ok=True)
        source = fat.root / path.lstrip("/")
        if source.is_dir():
            shutil.copytree(source, target)
        else:
            shutil.copy2(source, target)
    authority = {"/usr/local/share/ca-certificates/corpus.crt": (cache_dir() / "ca.pem").read_text()}
    control = "Package: corpus-application\nVersion: 1\nArchitecture: all\nMaintainer: Corpus <corpus@example.org>\n"
    control += "Description: files of an application\n"
    for path, text in {**trial.added, **authority, "/DEBIAN/control": control}.items():
        target = tree / path.lstrip("/")
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_text(text)
    archive = archives / "corpus-application_1_all.deb"
    subprocess.run(["dpkg-deb", "--root-owner-group", "--build", tree, archive], check=True, capture_output=True)


@pytest.mark.parametrize("name", TRIALS)
def test_runs_from_its_packages(name: str, indexes: list[Path], place: Path) -> None:
    """The smoke test of the corpus passes in a root that was planned and written from package archives alone."""
    trial = TRIALS[name]
    archives = fetched((*trial.packages, *BASE), indexes, place)
    application_package(trial, archives, place)
    entries = [word for entry in trial.app.entries for word in ("--entry", entry)]
    pruner("plan", "--from-packages", archives, *entries, "--output", place / "plan")
    plan = json.loads((place / "plan/plan.json").read_text())
    assert {record["role"] for record in plan["inputs"]} == {"packages"}
    assert len(plan["inputs"]) == len(list(archives.iterdir()))
    pruner("apply", place / "plan", "--root", archives, "--dest", place / "root")
    assert plan["totals"]["after"]["bytes"] < plan["totals"]["before"]["bytes"]
    with OwnUsers(place / "root", fat_root(trial.app).tools) as box:
        trial.app.smoke(box)


def test_install_plan_gives_the_same_root(indexes: list[Path], place: Path) -> None:
    """`debian/install.sh` of a plan from packages makes the tree that `apply` makes of them, file by file."""
    from pruner.rootfs import open_root

    archives = fetched(("nginx", *BASE), indexes, place)
    pruner("plan", "--from-packages", archives, "--entry", "/usr/sbin/nginx", "--output", place / "plan")
    pruner("apply", place / "plan", "--root", archives, "--dest", place / "applied")
    subprocess.run([place / "plan/debian/install.sh", place / "installed"], check=True, capture_output=True)
    applied, installed = open_root(place / "applied"), open_root(place / "installed")
    assert applied.files.keys() == installed.files.keys()
    assert [path for path in applied.files if not same_file(path, applied, installed)] == []


def test_is_verified(indexes: list[Path], place: Path) -> None:
    """`pruner verify` runs a command in the root of all packages and in the pruned one, and finds them the same."""
    need("bwrap")
    archives = fetched(("dash", *BASE), indexes, place)
    pruner("plan", "--from-packages", archives, "--entry", "cmd:sh -c 'echo ok'", "--output", place / "plan")
    assert "same" in pruner("verify", place / "plan", "--root", archives, "--", "sh", "-c", "echo ok")


def test_fetch_refuses_what_is_gone(indexes: list[Path], place: Path) -> None:
    """A version that the archive no longer has, and an archive of another checksum, are named; nothing is left."""
    lock = place / "packages.lock.json"
    relations = [word for index in indexes for word in ("--relations", index)]
    pruner("select", *relations, "--entry", "deb:netbase", "--lock", lock)
    document = json.loads(lock.read_text())
    (package,) = (one for one in document["packages"] if one["name"] == "netbase")
    kept = dict(package)
    for change, fact in (
        ({"version": "0.1"}, "no longer in the archive: netbase 0.1"),
        ({"checksum": f"sha256:{'0' * 64}"}, f"netbase {kept['version']}: the archive has it with another checksum"),
    ):
        package.update(kept | change)
        lock.write_text(json.dumps(document))
        command = [sys.executable, "-m", "pruner", "fetch", "--lock", lock, "--dest", place / "debs"]
        done = subprocess.run(command, capture_output=True, text=True, check=False, cwd=ROOT)
        assert done.returncode == 1
        assert fact in done.stderr
        assert sorted(path.name for path in place.iterdir()) == ["packages.lock.json"]


EXPLAINED = (
    "/boot", "/dev/", "/proc", "/sys", "/tmp", "/var/cache/", "/var/lib/apt/", "/var/lib/dpkg/", "/var/log/",
    "/var/lib/systemd/", "/etc/systemd/", "/etc/rc",  # caches, logs, and what enables services
    "/etc/ld.so.cache", "/etc/hostname", "/etc/hosts", "/etc/resolv.conf", "/etc/.pwd.lock", "/etc/apt/",
    "/etc/fstab", "/etc/passwd-", "/etc/group-", "/etc/shadow", "/etc/gshadow",  # the builder's, locks and back-ups
    "/etc/ssl/certs/", "/usr/local/share/ca-certificates/",  # the corpus's own authority, links by hash
    "/etc/pam.d/common-", "/var/lib/pam/",  # pam-auth-update is a Perl program: listed as unknown
    "/etc/shells",  # the same shells in another order
)  # fmt: skip


def test_state_is_what_dpkg_makes(place: Path) -> None:
    """Of the packages of a root that apt installed, all names, owners, modes and contents come out as they are there.

    What may differ is listed above with the reason.
    """
    from pruner.maintainer import open_installed
    from pruner.rootfs import open_root

    app = APPS["redis"]
    fat = current_root(app, apt_with((fat_root(app).root / "etc/apt/sources.list").read_text(), place / "apt"))
    status = (fat.root / "var/lib/dpkg/status").read_text()
    fields = [
        dict(re.findall(r"^(Package|Version|Architecture): (.*)$", text, re.MULTILINE)) for text in status.split("\n\n")
    ]
    packages = [
        {"name": one["Package"], "version": one["Version"], "architecture": one["Architecture"], "decision": "whole"}
        for one in fields
        if one
    ]
    lock = place / "packages.lock.json"
    lock.write_text(json.dumps({"schema": "1", "ecosystem": "deb", "architecture": "amd64", "packages": packages}))
    command = [sys.executable, "-m", "pruner", "fetch", "--lock", str(lock), "--dest", str(place / "debs")]
    done = subprocess.run(command, capture_output=True, text=True, check=False, cwd=ROOT)
    assert done.returncode == 0, done.stderr
    composed, actual = open_installed(place / "debs"), open_root(fat.root)
    different = [
        path
        for path in sorted(composed.files.keys() | actual.files.keys())
        if not path.startswith(EXPLAINED) and "__pycache__" not in path and not same_file(path, composed, actual)
    ]
    assert different == []
    for name in ("/etc/passwd", "/etc/group"):
        assert bytes(composed.read(name)) == bytes(actual.read(name))


def same_file(path: str, one: Root, other: Root) -> bool:
    first, second = one.files.get(path), other.files.get(path)
    if first is None or second is None:
        return False
    facts = [(file.type, file.mode, file.uid, file.gid, file.target, file.bytes) for file in (first, second)]
    return facts[0] == facts[1] and (first.type != "file" or bytes(one.read(path)) == bytes(other.read(path)))
