"""The gate on documents that real releases of Syft wrote: the same image gives an empty diff, whoever scanned it."""

from __future__ import annotations

import itertools
import os
import subprocess
from pathlib import Path

import pytest

from pruner.gate.compare import compare
from pruner.gate.sides import read_side
from tests import support
from tests.unit.sboms import debian_tree, write_tree

pytestmark = pytest.mark.integration

RELEASES = ("0.76.0", "1.18.1", "1.51.0")
LANGUAGES = {
    "usr/lib/python3/dist-packages/six.py": "x = 1\n",
    "usr/lib/python3/dist-packages/six-1.16.0.dist-info/METADATA": "Metadata-Version: 2.1\nName: six\nVersion: 1.16.0\n",
    "usr/lib/python3/dist-packages/six-1.16.0.dist-info/RECORD": "six.py,,\nsix-1.16.0.dist-info/METADATA,,\n",
}


def scan(release: str, root: Path, output: Path, *, form: str = "json", image: bool = False) -> str:
    """The document that `release` writes about `root`, all files selected; `image`: as of an image, not of sources."""
    settings = {
        "SYFT_CHECK_FOR_APP_UPDATE": "false",
        "SYFT_FILE_METADATA_SELECTION": "all",
        "SYFT_FILE_METADATA_CATALOGER_ENABLED": "true",
    }
    catalogers = ["--override-default-catalogers", "image"] if image and release != "0.76.0" else []
    command = [support.syft_release(release), "-q", f"dir:{root}", *catalogers, "-o", f"{form}={output}"]
    subprocess.run(command, check=True, env={**os.environ, **settings})
    return str(output)


@pytest.fixture(scope="module")
def root(tmp_path_factory):
    """A small Debian root with a Python package; not to be changed."""
    place = tmp_path_factory.mktemp("gate") / "rootfs"
    debian_tree(place)
    write_tree(place, LANGUAGES)
    return place


@pytest.fixture(scope="module")
def documents(root, tmp_path_factory):
    """One syft-json document a release."""
    place = tmp_path_factory.mktemp("documents")
    return {release: scan(release, root, place / f"{release}.json") for release in RELEASES}


@pytest.mark.parametrize(("older", "newer"), list(itertools.permutations(RELEASES, 2)))
def test_two_releases_see_one_image(documents, older, newer):
    """No package and no file differs between the oldest, a middle and the newest release."""
    comparison = compare(read_side(documents[older]), read_side(documents[newer]))
    assert comparison.packages == ()
    assert comparison.files == ()
    assert sorted(key.name for key in comparison.before.packages) == ["libtool1", "six", "tool"]


def test_scanned_twice(documents, root, tmp_path):
    """Another run of the same release."""
    again = scan("1.18.1", root, tmp_path / "again.json")
    comparison = compare(read_side(documents["1.18.1"]), read_side(again))
    assert (comparison.packages, comparison.files) == ((), ())


@pytest.mark.parametrize("release", RELEASES)
def test_a_scan_and_its_root(documents, root, release):
    """The root says of itself what was scanned; language packages are what only the SBOM tells."""
    comparison = compare(read_side(documents[release]), read_side(str(root)))
    assert (comparison.packages, comparison.files) == ((), ())
    assert any("1 pypi" in note for note in comparison.notes)


@pytest.mark.parametrize("form", ["cyclonedx-json", "cyclonedx-xml", "spdx-json"])
def test_other_formats_have_the_same_packages(documents, root, tmp_path, form):
    """What a format does not carry is unknown, and no change.

    `gone` is removed and not purged, which only syft-json tells from installed.
    """
    path = scan("1.18.1", root, tmp_path / "sbom", form=form)
    comparison = compare(read_side(documents["1.18.1"]), read_side(path))
    assert {change.key.name for change in comparison.packages} <= {"gone"}
    assert not comparison.files
    back = compare(read_side(path), read_side(documents["1.18.1"]))
    assert {change.key.name for change in back.packages} <= {"gone"}
    assert not back.files


def test_the_database_removed_is_no_fix(documents, root, tmp_path):
    """Without dpkg's database a scanner sees none of its packages, and every one of them is no longer visible."""
    blind = tmp_path / "blind"
    subprocess.run(["cp", "-a", str(root), str(blind)], check=True)
    subprocess.run(["rm", "-r", str(blind / "var/lib/dpkg")], check=True)
    after = read_side(scan("1.18.1", blind, tmp_path / "blind.json"))
    found = {
        change.key.name: (str(change.change), change.visibility)
        for change in compare(read_side(documents["1.18.1"]), after).packages
        if change.key.type == "deb"
    }
    assert found == {"tool": ("removed", "invisible"), "libtool1": ("removed", "invisible")}
