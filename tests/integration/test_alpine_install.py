"""The Alpine install plan, executed: by the real apk of the mini root, and by the real apko and melange.

The repository is made of the packages of the mini root file system itself, signed, and of one more whose scripts make
a user. Nothing here needs a network.
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import tarfile
import time
from pathlib import Path

import pytest
import yaml

from tests.corpus.roots import cache_dir, scan
from tests.corpus.sandbox import Box
from tests.integration import apkrepository
from tests.integration.alpinemachine import (
    APK,
    BUSYBOX,
    CAPABILITY,
    ENTRIES,
    GREET,
    GREETER,
    GREETING,
    SSL_CLIENT,
    Machine,
    checked,
    elsewhere,
    make_machine,
    says,
    sign_index,
)
from tests.integration.commands import (
    kept_packages,
    listing,
    planned,
    pruner,
    scanned_packages,
    there,
)
from tests.integration.images import Builder
from tests.support import need, skip
from tests.unit.emit_plans import HOSTILE, IMAGE
from tests.unit.test_emit_alpine import alpine_plan, made

pytestmark = pytest.mark.integration

APKO, MELANGE = "apko-1.2.39/apko", "melange-0.59.1/melange"


@pytest.fixture(scope="module")
def machine(tmp_path_factory) -> Machine:
    """The machine, its repository and the fat root."""
    return make_machine(tmp_path_factory.mktemp("machine"))


class TestInstalledByApk:
    """`install.sh` on a machine with nothing but busybox and apk."""

    @pytest.mark.parametrize("entry", ENTRIES)
    def test_the_root_is_the_pruned_one_and_runs(self, machine, entry, tmp_path):
        """What is installed equals, name by name, what `pruner apply` makes of the fat root; the entry point runs."""
        plan = checked(machine, entry)
        name = f"root-{plan.name}"
        root = machine.install(plan, name)
        pruner("apply", plan, "--root", machine.fat, "--dest", tmp_path / "applied")
        installed, applied = listing(root), listing(tmp_path / "applied")
        assert installed.keys() == applied.keys() == there(planned(plan)).keys()
        times = {path: (record[3], applied[path][3]) for path, record in installed.items() if record[0] == 0o100000}
        assert {path for path, (own, other) in times.items() if own != other} == set()
        for path, record in installed.items():
            assert (*record[:3], *record[4:]) == (*applied[path][:3], *applied[path][4:]), path
        says(root, machine, entry)
        size = sum(path.lstat().st_size for path in root.rglob("*") if path.is_file() and not path.is_symlink())
        print(f"executed: apk install of {entry}: {len(installed)} names, {size / 1e6:.1f} MB")
        assert not (machine.home / f"{name}.partial").exists()

    @pytest.mark.parametrize("entry", ENTRIES)
    def test_twice_gives_identical_trees(self, machine, entry):
        """A second run makes the same names with the same bytes, owners and times; nothing is of today."""
        plan = checked(machine, entry)
        begin = int(time.time())
        once = listing(machine.install(plan, f"once-{plan.name}"))
        assert [path for path, record in once.items() if record[3] >= begin] == []
        assert listing(machine.install(plan, f"again-{plan.name}")) == once

    @pytest.mark.parametrize("entry", ENTRIES)
    def test_syft_and_apk_see_exactly_the_plan(self, machine, entry, tmp_path):
        """The real syft and the real apk list the planned packages, no more and no fewer."""
        plan = checked(machine, entry)
        name = f"seen-{plan.name}"
        root = machine.install(plan, name)
        wanted = kept_packages(planned(plan), "apk")
        scan(root, tmp_path / "sbom.json")
        assert scanned_packages(tmp_path / "sbom.json", "apk") == wanted
        listed = machine.run("apk", "--root", f"/mnt/{name}", "--no-network", "info", "--verbose").stdout.split()
        assert set(listed) == {f"{name}-{version}" for name, version in wanted}
        changed = machine.run("apk", "--root", f"/mnt/{name}", "audit", "--system").stdout.splitlines()
        assert changed == []

    def test_what_scripts_made_is_state_with_its_reason(self, machine):
        """No script ran: the user is in the passwd of the plan, and her files are hers."""
        plan = checked(machine, "apk:greeter")
        root = machine.install(plan, "greeter")
        users = {line.split(":")[0]: line.split(":")[2] for line in (root / "etc/passwd").read_text().splitlines()}
        assert str((root / "var/lib/greeter/word").stat().st_uid) == users["greeter"] != "0"
        assert (root / "var/lib/greeter").stat().st_mode & 0o7777 == 0o750
        script = (plan / "alpine/install.sh").read_text()
        assert "\n# /etc/passwd: " in script
        assert "\n# /bin/sh -> /bin/busybox: " not in script  # busybox-binsh holds it

    def test_links_of_a_trigger_are_made(self, machine):
        """busybox's trigger makes the applet links; here they come from the plan, each with its reason."""
        plan = checked(machine, "apk:busybox", "--accept", "busybox-applets")
        root = machine.install(plan, "applets")
        assert os.readlink(root / "bin/ls") == "/bin/busybox"
        assert "\n# /bin/ls -> /bin/busybox: " in (plan / "alpine/install.sh").read_text()
        with Box(root, machine.fat) as box:
            assert box.run("head", "-n", "1", "/etc/passwd").out.startswith("root:x:0:0")

    @pytest.mark.parametrize("entry", [APK, SSL_CLIENT, BUSYBOX])
    def test_no_image_is_needed(self, machine, entry, tmp_path):
        """A plan made of nothing but the archives installs, runs, and carries a database that apk and syft read."""
        plan = machine.home / f"archives-{ENTRIES.index(entry)}"
        archives = machine.home / "repo/x86_64"
        pruner("plan", "--from-packages", archives, "--entry", entry, "-o", plan, "-q")
        name = f"root-{plan.name}"
        root = machine.install(plan, name)
        assert listing(root).keys() == there(planned(plan)).keys()
        says(root, machine, entry)
        scan(root, tmp_path / "sbom.json")
        wanted = kept_packages(planned(plan), "apk")
        listed = machine.run("apk", "--root", f"/mnt/{name}", "--no-network", "info", "--verbose").stdout.split()
        assert set(listed) == {f"{package}-{version}" for package, version in wanted}
        # no archive at hand brings os-release, so syft gives no purls
        artifacts = json.loads((tmp_path / "sbom.json").read_text())["artifacts"]
        assert {(found["name"], found["version"]) for found in artifacts if found["type"] == "apk"} == wanted

    def test_packages_are_selected_fetched_and_planned(self, machine, tmp_path, monkeypatch):
        """From the repository's index to a root that runs, through the real apk; a version that is gone is named."""
        system = machine.system
        loader = f"{system}/lib/ld-musl-x86_64.so.1 --library-path {system}/lib:{system}/usr/lib {system}/sbin/apk"
        place = f"--root {system} --keys-dir {machine.home}/keys --repositories-file /dev/null -X {machine.home}/repo"
        (tmp_path / "bin").mkdir()
        (tmp_path / "bin/apk").write_text(f'#!/bin/sh\nexec {loader} {place} --no-cache "$@"\n')
        (tmp_path / "bin/apk").chmod(0o755)
        monkeypatch.setenv("PATH", f"{tmp_path / 'bin'}:{os.environ['PATH']}")
        index, lock, archives = machine.home / "repo/x86_64/APKINDEX.tar.gz", tmp_path / "lock.json", tmp_path / "apks"
        pruner("select", "--relations", index, "--entry", "apk:apk-tools", "--lock", lock)
        locked = {(one["name"], one["version"]) for one in json.loads(lock.read_text())["packages"]}
        assert {"apk-tools", "musl", "zlib", "libcrypto3", "libssl3"} <= {name for name, _ in locked}
        pruner("fetch", "--lock", lock, "--dest", archives)
        assert {path.name for path in archives.iterdir()} == {f"{name}-{version}.apk" for name, version in locked}
        pruner("plan", "--from-packages", archives, "--entry", APK, "-o", tmp_path / "plan", "-q")
        pruner("apply", tmp_path / "plan", "--root", archives, "--dest", tmp_path / "root")
        says(tmp_path / "root", machine, APK)
        text = lock.read_text()
        (version,) = [version for name, version in locked if name == "zlib"]
        lock.write_text(text.replace(f'"version": "{version}"', '"version": "0.1-r0"'))
        done = pruner("fetch", "--lock", lock, "--dest", tmp_path / "gone", code=1)
        assert "no longer in the archive: zlib 0.1-r0" in done.stderr
        assert not (tmp_path / "gone").exists()

    def test_names_that_mean_something_to_a_shell_are_data(self, machine, tmp_path):
        """State of any name, a line break or bytes that are no text in it, is what it was."""
        plan = checked(machine, APK, "--keep", "/srv/odd/*")
        pruner("apply", plan, "--root", machine.fat, "--dest", tmp_path / "applied")
        installed, applied = listing(machine.install(plan, "odd")), listing(tmp_path / "applied")
        odd = {path: record for path, record in applied.items() if path.startswith("/srv/odd/")}
        assert odd.keys() == {f"/srv/odd/{name}" for name in HOSTILE}
        assert {path: installed[path] for path in odd} == odd
        assert installed.keys() == applied.keys()

    @pytest.mark.parametrize("options", [(), ("--keep", "/srv/odd/*")])
    def test_other_tools_make_the_same(self, machine, tmp_path, options):
        """With the shell and tools of another distribution (dash, GNU) around the same apk the tree is the same."""
        plan = checked(machine, GREETING, *options)
        installed = machine.install(plan, f"busybox-{len(options)}")
        assert listing(elsewhere(machine, plan, tmp_path)) == listing(installed)

    def test_file_capabilities_need_gnu_tar(self, machine, tmp_path):
        """busybox's tar would lose them, so the script says what to install, first; GNU tar restores them."""
        plan = checked(machine, APK, "--keep", "/srv/capable")
        root = machine.install(plan, "capable", code=4)
        assert "only GNU tar restores: apk add tar" in (machine.home / "capable.log").read_text()
        assert not root.exists()
        found = os.getxattr(elsewhere(machine, plan, tmp_path) / "srv/capable", "security.capability")
        assert found == CAPABILITY

    def test_the_script_is_clean(self, machine):
        """shellcheck has nothing to say."""
        script = checked(machine, APK) / "alpine/install.sh"
        done = subprocess.run([need("shellcheck"), str(script)], capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stdout

    def test_the_sbom_alone_installs_what_it_knows(self, machine):
        """Without the root the bytes of state are not known: they are listed and never invented, and apk runs."""
        plan = machine.plan("plan-sbom-alone", "--entry", APK)
        root = machine.install(plan, "sbom-alone")
        listed = (plan / "alpine/not-installed.txt").read_text()
        assert "/etc/os-release: its bytes are not in the SBOM\n" in listed
        locked = json.loads((plan / "alpine/packages.lock.json").read_text())["packages"]
        index = dict(apkrepository.checksums_of(machine.home / "repo/x86_64/APKINDEX.tar.gz"))
        assert {package["name"]: package["checksum"] for package in locked}.items() <= index.items()
        assert not (root / "etc/os-release").exists()
        assert "not installed, see not-installed.txt" in (machine.home / "sbom-alone.log").read_text()
        assert (
            "./etc/passwd\n" in (machine.home / "sbom-alone.log").read_text()
        )  # changed by a script; the package's is there
        says(root, machine, APK)


class TestRefusals:
    """Nothing is half-made: DEST is complete or not there."""

    def test_a_version_that_is_gone_is_named(self, machine):
        """A repository with another version of a locked package is refused, by the name of the locked one."""
        repository = machine.home / "newer/x86_64"
        if not repository.exists():
            shutil.copytree(machine.home / "repo/x86_64", repository)
            (repository / "zlib-1.3.1-r0.apk").unlink()
            key = apkrepository.Key("newer.rsa.pub")
            (machine.home / "keys" / key.name).write_bytes(key.public_pem)
            sign_index(machine.home, machine.system, key, "newer")
        root = machine.install(checked(machine, APK), "gone", repository="newer", code=1)
        log = (machine.home / "gone.log").read_text()
        assert "pruner: not in any repository: zlib-1.3.1-r0\n" in log
        assert log.count("not in any repository") == 1
        self.nothing_is_left(root)

    def test_another_archive_under_the_same_version_is_refused(self, machine):
        """Same name and version, other content: the checksum of the lock tells."""
        repository = machine.home / "other/x86_64"
        shutil.copytree(machine.home / "repo/x86_64", repository)
        key = apkrepository.Key("other.rsa.pub")
        (machine.home / "keys" / key.name).write_bytes(key.public_pem)
        files = [apkrepository.member(name) for name in ("usr/", "usr/bin/")]
        files.append(apkrepository.member("usr/bin/greet", GREET.replace(b"hello", b"hullo")))
        apkrepository.build(repository, GREETER, files, {}, key)
        sign_index(machine.home, machine.system, key, "other")
        root = machine.install(checked(machine, GREETING), "otherwise", repository="other", code=1)
        assert "not what the lock says: greeter 1.0-r0 Q1" in (machine.home / "otherwise.log").read_text()
        self.nothing_is_left(root)

    def test_an_index_that_nobody_trusts_signed_is_no_repository(self, machine):
        """Without the key of the index apk takes nothing from it."""
        (machine.home / "no-keys").mkdir()
        script = f"/mnt/{checked(machine, APK).name}/alpine/install.sh"
        words = ("-X", "/mnt/repo", "--keys-dir", "/mnt/no-keys", "/mnt/untrusted")
        assert "UNTRUSTED" in machine.run("sh", script, *words, code=1).stderr
        self.nothing_is_left(machine.home / "untrusted")

    def test_a_destination_in_use_is_left_alone(self, machine):
        """A directory that holds something is refused before anything is done."""
        used = machine.home / "used"
        used.mkdir()
        (used / ".mine").write_text("mine")
        machine.install(checked(machine, APK), "used", code=2)
        assert "/mnt/used: is not empty" in (machine.home / "used.log").read_text()
        assert [path.name for path in used.iterdir()] == [".mine"]
        (machine.home / "link").symlink_to("used")
        machine.install(checked(machine, APK), "link", code=2)
        assert [path.name for path in used.iterdir()] == [".mine"]

    def test_an_empty_destination_and_an_odd_name_do(self, machine):
        """DEST may be an empty directory, and its name anything that a directory can be called."""
        name = "it's $(touch owned) `id` \\ *"
        (machine.home / name).mkdir()
        root = machine.install(checked(machine, APK), name)
        assert (root / "sbin/apk").exists()
        assert not list(machine.home.rglob("owned"))

    @pytest.mark.parametrize("words", [(), ("-X",), ("--frobnicate", "x"), ("one", "two"), ("",)])
    def test_wrong_usage(self, machine, words):
        """Words that make no sense are refused with exit 2 and one line."""
        script = f"/mnt/{checked(machine, APK).name}/alpine/install.sh"
        assert "usage: install.sh" in machine.run("sh", script, *words, code=2).stderr

    def test_a_package_without_the_planned_file_is_refused(self, machine):
        """Where no checksum is known: a name that is gone from its package, or a link in its place, is named."""
        if not (machine.home / "moved/x86_64").exists():
            shutil.copytree(machine.home / "repo/x86_64", machine.home / "moved/x86_64")
        key = apkrepository.Key("moved.rsa.pub")
        (machine.home / "keys" / key.name).write_bytes(key.public_pem)
        link = apkrepository.member("usr/bin/greet")
        link[0].type, link[0].linkname = tarfile.SYMTYPE, "/etc/passwd"
        files = [apkrepository.member("usr/"), apkrepository.member("usr/bin/"), link]
        apkrepository.build(machine.home / "moved/x86_64", GREETER, files, {}, key)
        sign_index(machine.home, machine.system, key, "moved")
        plan = machine.home / "plan-without-checksums"
        shutil.copytree(checked(machine, GREETING), plan)
        (plan / "alpine/checksums").write_text("")
        root = machine.install(plan, "moved-root", repository="moved", code=1)
        assert "pruner: planned, but in no package: ./usr/bin/greet\n" in (machine.home / "moved-root.log").read_text()
        self.nothing_is_left(root)

    def test_an_end_in_the_middle_leaves_nothing(self, machine, tmp_path):
        """A signal that comes while apk installs ends the script, after it has cleaned up."""
        root = elsewhere(machine, checked(machine, APK), tmp_path, before='kill -TERM "$PPID"', code=130)
        self.nothing_is_left(root)

    @staticmethod
    def nothing_is_left(root: Path) -> None:
        assert not root.exists()
        assert not root.with_name(f"{root.name}.partial").exists()


def test_the_closure_of_apk(machine, tmp_path):
    """`/sbin/apk` keeps musl, libcrypto, libssl and zlib, drops busybox; syft reports exactly what is kept."""
    plan = machine.plan("plan-closure", "--root", str(machine.fat), "--entry", "/sbin/apk")
    pruner("apply", plan, "--root", machine.fat, "--dest", tmp_path / "root")
    files = there(planned(plan))
    assert {
        "/sbin/apk", "/lib/ld-musl-x86_64.so.1", "/lib/libcrypto.so.3", "/lib/libssl.so.3", "/lib/libz.so.1.3.1",
    } <= files.keys()  # fmt: skip
    assert not [path for path in files if "busybox" in path]
    scan(tmp_path / "root", tmp_path / "sbom.json")
    found = scanned_packages(tmp_path / "sbom.json", "apk")
    assert found == kept_packages(planned(plan), "apk")
    assert {"musl", "libcrypto3", "libssl3", "zlib", "apk-tools"} <= {name for name, _ in found}
    assert not {"busybox", "busybox-binsh", "ssl_client", "scanelf"} & {name for name, _ in found}


def test_the_dockerfile_builds_from_a_plain_image(machine, tmp_path):
    """The Dockerfile stage, built by the real buildah: the last stage is the planned root with the configuration."""
    plan = checked(machine, GREETING)
    base = tmp_path / "base"
    shutil.copytree(machine.system, base, symlinks=True)
    (base / "etc/apk/repositories").write_text("/mnt/repo\n")
    for key in (machine.home / "keys").iterdir():
        shutil.copy(key, base / "etc/apk/keys")
    (base / "mnt/repo").mkdir()
    shutil.copytree(machine.home / "repo", base / "mnt/repo", dirs_exist_ok=True)
    builder = Builder(tmp_path / "storage")
    try:
        builder.commit("plain", base)
        context = str(plan / "alpine")
        options = [
            "--isolation",
            "chroot",
            "--format",
            "docker",
            "--pull-never",
            "--build-arg",
            "APK_IMAGE=localhost/plain",
        ]
        builder("build", *options, "-t", "made", "-f", f"{context}/Dockerfile", context)
        mounted = Path(builder("mount", builder("from", "--pull-never", "localhost/made")))
        # a builder makes directories for what it mounts
        supplied = {"/dev", "/proc", "/sys", "/run", "/etc"}
        names = {f"/{path.relative_to(mounted)}" for path in mounted.rglob("*")}
        assert names - supplied == there(planned(plan)).keys() - supplied
        says(mounted, machine, GREETING)
        builder("rm", "--all")
    finally:
        builder.remove()


def program(name: str) -> str:
    """A program that `.ci/get-apko` builds."""
    path = cache_dir().parent / name
    if not path.exists():
        skip(f"{name} is not built: .ci/get-apko does")
    return str(path)


def isolated(*argv: str, cwd: Path, code: int = 0) -> str:
    """What a program says that runs without a network; apko and melange keep their caches in HOME."""
    environment = {"PATH": os.environ["PATH"], "HOME": str(cwd), "SOURCE_DATE_EPOCH": "0"}
    offline = [need("bwrap"), "--dev-bind", "/", "/", "--unshare-net", "--chdir", str(cwd), "--", *argv]
    done = subprocess.run(offline, cwd=cwd, env=environment, capture_output=True, text=True, check=False)
    assert done.returncode == code, done.stdout + done.stderr
    return done.stdout + done.stderr


@pytest.fixture(scope="module")
def repository(machine, tmp_path_factory) -> Path:
    """A directory with `x86_64/`, indexed and signed by melange, and the key beside it."""
    home = tmp_path_factory.mktemp("melange")
    (home / "x86_64").mkdir()
    archives = sorted((machine.home / "repo/x86_64").glob("*.apk"))
    for archive in archives:
        shutil.copy(archive, home / "x86_64")
    isolated(program(MELANGE), "keygen", "--key-size", "2048", "local.rsa", cwd=home)
    names = [archive.name for archive in archives]
    index = ("index", "--signing-key", "../local.rsa", "-o", "APKINDEX.tar.gz")
    isolated(program(MELANGE), *index, *names, cwd=home / "x86_64")
    with tarfile.open(home / "x86_64/APKINDEX.tar.gz") as made:
        assert made.getnames()[0] == ".SIGN.RSA256.local.rsa.pub"
    return home


class TestBuiltByApko:
    """`apko.yaml`, offline, from a repository that melange indexed and signed."""

    def built(self, repository: Path, place: Path, *options: str) -> Path:
        """The root of the image that apko builds of `place/apko.yaml`."""
        trust = ["-r", str(repository), "-k", str(repository / "local.rsa.pub")]
        words = ["--offline", "--vcs=false", "--sbom-path", str(place), "--cache-dir", str(place / "cache"), *options]
        isolated(program(APKO), "build", *words, *trust, "apko.yaml", "app:1", "image.tar", cwd=place)
        root = place / "root"
        root.mkdir()
        with tarfile.open(place / "image.tar") as image:
            (manifest,) = json.load(image.extractfile("manifest.json"))
            (place / "config.json").write_bytes(image.extractfile(manifest["Config"]).read())
            for layer in manifest["Layers"]:
                image.extract(layer, place, filter="data")
                subprocess.run(["tar", "-xpzf", str(place / layer), "-C", str(root)], check=True)
        return root

    @pytest.mark.parametrize("entry", ENTRIES)
    def test_the_image_runs(self, machine, repository, entry, tmp_path):
        """apko takes the file as it is, installs the locked versions, and the entry point runs in the image's root."""
        plan = checked(machine, entry)
        shutil.copy(plan / "alpine/apko.yaml", tmp_path)
        root = self.built(repository, tmp_path)
        locked = {line.partition("=")[::2] for line in (plan / "alpine/world").read_text().splitlines()}
        scan(root, tmp_path / "sbom.json")
        found = scanned_packages(tmp_path / "sbom.json", "apk")
        assert locked <= found  # and what they declare
        says(root, machine, entry)
        size = sum(path.lstat().st_size for path in root.rglob("*") if path.is_file() and not path.is_symlink())
        print(f"executed: apko image of {entry}: {len(found)} packages, {size / 1e6:.1f} MB")

    def test_the_lock_pins_what_was_planned(self, machine, repository, tmp_path):
        """`apko lock` fills in addresses and checksums; they are the plan's, and an image is built by that lock."""
        plan = checked(machine, GREETING)
        shutil.copy(plan / "alpine/apko.yaml", tmp_path)
        trust = ["-r", str(repository), "-k", str(repository / "local.rsa.pub"), "--cache-dir", str(tmp_path / "cache")]
        isolated(program(APKO), "lock", *trust, "--output", "apko.lock.json", "apko.yaml", cwd=tmp_path)
        packages = json.loads((tmp_path / "apko.lock.json").read_text())["contents"]["packages"]
        pinned = {(package["name"], package["version"], package["checksum"]) for package in packages}
        lock = json.loads((plan / "alpine/packages.lock.json").read_text())["packages"]
        assert {(package["name"], package["version"], package["checksum"]) for package in lock} <= pinned
        says(self.built(repository, tmp_path, "--lockfile", "apko.lock.json"), machine, GREETING)

    def test_every_setting_of_an_image_is_accepted(self, repository, tmp_path):
        """apko reads entry point, command, user, variables, labels, volumes, accounts and paths as they were meant."""
        (artifact,) = (found for found in made(alpine_plan(image=IMAGE)) if found.path == "alpine/apko.yaml")
        (tmp_path / "apko.yaml").write_bytes(artifact.data)
        trust = ["-r", str(repository), "-k", str(repository / "local.rsa.pub")]
        shown = isolated(program(APKO), "--log-level", "error", "show-config", *trust, "apko.yaml", cwd=tmp_path)
        read = yaml.safe_load(shown)
        assert read["entrypoint"]["command"] == "/usr/bin/python3 -m app"
        assert (read["cmd"], read["work-dir"], read["stop-signal"]) == ("--port 80", "/srv", "SIGTERM")
        assert read["environment"]["NAME"] == "it's $5"
        assert {path["path"]: path.get("permissions") for path in read["paths"]} == {
            "/etc/link": 0o755, "/run": 0o1777, "/srv": 0o755,
        }  # fmt: skip

    def test_an_unknown_key_would_be_an_error(self, machine, repository, tmp_path):
        """What makes the tests above a check against apko's schema: one key more is refused."""
        text = (checked(machine, APK) / "alpine/apko.yaml").read_text()
        (tmp_path / "apko.yaml").write_text(f"{text}healthcheck: none\n")
        said = isolated(program(APKO), "show-config", "apko.yaml", cwd=tmp_path, code=1)
        assert "healthcheck" in said
