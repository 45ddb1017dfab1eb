"""Install plans executed: packages of the configured Debian archive into an empty directory, and the result runs.

Needs root, apt, syft and the corpus' fat roots (built by mmdebstrap where they are missing). Run with `-s` for the
list of executed installs.
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import tempfile
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.corpus.apps import APPS
from tests.corpus.roots import FatRoot, cache_dir, fat_root
from tests.corpus.table import Pruned, differing_packages, pruned_root
from tests.corpus.trial import smoke_trial
from tests.integration.debianarchive import Apt, apt_with, current_root, listing, size_of
from tests.integration.test_dockerfile import Builder
from tests.support import need, skip

pytestmark = pytest.mark.integration

NAMES = {
    "python": "python3",
    "nginx": "nginx",
    "redis": "redis-server",
    "postgres": "postgresql-15",
    "java": "openjdk-17-jre-headless",
}
"""The application of the corpus, and the package of which something must be installed."""


@dataclass(frozen=True)
class Installed:
    """One application, planned and installed twice; `pruned` is what `pruner apply` makes of the fat root."""

    package: str
    fat: FatRoot
    pruned: Pruned
    plan: Path
    root: Path
    again: Path


@pytest.fixture(scope="module", autouse=True)
def _tools() -> None:
    for tool in ("apt-get", "dpkg-deb", "mmdebstrap", "unshare"):
        need(tool)
    if os.geteuid() != 0:
        skip("install.sh sets owners: it needs root")


@pytest.fixture(scope="module")
def place() -> Iterator[Path]:
    """An empty directory on the file system of the cache."""
    with tempfile.TemporaryDirectory(dir=cache_dir(), prefix="install-") as directory:
        yield Path(directory)


@pytest.fixture(scope="module")
def apt(place: Path) -> Apt:
    """The archive that the fat roots were made from."""
    sources = fat_root(APPS["redis"]).root / "etc/apt/sources.list"
    return apt_with(sources.read_text(), place / "apt")


@pytest.fixture(scope="module", params=NAMES.items(), ids=NAMES.values())
def installed(request: pytest.FixtureRequest, place: Path, apt: Apt) -> Iterator[Installed]:
    name, package = request.param
    fat = current_root(APPS[name], apt)
    home = place / name
    home.mkdir()
    pruned = pruned_root(fat, "root", home)
    roots = [home / "first", home / "second"]
    for root in roots:
        started = time.monotonic()
        done = apt.install(home / "plan", root)
        seconds = time.monotonic() - started
        if "no longer in the archive" in done.stderr:
            skip(f"the fat root of {name} is older than the archive, build it anew: {done.stderr}")
        assert done.returncode == 0, done.stderr
        count = len((home / "plan/debian/packages.txt").read_text().splitlines())
        print(f"\ninstalled {package}: {count} packages, {size_of(root) / 1e6:.1f} MB, {seconds:.1f} s")
    yield Installed(package, fat, pruned, home / "plan", *roots)
    shutil.rmtree(home)


def test_holds_the_planned_names_and_no_other(installed: Installed) -> None:
    """Names, types, modes, owners, links and contents are those of the pruned root; state explains every exception."""
    found, wanted = listing(installed.root, times=False), listing(installed.pruned.root, times=False)
    planned = {file["path"] for file in installed.pruned.plan["files"] if file["decision"] != "drop"}
    assert found.keys() - {"/"} == planned
    assert {path for path in planned if found[path] != wanted[path]} == set()


def test_keeps_the_times_of_the_packages(installed: Installed) -> None:
    """What packages bring has the packages' times, which caches compare; the plan's own files have a fixed one."""
    found, wanted = listing(installed.root), listing(installed.pruned.root)
    assert {path for path in wanted if found[path][-1] != wanted[path][-1]} <= {"/"}


def test_passes_the_smoke_test(installed: Installed) -> None:
    """The application runs as it does in the pruned root."""
    assert smoke_trial(installed.fat, installed.root).failure == ""


def test_a_scanner_sees_the_planned_packages(installed: Installed, tmp_path: Path) -> None:
    """The real syft reports exactly the packages that the plan keeps, the asked one among them."""
    kept = [package for package in installed.pruned.plan["packages"] if package["decision"] != "drop"]
    assert differing_packages(kept, installed.root, tmp_path / "report.json") == ()
    assert installed.package in {package["name"] for package in kept}


def test_locks_the_packages_that_it_installs(installed: Installed) -> None:
    """The lock names the kept Debian packages with their versions."""
    lock = json.loads((installed.plan / "debian/packages.lock.json").read_text())
    planned = installed.pruned.plan["packages"]
    kept = {(one["name"], one["version"]) for one in planned if one["type"] == "deb" and one["decision"] != "drop"}
    assert {(one["name"], one["version"]) for one in lock["packages"]} == kept


def test_is_the_same_every_time(installed: Installed) -> None:
    """Two installs are the same to the byte and the nanosecond."""
    assert listing(installed.root) == listing(installed.again)


def test_refuses_a_version_that_is_gone(installed: Installed, apt: Apt, tmp_path: Path) -> None:
    """A version that the archive has not is named, nothing is downloaded, and nothing is left."""
    copy = tmp_path / "plan"
    shutil.copytree(installed.plan / "debian", copy / "debian")
    lines = (copy / "debian/packages.txt").read_text().splitlines()
    number, name, _, *rest = lines[0].split()
    lines[0] = " ".join((number, name, "9:made-up-1", *rest))
    (copy / "debian/packages.txt").write_text("\n".join(lines) + "\n")
    (tmp_path / "tmp").mkdir()
    done = apt.install(copy, tmp_path / "root", TMPDIR=str(tmp_path / "tmp"))
    assert done.returncode == 1
    assert done.stderr.splitlines()[0] == f"pruner: {name} 9:made-up-1 is no longer in the archive"
    assert "nothing was downloaded" in done.stderr
    assert sorted(path.name for path in tmp_path.iterdir()) == ["plan", "tmp"]
    assert list((tmp_path / "tmp").iterdir()) == []


def test_scripts_are_clean(installed: Installed) -> None:
    """ShellCheck has nothing to say about the scripts."""
    scripts = [installed.plan / "debian" / name for name in ("install.sh", "mmdebstrap.sh")]
    done = subprocess.run([need("shellcheck"), *map(str, scripts)], capture_output=True, text=True, check=False)
    assert done.stdout == ""


@pytest.mark.parametrize("installed", [("redis", "redis-server")], ids=["redis-server"], indirect=True)
def test_mmdebstrap_makes_the_same_root(installed: Installed, tmp_path: Path) -> None:
    """The call for mmdebstrap fetches with mmdebstrap's own apt and packs the same tree."""
    output = tmp_path / "root.tar"
    command = ["sh", str(installed.plan / "debian/mmdebstrap.sh"), "bookworm", str(output)]
    done = subprocess.run(command, stdin=subprocess.DEVNULL, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    (tmp_path / "root").mkdir()
    subprocess.run(["tar", "-x", "-p", "-f", str(output), "-C", str(tmp_path / "root")], check=True)
    assert listing(tmp_path / "root") == listing(installed.root)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["root", "root.tar"]


@pytest.mark.parametrize("installed", [("redis", "redis-server")], ids=["redis-server"], indirect=True)
def test_dockerfile_builds_the_same_root(installed: Installed, tmp_path: Path) -> None:
    """A stage of a plain Debian image installs the packages, and the last stage holds the planned names alone."""
    need("buildah")
    buildah = Builder(tmp_path / "storage")
    buildah.image("base", cache_dir() / "base/root", "--cmd", "/bin/sh")
    proxies = [word for name in os.environ if name.lower().endswith("_proxy") for word in ("--build-arg", name)]
    buildah(
        "build", "--isolation", "chroot", "--network", "host", "--pull-never", "--build-arg", "BASE=localhost/base",
        *proxies, "-t", "pruned", str(installed.plan / "debian"),
    )  # fmt: skip
    found, wanted = listing(buildah.mounted("pruned"), times=False), listing(installed.root, times=False)
    buildah("rm", "--all")
    buildah("rmi", "--all", "--force")
    assert {path for path in found.keys() | wanted.keys() if found.get(path) != wanted.get(path)} <= {"/"}
