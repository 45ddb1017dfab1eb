"""The gate on roots of Alpine and rpm that their own package managers changed, tampered with, pruned and applied."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

import pytest

from pruner.gate.compare import compare
from pruner.gate.sides import read_side
from pruner.gate.sides.plan import read_plan
from tests.integration import rpms
from tests.integration.alpinemachine import Machine, make_machine
from tests.integration.commands import pruner
from tests.support import need

pytestmark = pytest.mark.integration


@pytest.fixture(scope="module")
def machine(tmp_path_factory) -> Machine:
    return make_machine(tmp_path_factory.mktemp("alpine"))


@pytest.fixture(scope="module")
def rpm_root(tmp_path_factory) -> Path:
    rpms.need_tools()
    home = tmp_path_factory.mktemp("rpm")
    rpms.installed(rpms.repository(home / "repository"), home / "root", home / "home", "greet")
    return home / "root"


def copied(root: Path, place: Path) -> Path:
    subprocess.run(["cp", "-a", str(root), str(place)], check=True)
    return place


def visibility(before: Path, after: Path) -> dict[str, str]:
    """By name of every package that differs: its change where it is there still, else its visibility."""
    changes = compare(read_side(str(before)), read_side(str(after))).packages
    return {
        change.key.name: change.visibility if change.change == "removed" else str(change.change) for change in changes
    }


class TestAlpine:
    def test_a_scan_and_its_root_are_one(self, machine):
        """Packages, files and their owners, whoever says them."""
        for before, after in ((machine.sbom, machine.fat), (machine.fat, machine.sbom)):
            comparison = compare(read_side(str(before)), read_side(str(after)))
            assert (comparison.packages, comparison.files) == ((), ())

    def test_a_package_that_apk_deleted_is_removed(self, machine, tmp_path):
        """Entry and files are gone; that apk wrote its database anew hides nothing else."""
        root = copied(machine.fat, tmp_path / "root")
        box = [need("bwrap"), "--bind", str(root), "/", "--proc", "/proc", "--dev", "/dev", "--unshare-net", "--"]
        apk = ["apk", "del", "--no-network", "--repositories-file", "/dev/null", "greeter"]
        subprocess.run([*box, *apk], check=True, capture_output=True)
        assert visibility(machine.fat, root) == {"greeter": "removed"}

    def test_an_entry_edited_away_hides_its_package(self, machine, tmp_path):
        """One link, or certificates in /etc, are files that remain."""
        root = copied(machine.fat, tmp_path / "root")
        database = root / "lib/apk/db/installed"
        hidden = ("busybox-binsh", "ca-certificates-bundle", "libcrypto3")
        entries = database.read_text().split("\n\n")
        database.write_text("\n\n".join(text for text in entries if not any(f"P:{name}\n" in text for name in hidden)))
        assert visibility(machine.fat, root) == dict.fromkeys(hidden, "invisible")

    def test_without_its_database_every_package_that_has_files_is_hidden(self, machine, tmp_path):
        """A package that never had one is removed by its entry alone."""
        root = copied(machine.fat, tmp_path / "root")
        shutil.rmtree(root / "lib/apk/db")
        found = visibility(machine.fat, root)
        assert [name for name, state in found.items() if state != "invisible"] == ["libc-utils"]
        assert len(found) == 16

    def test_revisions_are_ordered_as_apk_orders_them(self, machine, tmp_path):
        """`-r9` is older than `-r19`; nothing but the entry says so, which is told."""
        root = copied(machine.fat, tmp_path / "root")
        database = root / "lib/apk/db/installed"
        database.write_text(database.read_text().replace("P:busybox\nV:1.36.1-r19", "P:busybox\nV:1.36.1-r9"))
        (older,) = compare(read_side(str(machine.fat)), read_side(str(root))).packages
        assert (older.key.name, older.change, older.visibility) == ("busybox", "downgraded", "unknown")
        assert visibility(root, machine.fat) == {"busybox": "upgraded"}

    def test_what_apply_writes_is_the_plan(self, machine, tmp_path):
        """As a side, and by conformity; one applet more is a departure."""
        plan = machine.plan("gate", "--root", str(machine.fat), "--entry", "cmd:/usr/bin/greet")
        pruner("apply", plan, "--root", machine.fat, "--dest", tmp_path / "out")
        side, planned = read_side(str(tmp_path / "out")), read_plan(plan)
        comparison = compare(read_side(str(plan)), side, plan=planned)
        assert (comparison.packages, comparison.files, comparison.conformity) == ((), (), ())
        (tmp_path / "out/usr/bin/wget").symlink_to("/bin/busybox")
        (departure,) = compare(side, read_side(str(tmp_path / "out")), plan=planned).conformity or ()
        assert (departure.path, departure.change) == ("/usr/bin/wget", "added")


class TestRpm:
    def test_a_package_that_rpm_erased_is_removed(self, rpm_root, tmp_path):
        """And one whose entry alone was erased is hidden, as is one of links only."""
        erased, hidden = copied(rpm_root, tmp_path / "erased"), copied(rpm_root, tmp_path / "hidden")
        for root, options in (
            (erased, ["greet-plugin"]),
            (hidden, ["--justdb", "--nodeps", "greet-libs", "filesystem"]),
        ):
            command = [need("rpm"), "--root", str(root), "--dbpath", rpms.DATABASE, "-e", *options]
            subprocess.run(command, check=True, capture_output=True, env=rpms.environment(tmp_path / "home"))
        assert visibility(rpm_root, erased) == {"greet-plugin": "removed"}
        assert visibility(rpm_root, hidden) == {"greet-libs": "invisible", "filesystem": "invisible"}

    def test_without_its_database_every_package_is_hidden(self, rpm_root, tmp_path):
        """The files are all there."""
        root = copied(rpm_root, tmp_path / "root")
        shutil.rmtree(root / rpms.DATABASE[1:])
        assert set(visibility(rpm_root, root).values()) == {"invisible"}
