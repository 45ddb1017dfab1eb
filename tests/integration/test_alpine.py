"""Alpine: the real mini root file system, scanned by the real syft, pruned, run, and scanned again."""

from __future__ import annotations

import os
import shutil
import subprocess
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler
from pathlib import Path

import pytest
import trustme

from tests.corpus.roots import authority, scan
from tests.corpus.sandbox import HOST, Box
from tests.integration.commands import (
    decided,
    kept_packages,
    listing,
    need_root,
    planned,
    pruner,
    scanned_packages,
    there,
)
from tests.support import ROOT

pytestmark = pytest.mark.integration

ARCHIVE = "alpine-minirootfs-3.19.4-x86_64.tar.gz"
PORT = 8443


@dataclass(frozen=True)
class Fat:
    root: Path
    sbom: Path
    archive: Path
    """A tar.gz of `root`."""


@dataclass(frozen=True)
class Pruned:
    root: Path
    plan: Path

    @property
    def document(self):
        return planned(self.plan)

    @property
    def files(self):
        return there(self.document)


@pytest.fixture(scope="module")
def fat(tmp_path_factory) -> Fat:
    """The mini root file system, trusting the corpus' authority as a company's images trust their own."""
    archive = Path(os.environ.get("PRUNER_SHARED_DATA", ROOT.parent / "shared" / "data")) / ARCHIVE
    if not archive.exists():
        # on a bare machine too, where other skips are forbidden: nothing there can fetch it
        pytest.skip(f"{archive.name} is not there; PRUNER_SHARED_DATA names its directory")
    need_root("unpacking a root")
    home = tmp_path_factory.mktemp("alpine")
    root = home / "root"
    root.mkdir()
    subprocess.run(["tar", "-xpzf", str(archive), "-C", str(root)], check=True)
    with (root / "etc/ssl/certs/ca-certificates.crt").open("ab") as bundle:
        bundle.write(authority().cert_pem.bytes())
    scan(root, home / "sbom.json")
    made = home / "root.tar.gz"
    subprocess.run(["tar", "-cpzf", str(made), "--numeric-owner", "-C", str(root), "."], check=True)
    return Fat(root=root, sbom=home / "sbom.json", archive=made)


@pytest.fixture(scope="module")
def pruned(fat, tmp_path_factory):
    """Plans entry points and applies the plan; the same words give the same pruned root again."""
    made: dict[tuple[str, ...], Pruned] = {}

    def prune(*options: str) -> Pruned:
        if options not in made:
            home = tmp_path_factory.mktemp("pruned")
            pruner("plan", fat.sbom, "--root", fat.root, *options, "-o", home / "plan", "-q")
            pruner("apply", home / "plan", "--root", fat.root, "--dest", home / "root")
            made[options] = Pruned(root=home / "root", plan=home / "plan")
        return made[options]

    return prune


def apk(fat: Fat, root: Path, *argv: str) -> str:
    """What the real apk of the fat root says about the database of another root."""
    loader = fat.root / "lib/ld-musl-x86_64.so.1"
    program = [str(loader), "--library-path", f"{fat.root}/lib:{fat.root}/usr/lib", str(fat.root / "sbin/apk")]
    done = subprocess.run([*program, "--root", str(root), *argv], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return done.stdout


class _Hello(BaseHTTPRequestHandler):
    def do_GET(self):
        self.send_response(200)
        self.end_headers()
        self.wfile.write(b"hello from outside\n")

    def log_message(self, *_words):
        """Say nothing."""


BUSYBOX = "cmd:/bin/busybox ls -l /"
APK = "cmd:apk info"


def test_directory_and_archive_give_one_plan_and_one_root(fat, pruned, tmp_path):
    """A compressed tar of the root is as good as the directory: the same decisions, and the same pruned root."""
    from_directory = pruned("--entry", BUSYBOX)
    pruner("plan", fat.sbom, "--root", fat.archive, "--entry", BUSYBOX, "-o", tmp_path / "plan", "-q")
    assert decided(tmp_path / "plan") == decided(from_directory.plan)
    pruner("apply", tmp_path / "plan", "--root", fat.archive, "--dest", tmp_path / "root")
    assert listing(tmp_path / "root") == listing(from_directory.root)


def test_busybox_runs_in_what_is_left(fat, pruned):
    """`busybox ls` runs and sees exactly the top of the planned root; nothing of apk is there."""
    small = pruned("--entry", BUSYBOX)
    with Box(small.root, fat.root) as box:
        listed = box.run("/bin/busybox", "ls", "-1", "/").out.split()
    assert listed == sorted({path.split("/")[1] for path in small.files} | {"volume"})  # the box's own
    assert "/sbin/apk" not in small.files
    assert "/bin/ls" not in small.files


def test_the_shell_runs_scripts_with_its_builtins(fat, pruned):
    """`/bin/sh` keeps the link, the program behind it and the profile that a login shell reads."""
    small = pruned("--entry", "/bin/sh")
    assert small.files["/bin/sh"]["target"] == "/bin/busybox"
    with Box(small.root, fat.root) as box:
        assert box.run("/bin/sh", "-lc", "echo $((6 * 7)) $PATH; cd /tmp && pwd").out.splitlines() == [
            "42 /usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin",
            "/tmp",
        ]


@pytest.mark.parametrize("accepted", [False, True])
def test_applet_links_are_an_option(fat, pruned, accepted):
    """No package owns busybox's three hundred links; they are listed as one option, refused until it is accepted."""
    small = pruned("--entry", "apk:busybox", *(("--accept", "busybox-applets") if accepted else ()))
    fat_links = {f"/{path.relative_to(fat.root)}" for path in fat.root.rglob("*") if path.is_symlink()}
    applets = {path for path in fat_links if (fat.root / path[1:]).readlink() == Path("/bin/busybox")}
    assert len(applets) > 250
    assert applets & small.files.keys() == (applets if accepted else {"/bin/sh"})
    (option,) = [option for option in small.document["optional"] if option["name"] == "busybox-applets"]
    assert option["accepted"] is accepted
    assert option["files"] >= len(applets) - 1
    with Box(small.root, fat.root) as box:
        done = box.run("sh", "-c", "head -n 1 /etc/passwd", code=0 if accepted else 127)
        assert ("root:x:0:0" in done.out) is accepted


def test_an_applet_named_by_a_command_is_kept_by_its_link(fat, pruned):
    """`cmd:id` keeps the link /usr/bin/id, which gives the program its name, and the users that it prints."""
    small = pruned("--entry", "cmd:id -un")
    assert small.files["/usr/bin/id"]["target"] == "/bin/busybox"
    with Box(small.root, fat.root) as box:
        assert box.run("id", "-un", user="nobody").out == "nobody\n"
        assert box.run("id", "-gn", user="nobody").out == "nobody\n"


def test_tls_is_verified_against_the_bundle(fat, pruned):
    """wget starts ssl_client, which trusts the CA bundle of the root and nobody else."""
    url = f"https://{HOST}:{PORT}/"
    small = pruned("--entry", f"cmd:wget -O - {url}")
    assert {
        "/usr/bin/ssl_client",
        "/lib/libssl.so.3",
        "/etc/ssl/certs/ca-certificates.crt",
        "/etc/ssl/openssl.cnf",
    } <= (small.files.keys())
    with Box(small.root, fat.root) as box:
        with box.serve(_Hello, PORT, tls=authority()):
            assert box.run("wget", "-q", "-O", "-", url).out == "hello from outside\n"
        with box.serve(_Hello, PORT + 1, tls=trustme.CA()):
            refused = box.run("wget", "-q", "-O", "-", f"https://{HOST}:{PORT + 1}/", code=None)
            assert refused.code != 0
            assert "certificate verif" in refused.err


def test_ssl_client_alone(fat, pruned):
    """ssl_client as the command brings the bundle, and does in the pruned root what it does in the fat one."""
    small = pruned("--entry", "cmd:ssl_client")
    assert "/etc/ssl/certs/ca-certificates.crt" in small.files
    with Box(small.root, fat.root) as box:
        done, fat_done = (run("ssl_client", "-s", "9", "-n", HOST, code=None) for run in (box.run, box.tool))
    assert (done.code, done.err) == (fat_done.code, fat_done.err)
    assert "ssl" in done.err.lower()


@pytest.mark.parametrize("entry", [BUSYBOX, "apk:busybox", APK, "cmd:ssl_client"])
def test_the_database_lists_what_is_there(fat, pruned, tmp_path, entry):
    """The real syft and the real apk see exactly the plan's packages, and no file of one is missing or changed."""
    small = pruned("--entry", entry)
    wanted = kept_packages(small.document, "apk")
    scan(small.root, tmp_path / "pruned.json")
    assert scanned_packages(tmp_path / "pruned.json", "apk") == wanted
    assert set(apk(fat, small.root, "info", "--verbose").split()) == {f"{name}-{version}" for name, version in wanted}
    for name, _ in wanted:
        owned = apk(fat, small.root, "info", "--contents", "--quiet", name).split()
        assert {f"/{path}" for path in owned} <= small.files.keys()
    changed = apk(fat, small.root, "audit", "--system").splitlines()
    # the bundle was changed before the scan, in the fat root itself
    assert [line for line in changed if not line.endswith("etc/ssl/certs/ca-certificates.crt")] == []


def test_apk_itself_runs_and_reads_the_trimmed_database(fat, pruned):
    """With apk as the entry point, apk in the pruned root lists the packages of the pruned root."""
    small = pruned("--entry", APK)
    with Box(small.root, fat.root) as box:
        assert box.run("apk", "--version").out.startswith("apk-tools 2.14")
        listed = set(box.run("apk", "info", "--verbose").out.split())
    assert listed == {f"{name}-{version}" for name, version in kept_packages(small.document, "apk")}


def test_the_loaders_path_file_is_obeyed(fat, tmp_path):
    """musl searches what /etc/ld-musl-ARCH.path names instead of its defaults; the file itself is kept."""
    root = tmp_path / "root"
    subprocess.run(["cp", "-a", str(fat.root), str(root)], check=True)
    (root / "opt/zlib").mkdir()
    for path in sorted((root / "lib").glob("libz.so*")):
        shutil.move(path, root / "opt/zlib" / path.name)
    (root / "etc/ld-musl-x86_64.path").write_text("/opt/zlib\n/lib:/usr/lib\n")
    scan(root, tmp_path / "sbom.json")
    pruner(
        "plan", tmp_path / "sbom.json", "--root", root, "--entry", "cmd:apk --version", "-o", tmp_path / "plan", "-q"
    )
    document = planned(tmp_path / "plan")
    assert {"/opt/zlib/libz.so.1", "/etc/ld-musl-x86_64.path"} <= there(document).keys()
    assert [unknown for unknown in document["unknowns"] if unknown["kind"] == "needed"] == []
    pruner("apply", tmp_path / "plan", "--root", root, "--dest", tmp_path / "pruned")
    with Box(tmp_path / "pruned", root) as box:
        assert box.run("apk", "--version").out.startswith("apk-tools")


def test_the_sbom_alone_is_enough_to_run(fat, tmp_path):
    """Without the root to read, apk and wget keep enough to run, and the plan says that bytes were not read."""
    url = f"https://{HOST}:{PORT}/"
    entries = ("--entry", "cmd:apk info", "--entry", f"cmd:wget -O - {url}")
    pruner("plan", fat.sbom, *entries, "-o", tmp_path / "plan", "-q")
    document = planned(tmp_path / "plan")
    assert document["mode"] == "sbom"
    pruner("apply", tmp_path / "plan", "--root", fat.root, "--dest", tmp_path / "pruned")
    with Box(tmp_path / "pruned", fat.root) as box:
        assert box.run("apk", "--version").out.startswith("apk-tools")
        with box.serve(_Hello, PORT, tls=authority()):
            assert box.run("wget", "-q", "-O", "-", url).out == "hello from outside\n"
