"""The Alpine install plan as text: lock, lists, archives, script, Dockerfile and apko.yaml."""

from __future__ import annotations

import io
import json
import re
import subprocess
import tarfile
from dataclasses import replace

import pytest
import yaml

from pruner.emit import emit_all
from pruner.emit.alpine import alpine_artifacts
from pruner.emit.alpine.installation import installation
from pruner.model import Distro, FileType, ImageConfig, Inventory, Package, PackageId
from pruner.plan.materials import Materials, Shipped
from pruner.plan.types import Decision
from pruner.read.packagelock import read_lock
from pruner.read.related import related
from pruner.read.relationfile import read_relations
from pruner.rootfs import Tree
from tests.golden_support import assert_golden
from tests.support import need
from tests.unit.emit_plans import HOSTILE, IMAGE, directory, file_plan, package_plan, small_plan
from tests.unit.test_emit_outputs import data

PASSWD = b"root:x:0:0:root:/root:/bin/sh\napp:x:100:101:Linux User,,,:/srv:/sbin/nologin\nguest:x:405:100::/:/x\n"
GROUP = b"root:x:0:root\nusers:x:100:games\napp:x:101:app,web\nodd line\n"
SUM = "1" * 64


def apk(name, version="1.0-r0", decision=Decision.KEEP, **fields):
    values = {"type": "apk", "version": version, "architecture": "x86_64", "files": 1, "kept_files": 1}
    return package_plan(name, f"pkg:apk/alpine/{name}@{version}", decision, **(values | fields))


def known(name, version="1.0-r0", **fields):
    values = {"type": "apk", "architecture": "x86_64", "locations": ("/lib/apk/db/installed",)}
    return Package(id=PackageId(f"id-{name}"), name=name, version=version, **(values | fields))


def owned(path, package, **fields):
    return file_plan(path, owner=f"pkg:apk/alpine/{package}", package=PackageId(f"id-{package}"), **fields)


def alpine_plan(**fields):
    """busybox in part, musl whole, a dropped package, and one of every kind of state."""
    values = {
        "distro": Distro(id="alpine", version_id="3.19.4", name="Alpine Linux"),
        "image": replace(IMAGE, user="app"),
        "files": (
            directory("/bin", package=PackageId("id-busybox")),
            owned("/bin/busybox", "busybox", mode=0o755, digest=f"sha256:{SUM}"),
            file_plan("/bin/ls", FileType.SYMLINK, mode=0o777, target="/bin/busybox", reason="option: applets"),
            owned("/bin/gone", "gone", decision=Decision.DROP),
            directory("/etc", package=PackageId("id-busybox")),
            file_plan("/etc/group", owner="pkg:apk/alpine/busybox", package=PackageId("id-busybox"), reason="users"),
            file_plan("/etc/link", FileType.SYMLINK, mode=0o777, target="../bin/busybox", reason="alternatives"),
            file_plan("/etc/nothing", FileType.SYMLINK, mode=0o777, target="/dev/shm/x", reason="dangling"),
            file_plan("/etc/passwd", owner="pkg:apk/alpine/busybox", package=PackageId("id-busybox"), reason="users"),
            file_plan("/etc/shadow", mode=0o640, gid=42, reason="users"),
            file_plan("/etc/unread", reason="config"),
            directory("/lib", package=PackageId("id-musl")),
            file_plan("/lib/db", decision=Decision.MAKE, content=b"P:musl\n", bytes=7, reason="package database"),
            owned("/lib/ld-musl-x86_64.so.1", "musl", mode=0o755),
            owned("/lib/libc.musl-x86_64.so.1", "musl", kind=FileType.SYMLINK, mode=0o777, target="ld-musl-x86_64.so.1"),
            file_plan("/run", FileType.DIRECTORY, decision=Decision.MAKE, mode=0o1777),
            file_plan("/run/socket", FileType.SOCKET, mode=0o777),
            directory("/srv", uid=100, gid=101),
        ),
        "packages": (
            apk("busybox", "1.36.1-r19", Decision.SLICE, files=9),
            apk("gone", decision=Decision.DROP),
            apk("musl", "1.2.4_git20230717-r4", files=2, kept_files=2),
        ),
        "edges": (),
        "optional": (),
    }  # fmt: skip
    return small_plan(**(values | fields))


def materials(plan, **fields):
    """What the pipeline would gather: files of packages are as shipped, unless `contents` or `unread` says otherwise."""
    values = {
        "contents": {"/etc/group": GROUP, "/etc/passwd": PASSWD, "/etc/shadow": b"root:!::0:::::\n"},
        "unread": {"/etc/unread": "too large to be carried in a plan directory"},
        "modified": {"/etc/passwd": 1_700_000_000, "/lib/db": 5},
        "attributes": {},
    } | fields
    shipped = {
        file.path: Shipped(package=file.package, name=file.path)
        for file in plan.files
        if file.package and file.type is not FileType.DIRECTORY and file.path not in values["contents"]
    }
    packages = (
        known("busybox", "1.36.1-r19", source="busybox", checksum="Q1" + "a" * 27 + "=", installed_bytes=950_272),
        known("gone"),
        known(
            "musl", "1.2.4_git20230717-r4", checksum="Q1" + "b" * 27 + "=", installed_bytes=1, download_bytes=407_278
        ),
    )
    inventory = Inventory(name="x", format="syft-json", packages=packages)
    return Materials(inventory=inventory, tree=Tree({}), **({"shipped": shipped} | values))


def made(plan=None, **fields):
    plan = plan or alpine_plan()
    return alpine_artifacts(plan, materials(plan, **fields))


def text(artifacts, name):
    return data(artifacts, f"alpine/{name}").decode()


def listed(archive):
    """The members of a tar as `TYPE MODE OWNERS TIME NAME -> LINK` and their content."""
    with tarfile.open(fileobj=io.BytesIO(archive)) as tar:
        for member in tar:
            content = tar.extractfile(member).read() if member.isreg() else b""
            yield (
                f"{member.type.decode()} {member.mode:04o} {member.uid}:{member.gid} {member.mtime} {member.name}",
                (member.linkname or content),
            )


def reviewable(artifact):
    """An archive as a list, and the lock without pruner's version."""
    if artifact.path.endswith(".tar"):
        lines = "".join(f"{name} {content!r}\n" for name, content in listed(artifact.data))
        return replace(artifact, path=f"{artifact.path}.txt", data=lines.encode())
    return replace(artifact, data=re.sub(rb'"pruner [^"]*"', b'"pruner 0"', artifact.data))


class TestArtifacts:
    def test_are_what_they_were(self, request):
        """All files of a plan with one of everything, the archives as lists, as last reviewed."""
        update = request.config.getoption("--update-golden", default=False)
        assert_golden("alpine", map(reviewable, made()), update=update)

    def test_come_with_the_others_when_materials_are_there(self):
        """`emit_all` adds them, sorted in."""
        plan = alpine_plan()
        paths = [artifact.path for artifact in emit_all(plan, image=None, materials=materials(plan))]
        assert paths == sorted(paths)
        assert {path.partition("/")[2] for path in paths if path.startswith("alpine/")} == {
            "Dockerfile", "apko.yaml", "checksums", "directories.tar", "files.sha256", "install.sh",
            "not-installed.txt", "packages.lock.json", "paths", "state.tar", "world",
        }  # fmt: skip

    def test_are_none_without_an_apk_package(self):
        """A Debian plan has no Alpine install plan, nor has one that keeps files of no package."""
        plan = small_plan()
        assert alpine_artifacts(plan, materials(plan)) == ()
        dropped = alpine_plan(
            packages=tuple(replace(package, decision=Decision.DROP) for package in alpine_plan().packages)
        )
        assert alpine_artifacts(dropped, materials(dropped)) == ()

    def test_do_not_change_from_run_to_run(self):
        """The same plan gives the same bytes."""
        assert made() == made()


class TestLock:
    def test_pins_versions_and_checksums(self, tmp_path):
        """World, lock and checksums name the kept packages and no others; a sliced one lists what is kept of it."""
        artifacts = made()
        assert text(artifacts, "world") == "busybox=1.36.1-r19\nmusl=1.2.4_git20230717-r4\n"
        (tmp_path / "lock").write_bytes(data(artifacts, "alpine/packages.lock.json"))
        lock = read_lock(tmp_path / "lock")
        busybox, musl = lock.packages
        assert (lock.ecosystem, lock.architecture, lock.distribution) == ("apk", "x86_64", "alpine 3.19.4")
        assert (busybox.checksum, busybox.installed_kib, busybox.paths) == (
            "Q1" + "a" * 27 + "=",
            928,
            ("/bin/busybox",),
        )
        assert (musl.paths, musl.filename, musl.download_bytes) == (None, "musl-1.2.4_git20230717-r4.apk", 407_278)
        assert text(artifacts, "checksums").splitlines()[0] == f"busybox 1.36.1-r19 {busybox.checksum}"

    def test_a_checksum_that_is_none_is_left_out(self):
        """What an SBOM calls a checksum is trusted only in apk's own form."""
        plan = alpine_plan()
        given = materials(plan)
        odd = tuple(replace(package, checksum="Q1 x\ny") for package in given.inventory.packages)
        artifacts = alpine_artifacts(plan, replace(given, inventory=replace(given.inventory, packages=odd)))
        assert data(artifacts, "alpine/checksums") == b""
        assert {package["checksum"] for package in json.loads(text(artifacts, "packages.lock.json"))["packages"]} == {
            ""
        }

    def test_an_index_supplies_the_checksum(self, tmp_path):
        """Where neither the SBOM nor a database states it, an APKINDEX with the very version does."""
        checksum = "Q1" + "c" * 27 + "="
        (tmp_path / "APKINDEX").write_text(f"C:{checksum}\nP:musl\nV:1.2.5-r0\nA:x86_64\nS:400\nI:500\n\n")
        source = read_relations(tmp_path / "APKINDEX")
        packages = [known("musl", version) for version in ("1.2.5-r0", "1.2.4-r0")]
        found = related(Inventory(name="x", format="syft-json", packages=tuple(packages)), [source]).packages
        assert [(package.checksum, package.download_bytes) for package in found] == [(checksum, 400), ("", 0)]

    @pytest.mark.parametrize(
        ("name", "version"),
        [
            *((name, "1") for name in HOSTILE if name != "a#b"),
            (".virtual-deps", "1"),
            ("--root=/", "1"),
            ("a", "1 b"),
            ("a", ""),
        ],
    )
    def test_names_that_no_archive_has_are_listed_not_installed(self, name, version):
        """A name that would be an option, a word more or a command never reaches apk; it is listed with the reason."""
        odd = apk(name, version)
        plan = alpine_plan(packages=(*alpine_plan().packages, odd))
        given = materials(plan)
        packages = (*given.inventory.packages, known(name, version))
        artifacts = alpine_artifacts(plan, replace(given, inventory=replace(given.inventory, packages=packages)))
        assert text(artifacts, "world") == "busybox=1.36.1-r19\nmusl=1.2.4_git20230717-r4\n"
        assert ": no archive can have such a name or version\n" in text(artifacts, "not-installed.txt")
        assert name not in text(artifacts, "install.sh") or name in text(made(), "install.sh")

    def test_a_root_within_the_root_is_not_installed(self):
        """Packages of another database than the root's own would be installed over the root's."""
        plan = alpine_plan()
        given = materials(plan)
        nested = replace(given.inventory.packages[0], locations=("/srv/chroot/lib/apk/db/installed",))
        packages = (nested, *given.inventory.packages[1:])
        artifacts = alpine_artifacts(plan, replace(given, inventory=replace(given.inventory, packages=packages)))
        assert text(artifacts, "world") == "musl=1.2.4_git20230717-r4\n"
        left_out = text(artifacts, "not-installed.txt")
        assert "package busybox 1.36.1-r19: it is of a root within the root\n" in left_out
        assert "/bin/busybox: its package can't be installed\n" in left_out

    def test_without_a_known_architecture_the_image_says_it(self):
        """Packages for every architecture leave the question to the image's configuration."""
        plan = alpine_plan(packages=(apk("musl", "1.2.4_git20230717-r4", architecture="noarch"),))
        assert installation(plan, materials(plan)).lock.architecture == "x86_64"
        unknown = replace(plan, image=None)
        assert installation(unknown, materials(unknown)).lock.architecture == "noarch"


class TestParts:
    def test_every_planned_name_is_in_one_of_them(self):
        """What the plan keeps or makes is shipped, a directory, state or listed as not installed."""
        plan = alpine_plan()
        parts = installation(plan, materials(plan))
        placed = [file.path for file in (*parts.shipped, *parts.directories, *parts.state)]
        placed += [name for name, _ in parts.left_out]
        assert sorted(placed) == sorted(file.path for file in plan.files if file.decision is not Decision.DROP)

    def test_what_is_not_known_is_listed_and_not_invented(self):
        """With the SBOM alone state has no bytes: links and directories are made, files are listed."""
        artifacts = made(contents={}, unread={"/etc/shadow": "its bytes are not in the SBOM"})
        assert "/etc/shadow: its bytes are not in the SBOM\n" in text(artifacts, "not-installed.txt")
        names = [name.split(" ", 4)[4] for name, _ in listed(data(artifacts, "alpine/state.tar"))]
        assert names == ["./bin/ls", "./etc/link", "./etc/nothing", "./lib/db"]

    def test_secrets_are_readable_for_their_owner_only(self):
        """An archive that holds /etc/shadow is not for everybody."""
        artifacts = {artifact.path: artifact for artifact in made()}
        assert artifacts["alpine/state.tar"].mode == 0o600
        assert artifacts["alpine/install.sh"].mode == 0o755

    def test_hostile_names_are_data(self):
        """Names that mean something to a shell stand in archives, and in lists only where a line holds them."""
        files = [directory("/srv"), *(file_plan(f"/srv/{name}", reason=name) for name in sorted(HOSTILE))]
        plan = alpine_plan(files=(*alpine_plan().files[:2], *files))
        artifacts = made(plan, contents={f"/srv/{name}": b"x" for name in HOSTILE})
        names = {name.split(" ", 4)[4] for name, _ in listed(data(artifacts, "alpine/state.tar"))}
        assert names == {f"./srv/{name}" for name in HOSTILE}
        script = text(artifacts, "install.sh")
        shown = [line for line in script.splitlines() if "srv" in line]
        assert len(shown) == len(HOSTILE)
        assert all(line.startswith("# /srv/") and line.isprintable() for line in shown)
        assert text(artifacts, "paths").splitlines() == [
            "d 0755 0 0 ./bin", "f 0755 0 0 ./bin/busybox", "d 0755 0 0 ./srv"
        ]  # fmt: skip

    def test_names_with_line_breaks_are_not_taken_from_packages(self):
        """No apk database can hold one; a directory of such a name comes from the archive of directories."""
        odd = owned("/bin/a\nf 4755 0 0 ./bin/b", "busybox")
        plan = alpine_plan(files=(*alpine_plan().files[:2], odd, directory("/s\nrv")))
        artifacts = made(plan)
        assert "4755" not in text(artifacts, "paths")
        assert "\\nf 4755 0 0 ./bin/b: apk lists no name with a line break" in text(artifacts, "not-installed.txt")
        assert "./s\nrv" in [name.split(" ", 4)[4] for name, _ in listed(data(artifacts, "alpine/directories.tar"))]

    def test_hard_links_stay_links(self):
        """Two names of one inode in the state are two names of one inode."""
        files = (
            *alpine_plan().files[:2], directory("/srv"), file_plan("/srv/a"), file_plan("/srv/b", hardlink="/srv/a"),
        )  # fmt: skip
        artifacts = made(alpine_plan(files=files), contents={"/srv/a": b"x", "/srv/b": b"x"})
        assert list(listed(data(artifacts, "alpine/state.tar"))) == [
            ("0 0644 0:0 0 ./srv/a", b"x"), ("1 0644 0:0 0 ./srv/b", "./srv/a"),
        ]  # fmt: skip

    def test_file_capabilities_ask_for_a_tar_that_restores_them(self):
        """Only then does the script need GNU tar, and it says so before it does anything."""
        capability = b"\x01\x00\x00\x02\x00\x04\x00\x00\xff\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00"
        artifacts = made(attributes={"/etc/passwd": {"security.capability": capability}})
        with tarfile.open(fileobj=io.BytesIO(data(artifacts, "alpine/state.tar"))) as tar:
            found = tar.getmember("./etc/passwd").pax_headers["SCHILY.xattr.security.capability"]
        assert found.encode("utf-8", "surrogateescape") == capability
        assert "apk add tar" in text(artifacts, "install.sh")
        assert "apk add tar" not in text(made(), "install.sh")


class TestScripts:
    @pytest.mark.parametrize("attributes", [{}, {"/etc/passwd": {"user.x": b"y"}}])
    def test_pass_shellcheck(self, tmp_path, attributes):
        """As POSIX sh, without exceptions, with every part that can be in it."""
        (tmp_path / "install.sh").write_bytes(data(made(attributes=attributes), "alpine/install.sh"))
        command = [need("shellcheck"), "--shell=sh", str(tmp_path / "install.sh")]
        done = subprocess.run(command, capture_output=True, text=True, check=False)
        assert done.stdout == ""
        assert done.returncode == 0

    def test_reasons_are_comments(self):
        """Each name of the state with why it is there."""
        script = text(made(), "install.sh")
        assert "\n# /bin/ls -> /bin/busybox: option: applets\n" in script
        assert "\n# /etc/shadow: users\n" in script
        assert "@" not in script.replace("$@", "")

    def test_the_stage_is_of_the_release_of_the_root(self):
        """The image that the packages are from, overridable; a derivative has to be named."""
        assert "ARG APK_IMAGE=alpine:3.19.4\n" in text(made(), "Dockerfile")
        for distro in (Distro(id="alpine", version_id="3.21_alpha\nRUN x"), Distro(id="wolfi", version_id="20230201")):
            found = text(made(alpine_plan(distro=distro)), "Dockerfile")
            assert "\nARG APK_IMAGE\n" in found
            assert "RUN x" not in found

    def test_the_last_stage_has_the_configuration(self):
        """From scratch, with the image's own entry point, user and directory."""
        stage = text(made(), "Dockerfile").partition("FROM scratch\n")[2]
        assert 'ENTRYPOINT ["/usr/bin/python3", "-m", "app"]\n' in stage
        assert "USER app\n" in stage


class TestApko:
    def document(self, **fields):
        return yaml.safe_load(text(made(**fields), "apko.yaml"))

    def test_holds_the_locked_packages_and_the_configuration(self):
        """Exact versions, and what apko has keys for."""
        document = self.document()
        assert document["contents"] == {"packages": ["busybox=1.36.1-r19", "musl=1.2.4_git20230717-r4"]}
        assert document["entrypoint"] == {"command": "/usr/bin/python3 -m app"}
        assert (document["cmd"], document["work-dir"], document["stop-signal"]) == ("--port 80", "/srv", "SIGTERM")
        assert document["environment"] == {"PATH": "/usr/bin:/bin", "NAME": "it's $5"}
        assert document["archs"] == ["x86_64"]

    def test_makes_the_users_that_scripts_made(self):
        """Those that own something planned or run; the distribution's own are in its packages."""
        accounts = self.document()["accounts"]
        assert accounts == {
            "run-as": "100",
            "users": [{"username": "app", "uid": 100, "gid": 101, "shell": "/sbin/nologin", "homedir": "/srv"}],
            "groups": [{"groupname": "app", "gid": 101, "members": ["app", "web"]}],
        }

    def test_gives_links_the_mode_of_what_is_behind_them(self):
        """apko sets a link's permissions on its target, and would take them all away; nor does it link to nothing."""
        paths = {entry["path"]: entry for entry in self.document()["paths"]}
        assert paths["/etc/link"] == {
            "path": "/etc/link", "type": "symlink", "source": "../bin/busybox", "permissions": 0o755
        }  # fmt: skip
        assert paths["/srv"] == {"path": "/srv", "type": "directory", "permissions": 0o755, "uid": 100, "gid": 101}
        assert paths.keys() == {"/etc/link", "/run", "/srv"}

    def test_says_what_it_can_not_carry(self):
        """Contents, health checks and ports have no key."""
        comments = [line for line in text(made(), "apko.yaml").splitlines() if line.startswith("#")]
        assert "# left out: healthcheck: apko has no key for it" in comments
        assert "# left out: exposed ports: apko has no key for it" in comments
        assert "# left out: /etc/nothing: no package holds it so; dangling" in comments
        assert "# made by apko itself: 1 links to busybox" in comments
        assert "# whole here, in part in the plan: 1 of 2 packages" in comments

    def test_says_what_of_the_configuration_is_left_out(self):
        """Nothing is passed over in silence, least of all the user, without whom everything runs as root."""
        image = replace(
            IMAGE, user="a\x1bb", env=("A=1\n2", "B=2"), labels=(("l", "\0"), ("m", "n")), volumes=("/a\tb", "/c"),
            working_dir="/\x07", stop_signal="; id",
        )  # fmt: skip
        plan = alpine_plan(image=image, files=(*alpine_plan().files, directory("/z\n", uid=7)))
        shown = data(alpine_artifacts(plan, materials(plan)), "alpine/apko.yaml").decode()
        for what in (
            "user a\\x1bb", "variable A", "label l", "volume /a\\tb", "working directory /\\x07", "stop signal ; id", "/z\\n"
        ):  # fmt: skip
            assert f"\n# left out: {what}: it" in shown
        document = yaml.safe_load(shown)
        assert (document["environment"], document["annotations"], document["volumes"]) == (
            {"B": "2"},
            {"m": "n"},
            ["/c"],
        )
        assert "run-as" not in document["accounts"]

    def test_words_are_split_as_they_were(self):
        """apko splits commands as a shell does; blanks, quotes and line breaks stay within their word."""
        image = ImageConfig(entrypoint=("/bin/sh", "-c", "echo 'a b'\n$X"), cmd=("", "x y"), labels=(("a", "b\nc"),))
        document = self.document(plan=alpine_plan(image=image))
        import shlex

        assert tuple(shlex.split(document["entrypoint"]["command"])) == image.entrypoint
        assert tuple(shlex.split(document["cmd"])) == image.cmd
        assert "annotations" not in document
