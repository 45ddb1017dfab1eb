"""The rpm install plan: lock, script, lists and Dockerfile, from plans and materials made by hand."""

from __future__ import annotations

import io
import json
import os
import signal
import subprocess
import tarfile
import time
from dataclasses import replace
from pathlib import Path

import jsonschema
import pytest
from msgspec import structs

from pruner.emit import emit_all
from pruner.emit.packagelock import lock_schema
from pruner.emit.rpm import rpm_artifacts
from pruner.errors import InputError
from pruner.model import DeclaredFile, Distro, FileType, Inventory, Package, PackageId
from pruner.plan.materials import Materials, Shipped
from pruner.plan.types import Decision
from pruner.read.packagelock import read_lock
from pruner.rootfs import Tree
from tests.golden_support import assert_golden
from tests.support import need
from tests.unit.emit_plans import HOSTILE, directory, file_plan, package_plan, small_plan

TOOL, LIBRARY = "pkg:rpm/fedora/tool@2:1.0-1?arch=x86_64", "pkg:rpm/fedora/library@1.0-1?arch=x86_64"


def owned(path, name, **fields):
    return file_plan(path, package=PackageId(f"id-{name}"), owner=name, **fields)


def rpm_plan(**fields):
    """A whole package, a slice, a dropped one, and one of each kind of state."""
    values = {
        "distro": Distro(id="fedora", version_id="40"),
        "files": (
            directory("/etc"),
            owned("/etc/changed", "tool", bytes=4),
            file_plan("/etc/made", decision=Decision.MAKE, bytes=5, content=b"made\n", mode=0o600, uid=1, gid=2),
            file_plan("/etc/unowned", bytes=8, reason="config: named by tool"),
            file_plan("/etc/unread", bytes=9),
            file_plan("/etc/unread2", FileType.SOCKET),
            directory("/usr"),
            directory("/usr/bin", package=PackageId("id-gone")),
            owned("/usr/bin/tool", "tool", mode=0o4755, bytes=10),
            file_plan("/usr/bin/again", FileType.SYMLINK, target="tool", mode=0o777),
            directory("/usr/lib", package=PackageId("id-library")),
            owned("/usr/lib/dropped", "library", decision=Decision.DROP),
            owned("/usr/lib/lib.so.1", "library", bytes=3),
            directory("/usr/lib/sysimage", decision=Decision.DROP),
            file_plan("/usr/lib/sysimage/rpm/rpmdb.sqlite", decision=Decision.DROP),
        ),
        "packages": (
            package_plan("gone", "gone", Decision.DROP, type="rpm", version="1-1", architecture="x86_64"),
            package_plan("library", LIBRARY, Decision.SLICE, type="rpm", version="1.0-1", architecture="x86_64"),
            package_plan("tool", TOOL, type="rpm", version="2:1.0-1", architecture="x86_64"),
        ),
    }  # fmt: skip
    return small_plan(**(values | fields))


def materials(**fields):
    inventory = Inventory(
        name="x",
        format="syft-json",
        packages=(
            Package(id=PackageId("id-library"), type="rpm", name="library", version="1.0-1", installed_bytes=1025,
                    source="src", source_version="1.0-1", files=(DeclaredFile(path="/usr/lib/lib.so.1"),)),
            Package(id=PackageId("id-tool"), type="rpm", name="tool", version="2:1.0-1", checksum="sha256:" + "a" * 64,
                    filename="Packages/tool.rpm", download_bytes=7),
        ),
    )  # fmt: skip
    values = {
        "inventory": inventory,
        "tree": Tree({}),
        "shipped": {
            "/usr/bin/tool": Shipped(package=PackageId("id-tool"), name="/usr/bin/tool"),
            "/usr/lib/lib.so.1": Shipped(package=PackageId("id-library"), name="/usr/lib/lib.so.1"),
        },
        "contents": {"/etc/changed": b"mine", "/etc/unowned": b"unowned\n"},
        "unread": {"/etc/unread": "too large to be carried in a plan directory"},
        "modified": {"/etc/unowned": 1700000000},
    }
    return Materials(**(values | fields))


def artifacts(plan=None, given=None):
    return {artifact.path: artifact for artifact in rpm_artifacts(plan or rpm_plan(), given or materials())}


def script(plan=None, given=None):
    return artifacts(plan, given)["rpm/install.sh"].data.decode()


def members(archive):
    with tarfile.open(fileobj=io.BytesIO(archive.data)) as opened:
        return {
            member.name: (member, opened.extractfile(member).read() if member.isreg() else b"") for member in opened
        }


class TestArtifacts:
    def test_are_what_they_were(self, request):
        """Lock, script, list and Dockerfile byte by byte; the archive is looked at below."""
        update = request.config.getoption("--update-golden", default=False)
        found = [artifact for path, artifact in artifacts().items() if path != "rpm/state.tar"]
        assert_golden("rpm", found, update=update)

    def test_are_none_without_rpm_packages(self):
        """A Debian plan has no rpm/, nor has one whose rpm packages are all dropped, nor one without materials."""
        assert rpm_artifacts(small_plan(), materials()) == ()
        dropped = [replace(package, decision=Decision.DROP) for package in rpm_plan().packages]
        assert rpm_artifacts(rpm_plan(packages=tuple(dropped)), materials()) == ()
        assert not any(artifact.path.startswith("rpm/") for artifact in emit_all(rpm_plan(), image=None))

    def test_are_part_of_the_plan_directory(self):
        """With materials they are written, and the script may be executed."""
        found = {artifact.path: artifact for artifact in emit_all(rpm_plan(), image=None, materials=materials())}
        assert found["rpm/install.sh"].mode == 0o755
        assert found.keys() >= artifacts().keys()

    def test_do_not_depend_on_the_order_of_packages(self):
        """The same decisions give the same bytes."""
        turned = rpm_plan(packages=tuple(reversed(rpm_plan().packages)))
        assert artifacts(turned) == artifacts()


class TestLock:
    def test_fits_its_schema(self, tmp_path):
        """Whole and sliced packages, what an index supplied, sizes in KiB rounded up, and the release."""
        lock = json.loads(artifacts()["rpm/packages.lock.json"].data)
        jsonschema.validate(lock, lock_schema())
        (tmp_path / "lock.json").write_bytes(artifacts()["rpm/packages.lock.json"].data)
        assert [package.name for package in read_lock(tmp_path / "lock.json").packages] == ["library", "tool"]
        assert (lock["ecosystem"], lock["architecture"], lock["distribution"]) == ("rpm", "x86_64", "fedora 40")
        library, tool = lock["packages"]
        assert (library["decision"], library["paths"], library["installed_kib"]) == ("slice", ["/usr/lib/lib.so.1"], 2)
        assert (tool["decision"], tool["version"], tool["checksum"]) == ("whole", "2:1.0-1", "sha256:" + "a" * 64)

    def test_names_a_package_once(self):
        """A package that the SBOM lists twice is installed once."""
        packages = rpm_plan().packages
        twice = rpm_plan(packages=(*packages, replace(packages[-1], id=PackageId("again"))))
        assert script(twice).count("tool-2:1.0-1.x86_64") == 1

    @pytest.mark.parametrize("field", ["name", "version", "architecture"])
    @pytest.mark.parametrize("text", ["$(id)", "a\nEND\nid", "-rf", "a*b", "", "a b"])
    def test_refuses_what_no_rpm_is_called(self, field, text):
        """Hostile names end with a message before anything is written."""
        wrong = replace(rpm_plan().packages[-1], **{field: text})
        with pytest.raises(InputError, match="can't be installed"):
            rpm_artifacts(rpm_plan(packages=(wrong,)), materials())

    def test_asks_no_repository_for_what_rpm_did_not_install_here(self):
        """A package of a root within the root, or of a note in a binary: its directories and files are state."""
        given = materials()
        library, tool = given.inventory.packages
        for place in ("/srv/root/var/lib/rpm/rpmdb.sqlite", "/usr/bin/tool"):
            inventory = replace(given.inventory, packages=(library, replace(tool, locations=(place,))))
            found = artifacts(given=replace(given, inventory=inventory))
            assert [one["name"] for one in json.loads(found["rpm/packages.lock.json"].data)["packages"]] == ["library"]
            assert b"/usr/bin/tool" not in found["rpm/kept.nul"].data

    def test_refuses_a_package_without_architecture(self):
        """An exact version of an unknown architecture is none."""
        wrong = replace(rpm_plan().packages[-1], architecture=None)
        with pytest.raises(InputError, match="can't be installed"):
            rpm_artifacts(rpm_plan(packages=(wrong,)), materials())


class TestNames:
    def test_brought_by_packages(self):
        """Kept files and directories of kept packages, parents first; a dropped package's directory is made instead."""
        assert artifacts()["rpm/kept.nul"].data == b"./usr/bin/tool\0./usr/lib\0./usr/lib/lib.so.1\0"

    def test_made_by_the_plan(self):
        """Changed and unowned files with their bytes, made ones, links, and directories of nobody that is installed."""
        found = members(artifacts()["rpm/state.tar"])
        assert sorted(found) == sorted(
            f"./{name}" for name in ("etc", "etc/changed", "etc/made", "etc/unowned", "usr", "usr/bin", "usr/bin/again")
        )
        made, content = found["./etc/made"]
        assert (made.mode, made.uid, made.gid, content) == (0o600, 1, 2, b"made\n")
        assert found["./etc/changed"][1] == b"mine"
        assert found["./etc/unowned"][0].mtime == 1700000000
        assert found["./usr/bin/again"][0].linkname == "tool"

    def test_secrets_are_readable_for_their_owner_only(self):
        """The archive that holds such a file is not for everybody, and the script says so."""
        found = artifacts()
        assert found["rpm/state.tar"].mode == 0o600
        assert "guard state.tar like the image" in script()
        bare = rpm_plan(files=(file_plan("/etc/unowned"),))
        assert artifacts(bare)["rpm/state.tar"].mode == 0o644
        assert "guard state.tar" not in script(bare)

    def test_not_made_are_told(self):
        """What has no known bytes is listed with its reason and counted, never invented."""
        text = script()
        assert '#   "/etc/unread": too large to be carried in a plan directory\n' in text
        assert '#   "/etc/unread2": a socket' in text
        assert "\nunmade=2\n" in text
        assert '#   "/etc/unowned": config: named by tool\n' in text

    def test_ghosts_are_state(self):
        """A file that a package declares and does not hold is not expected from it."""
        ghost = DeclaredFile(path="/usr/bin/tool", ghost=True)
        given = materials()
        packages = tuple(replace(package, files=(ghost,)) for package in given.inventory.packages)
        found = artifacts(given=replace(given, inventory=replace(given.inventory, packages=packages)))
        assert b"./usr/bin/tool\0" not in found["rpm/kept.nul"].data

    def test_that_the_image_has_otherwise_are_told(self):
        """Digests of one algorithm, and modes, show that a file is not the package's; other digests say nothing."""
        given = materials()
        for digest, declared, mode, said in (
            ("sha256:b", "sha256:a", 0o104755, "other content"),
            ("sha256:a", "sha256:a", 0o100755, "mode 4755"),
            ("sha256:a", "sha256:a", 0o104755, None),
            ("sha256:a", "md5:b", 0o104755, None),
        ):
            own = DeclaredFile(path="/usr/bin/tool", digest=declared, mode=mode)
            library, tool = given.inventory.packages
            inventory = replace(given.inventory, packages=(library, replace(tool, files=(own,))))
            files = tuple(
                structs.replace(file, digest=digest) if file.path == "/usr/bin/tool" else file
                for file in rpm_plan().files
            )
            text = script(rpm_plan(files=files), replace(given, inventory=inventory))
            assert ("AS THEIR PACKAGES BRING THEM" in text) is bool(said)
            assert f"\naltered={int(bool(said))}\n" in text
            assert said is None or f'#   "/usr/bin/tool": {said}\n' in text

    def test_hard_links_and_attributes_survive(self):
        """Further names of an unowned inode are links; file capabilities come along."""
        files = (
            directory("/opt"),
            file_plan("/opt/a", bytes=1),
            file_plan("/opt/b", bytes=1, hardlink="/opt/a"),
        )
        given = materials(
            contents={"/opt/a": b"x", "/opt/b": b"x"}, attributes={"/opt/a": {"security.capability": b"\1\xff\0"}}
        )
        found = members(artifacts(rpm_plan(files=files), given)["rpm/state.tar"])
        assert found["./opt/b"][0].linkname == "./opt/a"
        carried = found["./opt/a"][0].pax_headers["SCHILY.xattr.security.capability"]
        assert carried.encode("utf-8", "surrogateescape") == b"\1\xff\0"


class TestScript:
    def test_is_clean_by_shellcheck_whatever_the_names(self, tmp_path):
        """Names of files and of the release mean nothing to the shell."""
        files = tuple(file_plan(f"/{name}", reason=name) for name in HOSTILE)
        plan = rpm_plan(files=files, distro=Distro(id="x", version_id="4'0\n$(id)"))
        (tmp_path / "install.sh").write_text(script(plan, materials(contents={}, unread={})))
        done = subprocess.run(
            [need("shellcheck"), tmp_path / "install.sh"], capture_output=True, text=True, check=False
        )
        assert done.stdout == ""

    def test_comments_hold_no_line_break(self):
        """A file name can't end the comment that lists it."""
        files = (file_plan("/a\nid", reason="b\nid"), file_plan("/c\r\x85d", FileType.SOCKET))
        text = script(rpm_plan(files=files), materials(contents={"/a\nid": b""}))
        head = text.partition("\n\nset -eu\n")[0]
        assert all(line.startswith("#") for line in head.split("\n"))
        assert head == "\n".join(head.splitlines())

    @pytest.mark.parametrize(("text", "release"), [("40", "40"), ("", ""), ("4'0", ""), ("4\n0", ""), ("$(id)", "")])
    def test_takes_a_release_that_is_one(self, text, release):
        """Whatever os-release(5) does not allow is left for dnf to find."""
        assert f"\nrelease={release}\n" in script(rpm_plan(distro=Distro(id="x", version_id=text)))

    @pytest.mark.parametrize(
        ("path", "database"),
        [
            ("/usr/lib/sysimage/rpm/rpmdb.sqlite", "/usr/lib/sysimage/rpm"),
            ("/usr/share/rpm/rpmdb.sqlite", "/usr/share/rpm"),
            ("/var/lib/rpm/Packages", "/var/lib/rpm"),
            ("/nowhere", "/var/lib/rpm"),
        ],
    )
    def test_puts_the_database_where_the_image_has_it(self, path, database):
        """Scanners and rpm look there."""
        text = script(rpm_plan(files=(file_plan(path, decision=Decision.DROP),)))
        assert f"\ndatabase={database}\n" in text


class TestRun:
    """The script with a dnf that writes down what it is told; the real one is tried in tests/integration/test_rpm.py."""

    @pytest.fixture
    def place(self, tmp_path) -> Path:
        """A plan's rpm/ directory, tools in bin/, and an empty directory `out`."""
        plan = rpm_plan(distro=Distro(id="x", version_id="8.10"))
        for path, artifact in artifacts(plan).items():
            target = tmp_path / path
            target.parent.mkdir(exist_ok=True)
            target.write_bytes(artifact.data)
        for directory_name in ("bin", "out"):
            (tmp_path / directory_name).mkdir()
        self.tool(tmp_path, "id", "echo 0")
        self.tool(tmp_path, "rpm", "exit 1")
        self.tool(tmp_path, "rpmdb", "exit 1")
        return tmp_path

    def tool(self, place: Path, name: str, text: str) -> None:
        (place / "bin" / name).write_text(f"#!/bin/sh\n{text}\n")
        (place / "bin" / name).chmod(0o755)

    def run(self, place: Path, *words: str) -> subprocess.CompletedProcess[str]:
        path = f"{place}/bin:{os.environ['PATH']}"
        return subprocess.run(
            ["/bin/sh", place / "rpm/install.sh", *words], env={**os.environ, "PATH": path, "HOME": str(place)},
            capture_output=True, text=True, check=False,
        )  # fmt: skip

    def test_asks_for_exact_versions_and_nothing_weak(self, place):
        """Each word arrives as one: options of the caller, the release, and the packages last."""
        self.tool(place, "dnf", f'printf "<%s>" "$@" >>{place}/told; echo >>{place}/told; [ -e {place}/answer ]')
        done = self.run(place, place / "out/root", "--repofrompath=a b,file:///x")
        assert done.returncode == 1
        assert "could not read the repositories" in done.stderr
        (told,) = (place / "told").read_text().splitlines()
        assert "<--releasever=8.10>" in told
        assert "<--setopt=install_weak_deps=False><--setopt=tsflags=noscripts,notriggers>" in told
        assert "<--repofrompath=a b,file:///x><repoquery>" in told
        assert told.endswith("<library-0:1.0-1.x86_64><tool-2:1.0-1.x86_64>")
        assert list((place / "out").iterdir()) == []

    def test_names_every_version_that_is_missing(self, place):
        """One line a package, and dnf is not asked to install."""
        self.tool(place, "dnf", f"echo x >>{place}/told; printf '\\ntool-2:1.0-1.x86_64\\ntool-2:1.0-10.x86_64\\n'")
        done = self.run(place, place / "out/root")
        assert done.returncode == 1
        assert "library-0:1.0-1.x86_64 is not in the repositories" in done.stderr
        assert "tool-2" not in done.stderr
        assert (place / "told").read_text() == "x\n"
        assert list((place / "out").iterdir()) == []

    def test_leaves_nothing_when_dnf_fails(self, place):
        """What dnf said is shown, and the work directory is gone."""
        self.tool(
            place, "dnf",
            'case " $* " in *" repoquery "*) printf "tool-2:1.0-1.x86_64\\nlibrary-0:1.0-1.x86_64\\n";; *) echo no; exit 1;; esac',
        )  # fmt: skip
        done = self.run(place, place / "out/root")
        assert done.returncode == 1
        assert "no\n" in done.stderr
        assert "dnf could not install" in done.stderr
        assert list((place / "out").iterdir()) == []

    def test_leaves_nothing_when_it_is_interrupted(self, place):
        """As a terminal does it: the signal reaches the script and dnf alike."""
        self.tool(place, "dnf", f"touch {place}/begun; exec sleep 60")
        process = subprocess.Popen(
            ["/bin/sh", place / "rpm/install.sh", place / "out/root"], start_new_session=True,
            env={**os.environ, "PATH": f"{place}/bin:{os.environ['PATH']}"}, stderr=subprocess.DEVNULL,
        )  # fmt: skip
        while not (place / "begun").exists():
            assert process.poll() is None
            time.sleep(0.01)
        assert list((place / "out").iterdir()) != []
        os.killpg(process.pid, signal.SIGTERM)
        assert process.wait(20) != 0
        assert list((place / "out").iterdir()) == []

    @pytest.mark.parametrize("tool", ["dnf", "rpm"])
    def test_says_which_tool_is_missing(self, place, tool):
        """A machine without dnf or rpm gets a sentence."""
        for name in ("dnf", "rpm", "rpmdb", "id"):
            self.tool(place, name, "echo 0")
        (place / "bin" / tool).unlink()
        for name in ("tar", "grep", "mktemp", "dirname", "cat"):
            (place / "bin" / name).symlink_to(need(name))
        done = subprocess.run(
            ["/bin/sh", place / "rpm/install.sh", place / "out/root"], env={"PATH": f"{place}/bin"},
            capture_output=True, text=True, check=False,
        )  # fmt: skip
        assert done.returncode == 4
        assert f"{tool} is missing" in done.stderr

    def test_a_link_is_no_destination(self, place):
        """Not even one that leads to an empty directory: it is refused before dnf is asked."""
        self.tool(place, "dnf", f"touch {place}/told")
        (place / "link").symlink_to("out")
        for word in ("link", "link/"):
            done = self.run(place, f"{place}/{word}")
            assert (done.returncode, "is a link" in done.stderr) == (2, True)
        assert not (place / "told").exists()

    def test_without_a_destination_shows_how(self, place):
        """Usage, and exit 2."""
        done = self.run(place)
        assert (done.returncode, "usage:" in done.stderr) == (2, True)


class TestDockerfile:
    def test_ends_from_scratch_with_the_configuration_of_the_image(self):
        """The base is an argument; the last stage has the image's own settings."""
        text = artifacts()["rpm/Dockerfile"].data.decode()
        assert "ARG BASE_IMAGE\nFROM ${BASE_IMAGE} AS installed\n" in text
        last = text.partition("FROM scratch\n")[2]
        assert last.startswith("COPY --from=installed /.pruned/ /\n")
        assert 'ENTRYPOINT ["/usr/bin/python3", "-m", "app"]' in last
        assert "USER app\n" in last
