"""Whether an image is what its plan says."""

from __future__ import annotations

import hashlib
import shutil
from pathlib import Path

import pytest

from pruner.emit.planfile import load_plan
from pruner.gate.compare import compare
from pruner.gate.compare.conformity import conformity
from pruner.gate.sides import read_side
from pruner.gate.sides.plan import plan_side
from pruner.gate.types import Binary, PackageKey, SideFile, SideKind
from pruner.model import FileType
from pruner.plan.types import Decision, Plan
from tests.unit.emit_plans import directory, file_plan, package_plan, totals
from tests.unit.sides import link, made_side, package, regular

PURL = "pkg:deb/debian/{}@1?arch=amd64"


def plan_of(*files, packages=()):
    from pruner.model import Distro

    return Plan(
        profile="balanced", entries=(), inputs=(), image=None, distro=Distro(id="debian"), mode="root",
        files=files, packages=tuple(packages), edges=(), before=totals(1), after=totals(1),
    )  # fmt: skip


def departures(side, plan):
    return {change.path: (str(change.change), change.what) for change in conformity(side, plan)}


KEPT = (
    directory("/bin"),
    file_plan("/bin/app", mode=0o755, bytes=1, digest="sha256:0"),
    file_plan("/bin/made", decision=Decision.MAKE, content=b"x", bytes=1),
)
DROPPED = (file_plan("/bin/sh", decision=Decision.DROP), directory("/opt", decision=Decision.DROP))


def there(*files):
    return made_side([], [SideFile(path="/bin", type=FileType.DIRECTORY, mode=0o755), *files])


def test_an_image_that_is_its_plan():
    """What is kept is there, what is made is there, what is dropped is not; a directory is nothing to run."""
    made = regular("/bin/made", digest=f"sha256:{hashlib.sha256(b'x').hexdigest()}")
    side = there(regular("/bin/app", 0o755), made, SideFile(path="/opt", type=FileType.DIRECTORY))
    assert departures(side, plan_of(*KEPT, *DROPPED)) == {}


def test_what_departs():
    """Dropped and there, kept and missing, made and missing, another mode, another type."""
    plan = plan_of(*KEPT, *DROPPED, file_plan("/bin/x"), file_plan("/bin/y"))
    side = there(regular("/bin/sh", 0o755), regular("/bin/app", 0o4755), link("/bin/x", "sh"), regular("/bin/y"))
    assert departures(side, plan) == {
        "/bin/app": ("changed", ("mode", "setuid")),
        "/bin/made": ("removed", ()),
        "/bin/sh": ("added", ()),
        "/bin/x": ("changed", ("type",)),
    }


def test_content_owner_and_target_depart():
    """Bytes of a kept or made file, whose it is, where a link leads; what one of the two does not state does not."""
    plan = plan_of(
        *KEPT,
        file_plan("/bin/sh", FileType.SYMLINK, target="dash", mode=0o777),
        file_plan("/bin/own", uid=33),
        file_plan("/bin/bare", mode=0o755),
    )
    side = there(
        regular("/bin/app", 0o755, digest="sha256:1"),
        regular("/bin/made", digest="sha256:1"),
        link("/bin/sh", "bash"),
        regular("/bin/own"),
        regular("/bin/bare", 0o755, bytes=7),
    )
    assert departures(side, plan) == {
        "/bin/app": ("changed", ("content",)),
        "/bin/made": ("changed", ("content",)),
        "/bin/own": ("changed", ("owner",)),
        "/bin/sh": ("changed", ("target",)),
    }


def test_code_that_the_plan_has_never_heard_of():
    """Programs, setuid files and libraries that somebody put in; not data, nor what a runtime lays over."""
    side = made_side(
        [],
        [
            regular("/opt/backdoor", 0o755),
            regular("/opt/su", 0o4644),
            regular("/opt/lib.so"),
            regular("/opt/data"),
            regular("/run/tool", 0o755),
        ],
        binaries={"/opt/lib.so": Binary(starts=False)},
    )
    added = ("added", ("unplanned",))
    assert departures(side, plan_of()) == {"/opt/backdoor": added, "/opt/lib.so": added, "/opt/su": added}


def test_what_runtimes_lay_over_is_not_the_images():
    """/etc/resolv.conf and what is mounted come and go; a device node is what scans leave out."""
    plan = plan_of(
        file_plan("/etc/resolv.conf", decision=Decision.DROP),
        file_plan("/proc/x", decision=Decision.DROP),
        directory("/dev"),
        file_plan("/dev/null", FileType.CHARACTER_DEVICE, device=(1, 3)),
        file_plan("/fifo", FileType.FIFO),
    )
    assert departures(made_side([], [regular("/etc/resolv.conf"), regular("/proc/x")]), plan) == {}


def test_a_side_that_lists_owned_files_only():
    """What no package owns would not be listed; what a package owns would."""
    tool = package_plan("tool", PURL.format("tool"))
    plan = plan_of(
        file_plan("/a", package=tool.id, bytes=1), file_plan("/b", bytes=1), directory("/c"), packages=[tool]
    )
    side = made_side([], [], kind=SideKind.SBOM, complete=False)
    assert departures(side, plan) == {"/a": ("removed", ())}


def test_a_side_that_lists_some_files_is_held_against_packages_and_those():
    """A CycloneDX document with a few file components: no file is missing, and what is listed counts."""
    tool, gone = package_plan("tool", PURL.format("tool")), package_plan("gone", PURL.format("gone"))
    shell = package_plan("sh", PURL.format("sh"), Decision.DROP)
    plan = plan_of(
        file_plan("/a", package=tool.id, bytes=1),
        file_plan("/sh", decision=Decision.DROP),
        packages=[tool, gone, shell],
    )
    keys = [PackageKey("deb", "debian", name, "amd64") for name in ("tool", "sh")]
    side = made_side(
        [package(key) for key in keys], [regular("/sh")], kind=SideKind.SBOM, complete=False, lists_owned=False
    )
    assert departures(side, plan) == {
        PURL.format("sh"): ("added", ()),
        PURL.format("gone"): ("removed", ()),
        "/sh": ("added", ()),
    }


def test_a_partial_side_may_leave_out_empty_files():
    """Syft writes an empty file of a package into SPDX as it does a directory: not to see it says nothing."""
    tool = package_plan("tool", PURL.format("tool"))
    plan = plan_of(file_plan("/a", package=tool.id, bytes=0), packages=[tool])
    assert departures(made_side([], [], kind=SideKind.SBOM, complete=False), plan) == {}
    assert departures(made_side([], [], kind=SideKind.SBOM), plan) == {"/a": ("removed", ())}


def test_a_side_without_files_is_held_against_the_packages():
    """By their purls; types that the side can't tell are left out."""
    plan = plan_of(
        packages=[
            package_plan("tool", PURL.format("tool")),
            package_plan("lib", PURL.format("lib")),
            package_plan("sh", PURL.format("sh"), Decision.DROP),
            package_plan("x", "pkg:npm/x@1", type="npm"),
        ]
    )
    keys = [PackageKey("deb", "debian", name, "amd64") for name in ("tool", "sh")]
    side = made_side([package(key) for key in keys], None, package_types=frozenset({"deb"}))
    assert departures(side, plan) == {PURL.format("sh"): ("added", ()), PURL.format("lib"): ("removed", ())}


@pytest.fixture
def pruned(small, tmp_path, run):
    """A plan directory and the root that it makes."""
    plan, root = tmp_path / "plan", tmp_path / "pruned"
    assert run("plan", small.sbom, "--root", small.directory, "--entry", "/usr/bin/tool", "-o", plan).code == 0
    assert run("apply", plan, "--root", small.directory, "--dest", root).code == 0
    return plan, root


def test_an_applied_plan_conforms(pruned):
    """What `pruner apply` writes is what the plan says, made files included, and the plan's side differs in nothing."""
    plan, root = pruned
    stated, side = load_plan(plan), read_side(str(root))
    assert conformity(side, stated) == ()
    comparison = compare(plan_side(stated, name="plan"), side, plan=stated)
    assert (comparison.packages, comparison.files, comparison.conformity) == ((), (), ())


def test_a_root_that_was_tampered_with_does_not(pruned, small):
    """A dropped file that came back, a kept one that went."""
    plan, root = pruned
    stated = load_plan(plan)
    back = next(file.path for file in stated.files if file.decision is Decision.DROP and file.type is FileType.REGULAR)
    gone = next(file.path for file in stated.files if file.decision is Decision.KEEP and file.type is FileType.REGULAR)
    place = Path(f"{root}{back}")
    place.parent.mkdir(parents=True, exist_ok=True)
    shutil.copy2(f"{small.directory}{back}", place)
    Path(f"{root}{gone}").unlink()
    assert departures(read_side(str(root)), stated) == {back: ("added", ()), gone: ("removed", ())}


def test_the_fat_image_is_not_what_the_plan_says(pruned, small):
    """Everything dropped is there, and made files are not."""
    plan, _ = pruned
    stated = load_plan(plan)
    found = departures(read_side(str(small.sbom)), stated)
    dropped = {
        file.path for file in stated.files if file.decision is Decision.DROP and file.type is not FileType.DIRECTORY
    }
    assert {path for path, (change, _) in found.items() if change == "added"} == dropped


def test_a_plan_of_another_image():
    """Where most of what the plan keeps, or all that it starts, is not there, that is the first note."""
    plan = plan_of(*KEPT, file_plan("/bin/x"), file_plan("/bin/y"))
    most = [regular("/bin/app", 0o755), regular("/bin/x"), regular("/bin/y")]
    assert compare(there(*most), there(*most), plan=plan).notes == ()
    bare = there(regular("/bin/app", 0o755))
    expected = "the plan seems to be of another image: 3 of the 4 files that it keeps are not there"
    assert compare(bare, bare, plan=plan).notes[0] == expected


def test_a_plan_whose_entry_points_are_not_there():
    """Nothing of what a plan starts in the image: it is hardly the image's plan."""
    from pruner.gate.compare.conformity import plan_note
    from pruner.gate.types import Change, FileChange

    plan = plan_of(*KEPT, file_plan("/bin/x"), file_plan("/bin/y"))
    gone = [FileChange(path="/bin/app", change=Change.REMOVED, before=None, after=None)]
    assert plan_note(there(), plan, gone, ["/bin/app"]) == (
        "the plan seems to be of another image: nothing that it starts is there",
    )
    assert plan_note(there(), plan, gone, ["/bin/app", "/bin/x"]) == ()


def test_a_plan_of_another_image_by_packages():
    """A listing without files is held against the plan's packages."""
    plan = plan_of(packages=[package_plan(name, purl=PURL.format(name)) for name in ("a", "b", "c")])
    side = made_side([], None)
    assert "3 of the 3 packages" in compare(side, side, plan=plan).notes[0]
