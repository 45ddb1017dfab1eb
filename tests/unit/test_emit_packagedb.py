"""The package database of a pruned root, as values and as the real syft reads it."""

from __future__ import annotations

import hashlib
import json
import os
import subprocess
from dataclasses import replace
from pathlib import Path

import pytest

from pruner.emit.packagedb import package_database, with_package_database
from pruner.errors import InputError
from pruner.model import DeclaredFile, File, FileType, Inventory, Package, PackageId
from pruner.plan import Decision, FilePlan, PackagePlan, Plan, Totals
from pruner.rootfs import Tree
from tests.support import syft

OS_RELEASE = b'PRETTY_NAME="Debian GNU/Linux 12"\nID=debian\nVERSION_ID="12"\n'

STANZA = """\
Package: {name}
Status: {status}
Priority: optional
Installed-Size: 40
Maintainer: Somebody <somebody@example.org>
Architecture: {architecture}
Multi-Arch: same
Source: {source}
Version: {version}
Depends: libc6 (>= 2.34) | libc6-other, debconf:any
Conffiles:
 /etc/{name}.conf d41d8cd98f00b204e9800998ecf8427e
 /etc/{name}.gone d41d8cd98f00b204e9800998ecf8427e obsolete
Description: short text
 long text
 .
 more of it
"""


def md5(path: str) -> str:
    return hashlib.md5(path.encode()).hexdigest()


def deb(
    name,
    version="1.0",
    *,
    architecture="amd64",
    files=None,
    stanza=True,
    status="install ok installed",
    source="src (0.9-1)",
):
    paths = files if files is not None else (f"/usr/bin/{name}", f"/usr/share/{name}/data")
    text = STANZA.format(name=name, version=version, architecture=architecture, status=status, source=source)
    return Package(
        id=PackageId(f"{name}:{architecture}"),
        type="deb",
        name=name,
        version=version,
        architecture=architecture,
        source="src",
        source_version="0.9-1",
        maintainer="Somebody <somebody@example.org>",
        installed_bytes=40 * 1024,
        depends=("libc6 (>= 2.34) | libc6-other", "debconf:any"),
        files=(
            *(DeclaredFile(path=path, digest=f"md5:{md5(path)}") for path in paths),
            DeclaredFile(path=f"/etc/{name}.conf", digest="md5:d41d8cd98f00b204e9800998ecf8427e", conffile=True),
            DeclaredFile(path=f"/etc/{name}.gone", digest="md5:d41d8cd98f00b204e9800998ecf8427e", conffile=True),
        ),
        locations=("/var/lib/dpkg/status",),
        stanza=text if stanza else None,
    )


def tree_of(*paths: str, links: dict[str, str] | None = None) -> Tree:
    files: dict[str, File] = {}
    for path in paths:
        for parent in Path(path).parents:
            if str(parent) != "/":
                files[str(parent)] = File(path=str(parent), type=FileType.DIRECTORY, mode=0o755)
        files[path] = File(path=path, type=FileType.REGULAR)
    for path, target in (links or {}).items():
        files[path] = File(path=path, type=FileType.SYMLINK, target=target)
    return Tree(dict(sorted(files.items())))


def tree_of_packages(*packages: Package, **options) -> Tree:
    return tree_of(*(declared.path for package in packages for declared in package.files), **options)


class TestDebian:
    def test_has_the_image_s_own_stanza_less_its_status(self):
        """`status.d/NAME` is what `dpkg-deb --field` prints, as in distroless images."""
        tool = deb("tool")
        made = package_database(
            [tool], tree_of_packages(tool), frozenset({"/usr/bin/tool", "/etc/tool.conf", "/etc/tool.gone"})
        )
        assert made["/var/lib/dpkg/status.d/tool"].decode() == tool.stanza.replace("Status: install ok installed\n", "")

    def test_lists_sums_of_kept_files_only(self):
        """A scanner must not believe in files that are gone; conffiles are not in md5sums."""
        tool = deb("tool")
        made = package_database([tool], tree_of_packages(tool), frozenset({"/usr/bin/tool", "/etc/tool.conf"}))
        assert made["/var/lib/dpkg/status.d/tool.md5sums"].decode() == f"{md5('/usr/bin/tool')}  usr/bin/tool\n"

    def test_leaves_out_conffiles_that_are_gone(self):
        """The field keeps the lines of kept ones, and goes with the last of them."""
        tool = deb("tool")
        made = package_database([tool], tree_of_packages(tool), frozenset({"/usr/bin/tool", "/etc/tool.conf"}))
        assert b" /etc/tool.conf d41d" in made["/var/lib/dpkg/status.d/tool"]
        assert b"tool.gone" not in made["/var/lib/dpkg/status.d/tool"]
        made = package_database([tool], tree_of_packages(tool), frozenset({"/usr/bin/tool"}))
        assert b"Conffiles" not in made["/var/lib/dpkg/status.d/tool"]

    def test_finds_declared_paths_through_directory_links(self):
        """dpkg says /bin/sh where a merged /usr has /usr/bin/sh; the sum keeps dpkg's spelling."""
        shell = deb("shell", files=("/bin/sh",))
        tree = tree_of("/usr/bin/sh", links={"/bin": "usr/bin"})
        made = package_database([shell], tree, frozenset({"/usr/bin/sh"}))
        assert made["/var/lib/dpkg/status.d/shell.md5sums"].endswith(b"  bin/sh\n")

    def test_names_the_second_architecture_of_a_package(self):
        """Two packages of one name have two entries."""
        pair = [deb("lib", files=("/lib/a",)), deb("lib", architecture="i386", files=("/lib/b",))]
        made = package_database(pair, tree_of_packages(*pair), frozenset({"/lib/a", "/lib/b"}))
        assert sorted(made) == [
            f"/var/lib/dpkg/status.d/{name}" for name in ("lib", "lib.md5sums", "lib:i386", "lib:i386.md5sums")
        ]

    def test_leaves_out_packages_that_are_removed_but_not_purged(self):
        """What is left of them are configuration files, not the package."""
        gone = deb("gone", status="deinstall ok config-files")
        assert not package_database([gone], tree_of_packages(gone), frozenset({"/etc/gone.conf"}))

    def test_leaves_out_packages_that_are_not_in_a_database(self):
        """An archive that lies about, and the note in a binary, are no installed packages."""
        archive = replace(deb("archive"), locations=("/srv/archive.deb",))
        assert not package_database([archive], tree_of_packages(archive), frozenset({"/srv/archive.deb"}))

    def test_makes_dpkg_s_own_files_where_something_needs_them(self):
        """Then there is no status.d beside them: every package is listed once."""
        tool = deb("tool")
        made = package_database([tool], tree_of_packages(tool), frozenset({"/usr/bin/tool"}), needs_status=True)
        assert sorted(made) == ["/var/lib/dpkg/info/tool.md5sums", "/var/lib/dpkg/status"]
        assert b"Status: install ok installed" in made["/var/lib/dpkg/status"]

    @pytest.mark.parametrize("name", ["../../etc/passwd", "a/b", "", "a\nb", "-rf", "x.md5sums", "a b", "."])
    def test_refuses_names_that_are_no_package_names(self, name):
        """They would become file names."""
        with pytest.raises(InputError, match="package name"):
            package_database([deb(name)], tree_of("/x"), frozenset())

    def test_refuses_fields_that_would_start_another_field(self):
        """The SBOM's texts are not trusted."""
        evil = deb("evil", version="1\nStatus: x", stanza=False)
        with pytest.raises(InputError, match="Version of package evil"):
            package_database([evil], tree_of("/x"), frozenset())

    def test_refuses_a_package_that_is_there_twice(self):
        """An SBOM of all layers lists packages that are no longer there."""
        with pytest.raises(InputError, match="installed twice"):
            package_database([deb("a", "1"), deb("a", "2")], tree_of("/x"), frozenset())


APK_STANZA = """\
C:Q1abc=
P:busybox
V:1.36.1-r15
A:x86_64
o:busybox
D:so:libc.musl-x86_64.so.1
p:cmd:busybox=1.36.1-r15
F:bin
M:0:0:755
R:busybox
a:0:0:755
Z:Q1one=
R:gone
Z:Q1two=
F:etc
R:securetty
Z:Q1three=
F:var/empty
M:0:0:555
"""


class TestAlpine:
    KEPT = frozenset({"/bin", "/bin/busybox", "/var", "/var/empty", "/lib/apk/db/installed"})
    TREE = tree_of("/bin/busybox", "/bin/gone", "/etc/securetty", "/var/empty/x", "/lib/apk/db/installed")

    def package(self, **fields):
        values = {
            "id": PackageId("busybox"), "type": "apk", "name": "busybox", "version": "1.36.1-r15", "architecture": "x86_64",
            "locations": ("/lib/apk/db/installed",), "stanza": APK_STANZA,
        }  # fmt: skip
        return Package(**(values | fields))

    def test_is_the_image_s_own_less_what_is_gone(self):
        """Files, and directories with their owners, go; the rest of the entry stays."""
        made = package_database([self.package()], self.TREE, self.KEPT)
        dropped = ("R:gone\nZ:Q1two=\n", "F:etc\nR:securetty\nZ:Q1three=\n")
        expected = APK_STANZA
        for text in dropped:
            expected = expected.replace(text, "")
        assert made == {"/lib/apk/db/installed": f"{expected}\n".encode(), "/etc/apk/world": b"busybox\n"}

    def test_is_made_from_the_sbom_where_no_database_was_read(self):
        """Name, version, origin, dependencies and the kept files are what scanners read."""
        declared = (
            DeclaredFile(path="/bin"),
            DeclaredFile(path="/bin/busybox", digest="'Q1'+base64(sha1):Q1one="),
            DeclaredFile(path="/bin/gone", digest="'Q1'+base64(sha1):Q1two="),
        )
        package = self.package(stanza=None, files=declared, depends=("so:libc.musl-x86_64.so.1",), source="busybox")
        made = package_database([package], self.TREE, self.KEPT)
        assert made["/lib/apk/db/installed"].decode().splitlines() == [
            "P:busybox", "V:1.36.1-r15", "A:x86_64", "o:busybox", "D:so:libc.musl-x86_64.so.1", "F:bin", "R:busybox", "Z:Q1one=", "",
        ]  # fmt: skip

    def test_holds_what_only_the_root_s_own_database_lists(self):
        """Such a package has the database's directory for its location, not a file."""
        tree = tree_of("/bin/busybox", "/lib/apk/db/installed")
        made = package_database([self.package(locations=("/lib/apk/db",))], tree, self.KEPT)
        assert list(made) == ["/lib/apk/db/installed", "/etc/apk/world"]

    def test_names_the_archive_where_the_sbom_does(self):
        """apk's checksum of the archive, and nothing that only calls itself one."""
        good = "Q1" + "a" * 27 + "="
        for checksum, expected in (
            (good, f"C:{good}\nP:busybox\n"),
            ("Q1", "P:busybox\n"),
            ("Q1 a\nR:b", "P:busybox\n"),
        ):
            made = package_database([self.package(stanza=None, checksum=checksum)], self.TREE, self.KEPT)
            assert made["/lib/apk/db/installed"].decode().startswith(expected)

    def test_lies_where_the_image_has_it(self):
        """Newer releases have it below /usr/lib."""
        tree = tree_of("/usr/lib/apk/db/installed")
        made = package_database([self.package(locations=("/usr/lib/apk/db/installed",))], tree, frozenset())
        assert list(made) == ["/usr/lib/apk/db/installed", "/etc/apk/world"]


NOTHING = Totals(packages=0, files=0, bytes=0, setuid_files=0, shells=0, interpreters=0, package_managers=0)


def plan_of(inventory: Inventory, kept: set[str], present: set[str]) -> Plan:
    """What planning would hand on: a decision for every file and package."""
    return Plan(
        profile="balanced",
        entries=(),
        inputs=(),
        image=None,
        distro=inventory.distro,
        mode="root",
        files=tuple(
            FilePlan(
                path=file.path, type=file.type, mode=file.mode, uid=file.uid, gid=file.gid, bytes=file.bytes, target=file.target,
                hardlink=file.hardlink, device=file.device, owner=None, package=None, reason="", origin=None,
                decision=Decision.KEEP if file.path in kept else Decision.DROP,
            )
            for file in inventory.files.values()
        ),
        packages=tuple(
            PackagePlan(
                id=package.id, purl="", type=package.type, name=package.name, version=package.version,
                architecture=package.architecture, bytes=0, kept_bytes=0, reason="",
                decision=Decision.SLICE if package.id in present else Decision.DROP,
            )
            for package in inventory.packages
        ),
        edges=(),
        before=NOTHING,
        after=NOTHING,
    )  # fmt: skip


def made_of(plan: Plan) -> dict[str, bytes | None]:
    return {file.path: file.content for file in plan.files if file.decision is Decision.MAKE}


class TestPlan:
    def inventory(self, *more: str) -> Inventory:
        packages = (deb("one"), deb("two"))
        paths = [declared.path for package in packages for declared in package.files]
        return Inventory(
            name="x", format="syft-json", packages=packages, files=tree_of(*paths, "/var/lib/dpkg/status", *more).files
        )

    def test_adds_the_packages_that_are_there_and_keeps_the_directories_above(self):
        """A directory that the image lacks is made, one that it has is kept."""
        plan = with_package_database(
            plan_of(self.inventory(), {"/usr", "/usr/bin", "/usr/bin/one"}, {"one:amd64"}), self.inventory()
        )
        assert sorted(made_of(plan)) == [
            "/var/lib/dpkg/status.d", "/var/lib/dpkg/status.d/one", "/var/lib/dpkg/status.d/one.md5sums",
        ]  # fmt: skip
        decisions = {file.path: file.decision for file in plan.files}
        assert decisions["/var/lib/dpkg"] is Decision.KEEP
        assert decisions["/var/lib/dpkg/status"] is Decision.DROP

    def test_counts_what_it_adds(self):
        """The totals are those of the root as it will be."""
        plan = with_package_database(
            plan_of(self.inventory(), {"/usr", "/usr/bin", "/usr/bin/one"}, {"one:amd64"}), self.inventory()
        )
        assert plan.after.files == 3
        assert plan.after.bytes == sum(len(content or b"") for content in made_of(plan).values())

    def test_drops_entries_of_packages_that_are_gone(self):
        """A distroless image has a status.d of its own; whatever kept it, it must not name what is not there."""
        inventory = self.inventory("/var/lib/dpkg/status.d/one", "/var/lib/dpkg/status.d/two")
        kept = {path for path in inventory.files if "two" not in path or "status.d" in path} - {"/var/lib/dpkg/status"}
        plan = with_package_database(plan_of(inventory, kept, {"one:amd64"}), inventory)
        decisions = {file.path: file.decision for file in plan.files}
        assert decisions["/var/lib/dpkg/status.d/two"] is Decision.DROP
        assert decisions["/var/lib/dpkg/status.d/one"] is Decision.MAKE

    def test_trims_the_status_that_a_kept_program_needs(self):
        """What was kept for a reason stays in its place, and tells the truth."""
        inventory = self.inventory()
        kept = {"/usr", "/usr/bin", "/usr/bin/one", "/var", "/var/lib", "/var/lib/dpkg", "/var/lib/dpkg/status"}
        made = made_of(with_package_database(plan_of(inventory, kept, {"one:amd64"}), inventory))
        assert b"Package: one" in made["/var/lib/dpkg/status"]
        assert b"Package: two" not in made["/var/lib/dpkg/status"]
        assert not any("status.d" in path for path in made)

    def test_says_that_it_can_make_no_rpm_database(self):
        """A scanner will be blind there, and the plan says so."""
        package = Package(
            id=PackageId("r"), type="rpm", name="bash", version="5", locations=("/var/lib/rpm/rpmdb.sqlite",)
        )
        inventory = Inventory(name="x", format="syft-json", packages=(package,), files=tree_of("/usr/bin/bash").files)
        plan = with_package_database(plan_of(inventory, {"/usr", "/usr/bin", "/usr/bin/bash"}, {"r"}), inventory)
        assert made_of(plan) == {}
        assert "1 rpm packages" in plan.lacks[-1]

    def test_adds_nothing_where_nothing_of_a_package_is_kept(self):
        """A static binary alone has no package database."""
        plan = plan_of(self.inventory(), set(), set())
        assert with_package_database(plan, self.inventory()) == plan


def scan(root: Path) -> list[dict]:
    done = subprocess.run(
        [syft(), f"dir:{root}", "-o", "syft-json", "-q"],
        capture_output=True,
        check=True,
        env={**os.environ, "SYFT_CHECK_FOR_APP_UPDATE": "false"},
    )
    return [artifact for artifact in json.loads(done.stdout)["artifacts"] if artifact["type"] in ("deb", "apk")]


def write(root: Path, contents: dict[str, bytes]) -> Path:
    for path, content in contents.items():
        target = root / path.lstrip("/")
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_bytes(content)
    return root


class TestSyft:
    @pytest.mark.parametrize("stanza", [True, False], ids=["stanzas of the image", "stanzas made from an SBOM"])
    @pytest.mark.parametrize("needs_status", [False, True], ids=["status.d", "status"])
    def test_sees_the_same_packages_with_their_kept_files(self, tmp_path, stanza, needs_status):
        """Epochs, sources and architectures make the same purls as the fat root's; files are those that are there."""
        packages = [
            deb("epoch", "1:4.13+dfsg1-1", stanza=stanza),
            deb("lib", "2~rc1", files=("/lib/a",), stanza=stanza),
            deb("lib", "2~rc1", architecture="i386", files=("/lib/b",), stanza=stanza),
        ]
        absent = deb("absent")
        fat = write(
            tmp_path / "fat",
            {
                "/etc/os-release": OS_RELEASE,
                "/var/lib/dpkg/status": "\n".join(
                    deb(p.name, p.version, architecture=p.architecture).stanza for p in packages
                ).encode(),
            },
        )
        expected = sorted(artifact["purl"] for artifact in scan(fat))
        kept = {"/usr/bin/epoch", "/lib/a", "/lib/b", "/etc/epoch.conf"}
        made = package_database(
            packages, tree_of_packages(*packages, absent), frozenset(kept), needs_status=needs_status
        )
        pruned = write(
            tmp_path / "pruned", {"/etc/os-release": OS_RELEASE, **{path: path.encode() for path in kept}, **made}
        )
        found = scan(pruned)
        assert sorted(artifact["purl"] for artifact in found) == expected
        assert len(expected) == 3
        listed = {file["path"] for artifact in found for file in artifact["metadata"].get("files") or ()}
        assert listed == kept

    @pytest.mark.parametrize("stanza", [APK_STANZA, None], ids=["entry of the image", "entry made from an SBOM"])
    def test_sees_the_same_alpine_packages(self, tmp_path, stanza):
        """Name, version and origin make the same purl."""
        release = b"ID=alpine\nVERSION_ID=3.19.4\n"
        fat = write(
            tmp_path / "fat", {"/etc/os-release": release, "/lib/apk/db/installed": APK_STANZA.encode() + b"\n"}
        )
        package = TestAlpine().package(
            stanza=stanza, source="busybox", files=(DeclaredFile(path="/bin/busybox"), DeclaredFile(path="/bin/gone"))
        )
        made = package_database([package], TestAlpine.TREE, TestAlpine.KEPT)
        pruned = write(tmp_path / "pruned", {"/etc/os-release": release, **made})
        assert [artifact["purl"] for artifact in scan(pruned)] == [artifact["purl"] for artifact in scan(fat)]
        files = {file["path"] for artifact in scan(pruned) for file in artifact["metadata"]["files"]}
        assert "/bin/busybox" in files
        assert "/bin/gone" not in files
