"""The gate on a real Debian root before and after pruning, as root, plan, and SBOMs of three releases of Syft."""

from __future__ import annotations

import itertools
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from pruner.gate.compare import compare
from pruner.gate.sides import read_side
from pruner.gate.sides.plan import read_plan
from pruner.gate.types import Comparison, Side
from pruner.plan.types import Decision
from tests.commandline import run_process
from tests.corpus.apps import APPS
from tests.corpus.roots import FatRoot, fat_root
from tests.integration.test_gate_syft import RELEASES, scan
from tests.support import need, skip

pytestmark = pytest.mark.integration

APP = APPS["python"]
VIEWS = ("root", "plan", *RELEASES)
OTHER_FORMATS = ("cyclonedx-json", "spdx-json")
LIBRARIES = "usr/lib/*-linux-gnu"
PYTHON = "/usr/bin/python3.11"


def pruner(*words: str | Path) -> None:
    subprocess.run([sys.executable, "-m", "pruner", *map(str, words)], check=True, stdout=subprocess.DEVNULL)


@pytest.fixture(scope="module")
def fat() -> FatRoot:
    for tool in ("mmdebstrap", "unshare"):
        need(tool)
    if os.geteuid() != 0:
        skip("a root with its own owners and capabilities needs root")
    return fat_root(APP)


@pytest.fixture(scope="module")
def home(fat, tmp_path_factory) -> Path:
    """`plan` and `pruned`, which is built as it says; not to be changed."""
    home = tmp_path_factory.mktemp("corpus")
    entries = [word for entry in APP.entries for word in ("--entry", entry)]
    pruner("plan", fat.sbom, "--root", fat.root, *entries, "-o", home / "plan", "--quiet")
    pruner("apply", home / "plan", "--root", fat.root, "--dest", home / "pruned")
    return home


@pytest.fixture(scope="module")
def views(home) -> dict[str, Side]:
    """The pruned image as everything that can be a side."""
    found = {"root": read_side(str(home / "pruned")), "plan": read_side(str(home / "plan"))}
    for release in RELEASES:
        found[release] = read_side(scan(release, home / "pruned", home / f"{release}.json", image=True))
    for form in OTHER_FORMATS:
        found[form] = read_side(scan("1.18.1", home / "pruned", home / form, form=form, image=True))
    return found


@pytest.fixture(scope="module")
def before(fat) -> dict[str, Side]:
    return {"root": read_side(str(fat.root)), "sbom": read_side(str(fat.sbom))}


@pytest.fixture(scope="module")
def plan(home):
    return read_plan(home / "plan")


@pytest.fixture
def copy(home, tmp_path) -> Iterator[Path]:
    """The pruned root, to be changed."""
    place = tmp_path / "root"
    subprocess.run(["cp", "-a", home / "pruned", place], check=True)
    yield place
    shutil.rmtree(place)


def known_counts(comparison: Comparison) -> tuple[dict[str, int], dict[str, int]]:
    """The attack surface before and after, of what both sides can tell."""
    one, other = comparison.surface_before, comparison.surface_after
    unknown = {*one.unknown, *other.unknown}
    first, second = ({k: n for k, n in found.counts().items() if k not in unknown} for found in (one, other))
    return first, second


@pytest.mark.parametrize(("one", "other"), list(itertools.permutations(VIEWS, 2)))
def test_one_image_is_one_image_whoever_looks(views, one, other):
    """No package, no file and no number of the attack surface differs."""
    found = compare(views[one], views[other])
    assert found.packages == ()
    assert found.files == ()
    first, second = known_counts(found)
    assert first == second


def test_the_fat_root_is_its_own_sbom(before):
    """In both directions; the executables are hundreds and the same."""
    for one, other in itertools.permutations(before.values()):
        found = compare(one, other)
        assert (found.packages, found.files) == ((), ())
        first, second = known_counts(found)
        assert first == second
        assert first["executable"] > 100


@pytest.mark.parametrize("older", ["root", "sbom"])
@pytest.mark.parametrize("newer", VIEWS)
def test_what_pruning_did(before, views, plan, older, newer):
    """Packages that the plan dropped are gone whole, others lost a part, and the image is what the plan says."""
    found = compare(before[older], views[newer], plan=plan)
    debs = {change.key.name: change for change in found.packages if change.key.type == "deb"}
    assert {(str(change.change), change.visibility) for change in found.packages} == {
        ("removed", "removed"), ("resliced", "present"),
    }  # fmt: skip
    dropped = {package.name for package in plan.packages if package.decision is Decision.DROP and package.type == "deb"}
    assert {name for name, change in debs.items() if change.change == "removed"} == dropped
    assert {change.change for change in found.files} == {"removed", "added"}  # of what stays nothing changed
    assert found.conformity == ()
    counts = found.surface_after.counts()
    assert {
        category for category in ("shell", "setuid", "package-manager", "launcher") if counts.get(category)
    } == set()
    assert counts["interpreter"] == 1


@pytest.mark.parametrize("form", OTHER_FORMATS)
def test_a_format_without_files_claims_nothing(before, views, form):
    """Whether the files of a package are gone is unknown, and so is every number that needs modes."""
    found = compare(before["sbom"], views[form])
    assert {change.visibility for change in found.packages if change.change == "removed"} == {"unknown"}
    assert {"shell", "setuid", "executable", "capability", "world-writable"} <= set(found.surface_after.unknown)
    same = compare(views["1.18.1"], views[form])
    assert same.packages == ()
    assert not same.files


def put_back(root: Path, fat: FatRoot) -> None:
    shutil.copy2(fat.root / "usr/bin/base64", root / "usr/bin/base64")


def invent(root: Path, fat: FatRoot) -> None:
    (root / "usr/bin/new").write_text("#!/bin/sh\n")
    (root / "usr/bin/new").chmod(0o755)


def delete(root: Path, fat: FatRoot) -> None:
    (root / "usr/lib/python3.11/enum.py").unlink()


def change_bytes(root: Path, fat: FatRoot) -> None:
    place = root / "app/main.py"
    place.write_bytes(place.read_bytes()[::-1])


def make_setuid(root: Path, fat: FatRoot) -> None:
    (root / PYTHON[1:]).chmod(0o4755)


def give_away(root: Path, fat: FatRoot) -> None:
    os.chown(root / "etc/passwd", 33, 44)


def turn_link(root: Path, fat: FatRoot) -> None:
    (root / "usr/bin/python3").unlink()
    (root / "usr/bin/python3").symlink_to("/srv/python")


@pytest.mark.parametrize(
    ("tamper", "departures"),
    [
        (put_back, {"/usr/bin/base64": ("added", ())}),
        (invent, {"/usr/bin/new": ("added", ("unplanned",))}),
        (delete, {"/usr/lib/python3.11/enum.py": ("removed", ())}),
        (change_bytes, {"/app/main.py": ("changed", ("content",))}),
        (make_setuid, {PYTHON: ("changed", ("mode", "setuid"))}),
        (give_away, {"/etc/passwd": ("changed", ("owner",))}),
        (turn_link, {"/usr/bin/python3": ("changed", ("target",))}),
    ],
)
def test_a_tampered_image_departs_in_exactly_that(
    fat, views, plan, copy, tamper: Callable[[Path, FatRoot], None], departures
):
    """One change of the image is one departure from the plan and one file of the diff."""
    tamper(copy, fat)
    found = compare(views["root"], read_side(str(copy)), plan=plan)
    assert {change.path: (str(change.change), change.what) for change in found.conformity} == departures
    files = {change.path: (str(change.change), change.what) for change in found.files}
    assert files.keys() == departures.keys()


def test_the_gate_tells_a_faithful_image_from_another(fat, home, copy, tmp_path):
    """`pruner gate --plan` passes what is built as planned, and fails with the file that the plan dropped."""
    policy = tmp_path / "policy.yaml"
    policy.write_text("version: 1\nconformity: fail\nvisibility: fail\nlimits: {setuid: 0, files: -50%}\n")
    gate = ("gate", fat.sbom, copy, "--policy", policy, "--plan", home / "plan")
    assert run_process(*gate).code == 0
    put_back(copy, fat)
    failed = run_process(*gate)
    assert failed.code == 1
    assert "fail conformity: /usr/bin/base64 is there" in failed.out
    assert "fail visibility: " in failed.out  # coreutils has a file again, and no entry


def test_an_entry_taken_away_hides_its_files(before, copy):
    """Without its entry a package that still has files is no longer visible; without its files it is removed."""
    for place in (copy / "var/lib/dpkg/status.d").glob("libssl3*"):
        place.unlink()

    def state() -> tuple[str, str]:
        changes = compare(before["root"], read_side(str(copy))).packages
        return next((str(found.change), found.visibility) for found in changes if found.key.name == "libssl3")

    assert state() == ("removed", "invisible")
    for name in ("libssl.so.3", "libcrypto.so.3", "ossl-modules/*", "engines-3/*"):
        for place in copy.glob(f"{LIBRARIES}/{name}"):
            place.unlink()
    assert state() == ("removed", "removed")


def test_capabilities_are_told_by_roots_alone(views, copy):
    """What setcap writes is a change between roots, and unknown where one side is an SBOM."""
    subprocess.run([need("setcap"), "cap_net_raw+ep", copy / PYTHON[1:]], check=True)
    after = read_side(str(copy))
    found = compare(views["root"], after)
    assert [(change.path, change.what) for change in found.files] == [(PYTHON, ("capabilities",))]
    assert [item.detail for item in found.surface_after.items if item.category == "capability"] == ["cap_net_raw=ep"]
    scanned = compare(views["1.18.1"], after)
    assert scanned.files == ()
    assert "capability" in scanned.surface_before.unknown


def test_libraries_of_the_entry_point_are_what_the_loader_loads(fat, before, plan):
    """The real loader lists the same files for the interpreter that the entry point runs."""
    loader = before["root"].binaries[PYTHON].interpreter
    command = ["chroot", fat.root, loader, "--list", PYTHON]
    listed = subprocess.run(command, check=True, capture_output=True, text=True).stdout
    links = ["chroot", fat.root, "realpath", *re.findall(r"(/\S+) \(0x", listed)]
    loaded = set(subprocess.run(links, check=True, capture_output=True, text=True).stdout.split())
    for side in before.values():
        found = compare(side, side, plan=plan).surface_before
        assert {item.path for item in found.items if item.category == "library"} == loaded
