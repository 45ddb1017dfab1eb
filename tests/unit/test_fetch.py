"""Fetching the packages of a lock: through apt or apk, verified, complete or not at all.

The package managers are scripts that answer as the real ones do; the real apt is tried in `tests/integration`.
"""

from __future__ import annotations

import hashlib
import os
from dataclasses import replace
from pathlib import Path

import pytest

from pruner.candidate import Lock, LockedPackage
from pruner.errors import EnvironmentFault, InputError, NegativeAnswer, UsageError
from pruner.fetch import fetch
from pruner.rootfs.apkfile import parts_of_apk
from pruner.rootfs.region import Region
from tests.unit.packages import apk, deb

APT = """#!/bin/sh
# Offers and copies what lies in the archive; other versions are not found.
mode=download
for word; do case $word in
  --print-uris) mode=print ;;
  -*|download|APT::*) ;;
  *) name=${word%%=*}; name=${name%%:*}; version=$(echo "${word#*=}" | sed s/:/%3a/)
     set -- ARCHIVE/${name}_${version}_*.deb
     if [ ! -e "$1" ]; then echo "E: Version '${word#*=}' for '$name' was not found" >&2; failed=1; continue; fi
     if [ $mode = print ]; then
       echo "'http://mirror.invalid/$name' ${1##*/} 1 SHA256:$(sha256sum "$1" | cut -d' ' -f1)"
     else cp "$1" .; fi ;;
esac; done
exit ${failed:+100}
"""
APK = """#!/bin/sh
shift
[ "$1" = --output ] && out=$2 && shift 2
for word; do
  set -- ARCHIVE/"$word"-[0-9]*.apk  # as apk 2.14: names alone, the newest version
  if [ -e "$1" ]; then cp "$1" "$out/"; else echo "$word: unable to select package (or its dependencies)"; failed=1; fi
done
exit ${failed:-0}
"""


@pytest.fixture
def archive(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A directory of packages that the fake managers on PATH offer."""
    home, tools = tmp_path / "archive", tmp_path / "tools"
    home.mkdir()
    tools.mkdir()
    for name, text in (("apt-get", APT), ("apk", APK)):
        (tools / name).write_text(text.replace("ARCHIVE", str(home)))
        (tools / name).chmod(0o755)
    monkeypatch.setenv("PATH", f"{tools}:{os.environ['PATH']}")
    return home


def locked(path: Path, name: str, version: str, architecture: str = "all") -> LockedPackage:
    checksum = f"sha256:{hashlib.sha256(path.read_bytes()).hexdigest()}"
    return LockedPackage(name=name, version=version, architecture=architecture, checksum=checksum)


def lock_of(*packages: LockedPackage, ecosystem: str = "deb") -> Lock:
    return Lock(ecosystem=ecosystem, architecture="amd64", packages=packages)


def left(tmp_path: Path) -> list[str]:
    return sorted(path.name for path in tmp_path.iterdir() if path.name not in {"archive", "tools"})


def test_fetches_exactly_the_lock(tmp_path: Path, archive: Path) -> None:
    """The directory holds the locked packages and nothing else; epochs are spelled as apt spells them."""
    lock = lock_of(
        locked(deb(archive, "a", {"/f": b"1"}, version="1:2"), "a", "1:2"),
        locked(deb(archive, "b", {"/g": b"2"}, architecture="amd64"), "b", "1", "amd64"),
    )
    deb(archive, "c", {"/h": b"3"})
    done = fetch(lock, tmp_path / "debs")
    assert sorted(path.name for path in (tmp_path / "debs").iterdir()) == ["a_1%3a2_all.deb", "b_1_amd64.deb"]
    assert (done.packages, done.unverified) == (2, ())


def test_fetches_apks(tmp_path: Path, archive: Path) -> None:
    """Alpine packages are verified by the checksum of their control files."""
    path = apk(archive, "musl", {"/lib/x": b"1"})
    checksum = parts_of_apk(Region.of_descriptor(os.open(path, os.O_RDONLY)), "musl").checksum
    package = LockedPackage(name="musl", version="1-r0", architecture="x86_64", checksum=checksum)
    assert fetch(lock_of(package, ecosystem="apk"), tmp_path / "apks").packages == 1
    wrong = replace(package, checksum="Q1" + "A" * 27 + "=")
    with pytest.raises(NegativeAnswer, match="musl 1-r0: the checksum of the archive is not the lock's"):
        fetch(lock_of(wrong, ecosystem="apk"), tmp_path / "other")
    with pytest.raises(NegativeAnswer, match="no longer in the archive: musl 2"):
        fetch(lock_of(replace(package, version="2"), ecosystem="apk"), tmp_path / "other")
    assert left(tmp_path) == ["apks"]


def test_versions_that_are_gone(tmp_path: Path, archive: Path) -> None:
    """Every version that the archive no longer has is named, and nothing is left behind."""
    here = locked(deb(archive, "a", {"/f": b"1"}), "a", "1")
    lock = lock_of(here, replace(here, name="b", version="7"), replace(here, name="c", version="8"))
    with pytest.raises(NegativeAnswer, match="no longer in the archive: b 7, c 8"):
        fetch(lock, tmp_path / "debs")
    assert left(tmp_path) == []


def test_wrong_checksum(tmp_path: Path, archive: Path) -> None:
    """An archive that is not the locked one is refused by name before it is downloaded."""
    package = replace(locked(deb(archive, "a", {"/f": b"1"}), "a", "1"), checksum=f"sha256:{'0' * 64}")
    with pytest.raises(NegativeAnswer, match="a 1: the archive has it with another checksum"):
        fetch(lock_of(package), tmp_path / "debs")
    assert left(tmp_path) == []


def test_changed_on_the_way(tmp_path: Path, archive: Path) -> None:
    """An archive that is damaged after the source described it is refused by its own checksum."""
    package = locked(deb(archive, "a", {"/f": b"1"}), "a", "1")
    tool = tmp_path / "tools/apt-get"
    tool.write_text(tool.read_text().replace('else cp "$1" .; fi', 'else echo broken > "${1##*/}"; fi'))
    with pytest.raises(NegativeAnswer, match="a 1: the checksum of the archive is not the lock's"):
        fetch(lock_of(package), tmp_path / "debs")
    assert left(tmp_path) == []


def test_without_a_checksum(tmp_path: Path, archive: Path) -> None:
    """Packages whose checksum the lock does not state are fetched, and listed."""
    package = replace(locked(deb(archive, "a", {"/f": b"1"}), "a", "1"), checksum="")
    assert fetch(lock_of(package), tmp_path / "debs").unverified == ("a 1",)


def test_destination_is_taken(tmp_path: Path, archive: Path) -> None:
    """A directory that holds something is left as it is; an empty one is filled."""
    package = locked(deb(archive, "a", {"/f": b"1"}), "a", "1")
    (tmp_path / "debs").mkdir()
    (tmp_path / "debs/mine").touch()
    with pytest.raises(UsageError, match="is there already"):
        fetch(lock_of(package), tmp_path / "debs")
    (tmp_path / "debs/mine").unlink()
    assert fetch(lock_of(package), tmp_path / "debs").packages == 1


def test_no_package_manager(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Without apt, or where it fails for another reason, the message says what is missing."""
    package = LockedPackage(name="a", version="1", architecture="all")
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(EnvironmentFault, match="apt-get is not installed"):
        fetch(lock_of(package), tmp_path / "debs")
    tool = tmp_path / "apt-get"
    tool.write_text("#!/bin/sh\necho 'E: Could not get lock' >&2\nexit 100\n")
    tool.chmod(0o755)
    with pytest.raises(EnvironmentFault, match="apt-get failed: E: Could not get lock"):
        fetch(lock_of(package), tmp_path / "debs")


def test_locks_that_can_not_be_fetched(tmp_path: Path) -> None:
    """An empty lock and one of rpm packages are bad input."""
    with pytest.raises(InputError, match="holds no packages"):
        fetch(lock_of(), tmp_path / "debs")
    with pytest.raises(InputError, match="rpm packages can't be fetched"):
        fetch(lock_of(ecosystem="rpm"), tmp_path / "debs")
