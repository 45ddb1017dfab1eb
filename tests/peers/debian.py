"""The archive's index as each peer wants it, and what the peers answer.

Layout below `$PRUNER_CACHE/select` (default `~/.cache/pruner/select`), by the digest of the index:

    DIGEST/repo/Packages      the index, and a flat repository for apt
    DIGEST/Packages.xz        the same as an archive has it
    DIGEST/index.cudf         what dose-ceve makes of it, up to its empty request
    DIGEST/apt/               apt's own state: nothing is installed

The index is the one that `apt-get update` has fetched for the main component of this machine's release.
"""

from __future__ import annotations

import hashlib
import os
import re
import shutil
import subprocess
import time
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from tests.support import need, skip

_CAT = "/usr/lib/apt/apt-helper"
_CRITERIA = "-notuptodate(solution),-sum(solution,installedsize),-count(solution)"
"""The default objectives: newest versions, installed size, count."""


@dataclass(frozen=True, slots=True)
class Chosen:
    """What a peer would install."""

    names: tuple[str, ...]
    kib: int
    seconds: float


@dataclass(frozen=True, slots=True)
class Archive:
    """One index, in the places that the peers read it from."""

    place: Path
    codename: str

    @property
    def packages(self) -> Path:
        """Uncompressed."""
        return self.place / "repo" / "Packages"

    @property
    def compressed(self) -> Path:
        return self.place / "Packages.xz"

    @property
    def cudf(self) -> Path:
        return self.place / "index.cudf"

    @property
    def apt_configuration(self) -> Path:
        return self.place / "apt" / "apt.conf"


def archive() -> Archive:
    """The main component of this release, prepared once for all peers; skips where apt has fetched no index."""
    for tool in ("apt-get", "dose-ceve", "xz"):
        need(tool)
    codename, listed = _fetched_index()
    data = subprocess.run([_CAT, "cat-file", listed], check=True, capture_output=True).stdout
    base = Path(os.environ.get("PRUNER_CACHE") or Path.home() / ".cache" / "pruner") / "select"
    place = base / hashlib.sha256(data).hexdigest()[:16]
    if not place.exists():
        base.mkdir(parents=True, exist_ok=True)
        fresh = base / f".{place.name}.{os.getpid()}"
        shutil.rmtree(fresh, ignore_errors=True)
        _prepare(fresh, data)
        fresh.rename(place)
    _prepare_apt(place)
    return Archive(place, codename)


def _fetched_index() -> tuple[str, str]:
    """Codename and file of the largest index of the main component that apt has."""
    wanted = ["Created-By: Packages", "Component: main", "Architecture: amd64"]
    shown = subprocess.run(
        ["apt-get", "indextargets", "--format", "$(CODENAME) $(FILENAME)", *wanted],
        check=True,
        capture_output=True,
        text=True,
    ).stdout
    there = [tuple(line.split(" ", 1)) for line in shown.splitlines()]
    known = [(codename, name) for codename, name in there if codename in _release() and Path(name).exists()]
    if not known:
        skip("apt has fetched no index of this release for amd64 (apt-get update)")
    return max(known, key=lambda one: Path(one[1]).stat().st_size)


def _release() -> str:
    return Path("/etc/os-release").read_text()


def _prepare(place: Path, data: bytes) -> None:
    (place / "repo").mkdir(parents=True)
    (place / "repo" / "Packages").write_bytes(data)
    with (place / "Packages.xz").open("wb") as stream:
        subprocess.run(["xz", "-3", "-c", place / "repo" / "Packages"], check=True, stdout=stream)
    # ceve resolves no absolute path: the index is named relative to the working directory.
    command = ["dose-ceve", "-T", "cudf", "--deb-native-arch=amd64", "-o", "made.cudf", "deb://repo/Packages"]
    subprocess.run(command, check=True, cwd=place, capture_output=True)
    made = (place / "made.cudf").read_text()
    (place / "index.cudf").write_text(made[: made.rindex("request:")])
    (place / "made.cudf").unlink()


def _prepare_apt(place: Path) -> None:
    apt = place / "apt"
    if (apt / "ready").exists():
        return
    for directory in (
        "etc/apt.conf.d",
        "etc/preferences.d",
        "etc/sources",
        "state/lists/partial",
        "cache/archives/partial",
    ):
        (apt / directory).mkdir(parents=True, exist_ok=True)
    (apt / "state" / "status").write_text("")
    (apt / "etc" / "sources" / "repo.list").write_text(f"deb [trusted=yes] file:{place / 'repo'} ./\n")
    (apt / "apt.conf").write_text(
        f"""Dir "{apt}/"; Dir::Etc "{apt}/etc/"; Dir::Etc::Parts "{apt}/etc/apt.conf.d";
Dir::Etc::SourceList "/dev/null"; Dir::Etc::SourceParts "{apt}/etc/sources"; Dir::Etc::PreferencesParts "{apt}/etc/preferences.d";
Dir::State "{apt}/state/"; Dir::State::status "{apt}/state/status"; Dir::Cache "{apt}/cache/";
APT::Architecture "amd64"; APT::Architectures {{ "amd64"; }}; APT::Sandbox::User "root"; Acquire::Languages "none";
"""
    )
    environment = {**os.environ, "APT_CONFIG": str(apt / "apt.conf")}
    subprocess.run(["apt-get", "update", "-qq"], check=True, env=environment, capture_output=True)
    (apt / "ready").touch()


@cache
def sizes(packages: Path) -> Mapping[tuple[str, str], int]:
    """Installed size in KiB by name and version, read without pruner."""
    found = {}
    for stanza in packages.read_text(errors="replace").split("\n\n"):
        fields = dict(re.findall(r"^(Package|Version|Installed-Size): *(.*)$", stanza, re.MULTILINE))
        if fields:
            found[fields["Package"], fields["Version"]] = int(fields.get("Installed-Size", 0))
    return found


def optimum(place: Archive, entries: Iterable[str]) -> Chosen | None:
    """What aspcud proves to be best for package names; None when it says that nothing satisfies them."""
    solver = need("aspcud")
    request = " , ".join(f"{name}%3aamd64" for name in entries)
    own = place.place / f"request.{os.getpid()}.cudf"
    answer = own.with_suffix(".out")
    begin = time.perf_counter()
    try:
        own.write_bytes(place.cudf.read_bytes() + f"request: 1\ninstall: {request}\n".encode())
        subprocess.run([solver, own, answer, _CRITERIA], check=True, capture_output=True)
        text = answer.read_text()
    finally:
        own.unlink(missing_ok=True)
        answer.unlink(missing_ok=True)
    if text.startswith("FAIL"):
        return None
    seconds = time.perf_counter() - begin
    chosen = re.findall(r"^package: (.*)\nversion: (.*)$", text, re.MULTILINE)
    known = _cudf_sizes(place.cudf)
    names = tuple(sorted(name.removesuffix("%3aamd64") for name, _ in chosen))
    return Chosen(names, sum(known[one] for one in chosen), seconds)


@cache
def _cudf_sizes(cudf: Path) -> Mapping[tuple[str, str], int]:
    """Installed size in KiB by name and version as dose-ceve numbers them."""
    found = {}
    for stanza in cudf.read_text().split("\n\n"):
        fields = dict(re.findall(r"^(package|version|installedsize): (.*)$", stanza, re.MULTILINE))
        if "package" in fields:
            found[fields["package"], fields["version"]] = int(fields.get("installedsize", 0))
    return found


def apt(place: Archive, entries: Iterable[str], known: Mapping[tuple[str, str], int], *, cold: bool = False) -> Chosen:
    """What `apt-get -s install` would install on an empty system; `cold`: without its package cache.

    No name and nothing installed when it refuses.
    """
    if cold:
        for cache in (place.place / "apt" / "cache").glob("*.bin"):
            cache.unlink()
    environment = {**os.environ, "APT_CONFIG": str(place.apt_configuration), "LC_ALL": "C"}
    command = ["apt-get", "-s", "install", "-y", "--no-install-recommends", *entries]
    begin = time.perf_counter()
    shown = subprocess.run(command, env=environment, capture_output=True, text=True, check=False).stdout
    seconds = time.perf_counter() - begin
    chosen = re.findall(r"^Inst (\S+) \((\S+)", shown, re.MULTILINE)
    kib = sum(known[name.partition(":")[0], version] for name, version in chosen)
    return Chosen(tuple(sorted(name for name, _ in chosen)), kib, seconds)


def broken(packages: Path) -> set[str]:
    """The packages of the index `packages` that dose-debcheck can't install."""
    command = [need("dose-debcheck"), "--failures", "--deb-native-arch=amd64", str(packages)]
    shown = subprocess.run(command, capture_output=True, text=True, check=False).stdout
    found = set(re.findall(r"^ *package: (\S+)$", shown, re.MULTILINE))
    assert f"broken-packages: {len(found)}" in shown, shown[-300:]
    return found
