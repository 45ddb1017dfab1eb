"""install.sh on packages made for the purpose: hostile names, diversions, hard links, changed state, and refusals.

Needs root and dpkg; the archive lies in a directory, so that no network is used.
"""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
import time
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.corpus.roots import scan
from tests.integration.debianarchive import Apt, apt_with, listing
from tests.support import need, skip

pytestmark = pytest.mark.integration

HOSTILE = (
    "a name", "quote'\"", "back\\slash\\n", "$(touch hacked)", "`touch hacked`", "-rf", "--checkpoint-action=exec=sh",
    "*?[x]", "@list", "semi;colon", "ünïcode", "bytes\udcff", "escape\x1b[31m", " leading", "trailing ", "#hash", "a -> b",
)  # fmt: skip
NEWLINE = "line\nbreak"
AUTHORITIES = {f"/usr/share/ca-certificates/test/{name}.crt": name.encode() for name in ("one", "Two", "three")}

RELEASE = {"/usr/lib/os-release": b'ID=debian\nVERSION_ID="12"\n', "/etc/os-release": "-> ../usr/lib/os-release"}


@pytest.fixture(scope="module", autouse=True)
def _tools() -> None:
    for tool in ("apt-get", "dpkg", "dpkg-deb", "dpkg-divert"):
        need(tool)
    if os.geteuid() != 0:
        skip("install.sh sets owners: it needs root")


@dataclass(frozen=True)
class Shelf:
    """A fat root, its SBOM, the packages that it was made from, and an apt that knows them."""

    place: Path
    apt: Apt

    @property
    def root(self) -> Path:
        return self.place / "root"

    @property
    def archive(self) -> Path:
        return self.place / "archive"

    def plan(self, output: Path, *words: str, alone: bool = False, indexed: bool = False) -> Path:
        """Plan into `output`; from the SBOM alone, or with the archive's index."""
        options = [] if alone else ["--root", str(self.root)]
        options += ["--relations", str(self.archive / "Packages")] if indexed else []
        command = [sys.executable, "-m", "pruner", "plan", str(self.place / "sbom.json"), *options, *words]
        done = subprocess.run([*command, "--output", str(output)], capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stderr
        return output


@pytest.fixture(scope="module")
def shelf(tmp_path_factory: pytest.TempPathFactory) -> Shelf:
    """Three packages with everything that is awkward, installed by dpkg into a merged root and then changed."""
    from tests.integration import debs

    place = tmp_path_factory.mktemp("shelf")
    archive = place / "archive"
    archive.mkdir()
    alpha = debs.build(
        archive,
        "alpha",
        "1:2.0~rc1-1+b2",
        {
            "/lib/alpha/module.so": b"merged",
            "/bin/alpha": b"#!/bin/sh\n",
            "/etc/alpha.conf": b"as shipped\n",
            "/usr/share/alpha/diverted": b"diverted",
            "/usr/share/alpha/link": "-> one",
            "/usr/share/alpha/outside": "-> /nowhere/at/all",
            **{f"/usr/share/alpha/{name}": os.fsencode(name) for name in HOSTILE},
        },
        fields="Depends: beta (>= 1), gamma\n",
    )
    contents = {"/usr/share/beta/data": b"beta", "/usr/share/beta/template": b"template", **RELEASE, **AUTHORITIES}
    beta = debs.build(archive, "beta", "1.0", contents)
    one = "/usr/share/omega/one"
    omega = debs.build(
        archive,
        "omega",
        "3",
        {one: b"one inode", "/usr/share/omega/two": f"= {one}", "/usr/share/omega/away/three": f"= {one}"},
    )
    root = debs.merged_root(place / "root")
    debs.unpack(root, alpha, beta, omega)
    debs.index(archive)
    away = "/usr/share/alpha/diverted"
    debs.dpkg(root, "dpkg-divert", "--quiet", "--local", "--rename", "--divert", f"{away}.real", "--add", away)
    (root / "etc/alpha.conf").write_text("as changed\n")
    (root / f"usr/share/alpha/{NEWLINE}").write_text("of no package")
    (root / "usr/bin/alpha").chmod(0o4750)
    os.chown(root / "usr/bin/alpha", 0, 50)
    (root / "usr/bin/alpha").chmod(0o4750)
    (root / "usr/share/alpha/secret").write_text("secret")
    (root / "usr/share/alpha/secret").chmod(0o600)
    (root / "etc/ssl/certs").mkdir(parents=True)
    names = sorted(AUTHORITIES)
    (root / "etc/ssl/certs/ca-certificates.crt").write_bytes(b"".join(AUTHORITIES[name] + b"\n" for name in names))
    (root / "etc/beta.conf").write_text("template")
    (root / "etc/beta.conf").chmod(0o640)
    (root / "etc/empty").touch()
    scan(root, place / "sbom.json")
    return Shelf(place, apt_with(f"deb [trusted=yes] file:{archive} ./\n", place / "apt"))


EVERYTHING = (
    "--entry", "/usr/share/alpha/", "--entry", "/usr/lib/alpha/", "--entry", "/usr/bin/alpha", "--keep", "/etc/alpha.conf",
    "--keep", "/usr/share/beta/data", "--keep", "/usr/share/alpha/**",
    "--keep", "/usr/share/omega/away/three",
)  # fmt: skip


def nothing_left(directory: Path, *expected: str) -> None:
    """Nothing but `expected` is in `directory`, a half-made root least of all."""
    assert sorted(path.name for path in directory.iterdir()) == sorted(expected)


def applied(shelf: Shelf, plan: Path, place: Path) -> Path:
    """What `pruner apply` makes of the plan."""
    command = [sys.executable, "-m", "pruner", "apply", str(plan), "--root", str(shelf.root), "--dest", str(place)]
    subprocess.run(command, check=True, capture_output=True)
    return place


def test_installs_names_that_mean_something_elsewhere(shelf: Shelf, tmp_path: Path) -> None:
    """Quotes, line breaks, wildcards, options and command substitutions are names, and the tree is the pruned root."""
    plan = shelf.plan(tmp_path / "plan", *EVERYTHING)
    done = shelf.apt.install(plan, tmp_path / "root it's $(here)")
    assert done.returncode == 0, done.stderr
    found, wanted = listing(tmp_path / "root it's $(here)"), listing(applied(shelf, plan, tmp_path / "applied"))
    assert found.keys() == wanted.keys()
    assert {path for path in wanted if found[path] != wanted[path]} <= {"/"}
    for name in (*HOSTILE, NEWLINE, "link", "outside", "diverted.real", "secret"):
        assert f"/usr/share/alpha/{name}" in found
    omega = {path for path in found if path.startswith("/usr/share/omega/")}
    assert omega == {"/usr/share/omega/away", "/usr/share/omega/away/three"}
    assert not list(Path.cwd().glob("hacked")) and not list(tmp_path.rglob("hacked"))


def test_takes_what_it_can_from_packages(shelf: Shelf, tmp_path: Path) -> None:
    """State is what no package brings or brings otherwise: a changed conffile, and files of nobody."""
    import tarfile

    plan = shelf.plan(tmp_path / "plan", *EVERYTHING)
    with tarfile.open(plan / "debian/state.tar") as state:
        names = {member.name for member in state if member.isreg() and "/dpkg/" not in member.name}
    assert names == {"./etc/alpha.conf", f"./usr/share/alpha/{NEWLINE}", "./usr/share/alpha/secret"}
    assert (plan / "debian/state.tar").stat().st_mode & 0o777 == 0o600
    script = (plan / "debian/install.sh").read_text()
    assert "#   /etc/alpha.conf: not as the package brings it; " in script
    assert "#   /usr/share/alpha/line\\nbreak: no package brings it; " in script


def test_script_is_clean(shelf: Shelf, tmp_path: Path) -> None:
    """ShellCheck finds nothing, names like these in its comments or not."""
    plan = shelf.plan(tmp_path / "plan", *EVERYTHING)
    scripts = [str(plan / "debian" / name) for name in ("install.sh", "mmdebstrap.sh")]
    assert subprocess.run([need("shellcheck"), *scripts], capture_output=True, text=True, check=False).stdout == ""


def test_is_the_same_every_time(shelf: Shelf, tmp_path: Path) -> None:
    """Two installs differ in nothing."""
    plan = shelf.plan(tmp_path / "plan", *EVERYTHING)
    for name in ("one", "two"):
        assert shelf.apt.install(plan, tmp_path / name).returncode == 0
    assert listing(tmp_path / "one") == listing(tmp_path / "two")


def test_fills_an_empty_directory(shelf: Shelf, tmp_path: Path) -> None:
    """DEST may exist as long as nothing is in it."""
    plan = shelf.plan(tmp_path / "plan", *EVERYTHING)
    (tmp_path / "root").mkdir()
    assert shelf.apt.install(plan, tmp_path / "root").returncode == 0
    assert (tmp_path / "root/usr/lib/alpha/module.so").read_bytes() == b"merged"
    assert not (tmp_path / "root.partial").exists()


def test_refuses_a_destination_that_is_taken(shelf: Shelf, tmp_path: Path) -> None:
    """A directory with something in it, a file, a link, a half-made root of another run: left as they are."""
    plan = shelf.plan(tmp_path / "plan", *EVERYTHING)
    (tmp_path / "full").mkdir()
    (tmp_path / "full/file").touch()
    (tmp_path / "file").touch()
    (tmp_path / "link").symlink_to("nowhere")
    (tmp_path / "busy.partial").mkdir()
    (tmp_path / "busy.partial/file").touch()
    before = listing(tmp_path, times=False)
    for name, code, words in (
        ("full", 2, "is not empty"), ("file", 2, "is not a directory"), ("link", 2, "is not a directory"),
        ("busy", 1, "is in the way"), ("no/such/parent", 2, "does not exist"),
    ):  # fmt: skip
        done = shelf.apt.install(plan, tmp_path / name)
        assert (done.returncode, words in done.stderr) == (code, True), done.stderr
    assert listing(tmp_path, times=False) == before


@pytest.mark.parametrize("words", [(), ("one", "two"), ("--unknown", "root"), ("",)])
def test_explains_its_usage(shelf: Shelf, tmp_path: Path, words: tuple[str, ...]) -> None:
    """Wrong words exit 2 with the usage."""
    plan = shelf.plan(tmp_path / "plan", *EVERYTHING)
    script = str(plan / "debian/install.sh")
    done = subprocess.run(["sh", script, *words], cwd=tmp_path, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stderr.startswith("pruner: usage: install.sh")) == (2, True)
    nothing_left(tmp_path, "plan")


def rebuilt(shelf: Shelf, tmp_path: Path) -> Apt:
    """An archive in which beta 1.0 is another package than the one that was planned."""
    from tests.integration import debs

    archive = tmp_path / "archive"
    shutil.copytree(shelf.archive, archive)
    debs.build(
        archive,
        "beta",
        "1.0",
        {"/usr/share/beta/data": b"another", "/usr/share/beta/template": b"template", **RELEASE, **AUTHORITIES},
    )
    debs.index(archive)
    return apt_with(f"deb [trusted=yes] file:{archive} ./\n", tmp_path / "apt")


def test_refuses_an_archive_that_is_not_the_locked_one(shelf: Shelf, tmp_path: Path) -> None:
    """With an index the lock has checksums, and another archive under the same version is refused unfetched."""
    plan = shelf.plan(tmp_path / "plan", *EVERYTHING, indexed=True)
    assert " sha256" not in (plan / "debian/packages.txt").read_text()
    assert shelf.apt.install(plan, tmp_path / "good").returncode == 0
    done = rebuilt(shelf, tmp_path).install(plan, tmp_path / "root")
    assert done.returncode == 1
    assert "offers another beta 1.0 than was locked" in done.stderr
    nothing_left(tmp_path, "plan", "good", "archive", "apt")


def test_refuses_content_that_the_sbom_does_not_know(shelf: Shelf, tmp_path: Path) -> None:
    """Without a locked checksum the content itself gives another archive away."""
    plan = shelf.plan(tmp_path / "plan", *EVERYTHING)
    done = rebuilt(shelf, tmp_path).install(plan, tmp_path / "root")
    assert done.returncode == 1
    assert "/usr/share/beta/data" in done.stderr
    assert "than the plan was made from" in done.stderr
    nothing_left(tmp_path, "plan", "archive", "apt")


@pytest.mark.parametrize("changed", ["as changed\n", "as sHipped\n"], ids=["size", "content"])
def test_takes_a_packages_configuration_where_the_image_s_is_not_known(
    shelf: Shelf, tmp_path: Path, changed: str
) -> None:
    """An SBOM does not hold a changed configuration file: the script says so, and takes the package's when told to."""
    root = tmp_path / "fat"
    shutil.copytree(shelf.root, root, symlinks=True)
    (root / "etc/alpha.conf").write_text(changed)
    scan(root, tmp_path / "sbom.json")
    own = Shelf(tmp_path, shelf.apt)
    words = ("--entry", "/usr/bin/alpha", "--keep", "/etc/alpha.conf", "--drop", "/usr/share/alpha/**")
    plan = own.plan(tmp_path / "plan", *words, alone=True)
    done = shelf.apt.install(plan, tmp_path / "root", "--allow-missing")
    assert done.returncode == 0, done.stderr
    assert "./etc/alpha.conf" in done.stderr
    assert (tmp_path / "root/etc/alpha.conf").read_text() == "as shipped\n"
    (plan / "debian/missing.nul").write_bytes(b"")
    refused = shelf.apt.install(plan, tmp_path / "other")
    assert refused.returncode == 1
    assert "give --allow-missing" in refused.stderr
    assert not (tmp_path / "other").exists()


def test_refuses_a_damaged_archive(shelf: Shelf, tmp_path: Path) -> None:
    """An archive that is not what apt's lists say never reaches the root."""
    plan = shelf.plan(tmp_path / "plan", *EVERYTHING)
    archive = tmp_path / "archive"
    shutil.copytree(shelf.archive, archive)
    apt = apt_with(f"deb [trusted=yes] file:{archive} ./\n", tmp_path / "apt")
    damaged = next(archive.glob("beta_*.deb"))
    damaged.write_bytes(damaged.read_bytes()[:-100] + bytes(100))
    done = apt.install(plan, tmp_path / "root")
    assert done.returncode == 1
    assert "could not download" in done.stderr
    nothing_left(tmp_path, "plan", "archive", "apt")


def test_names_every_version_that_is_gone(shelf: Shelf, tmp_path: Path) -> None:
    """All packages that the archive has not are named at once, and nothing is fetched."""
    from tests.integration import debs

    plan = shelf.plan(tmp_path / "plan", *EVERYTHING)
    (tmp_path / "archive").mkdir()
    debs.build(tmp_path / "archive", "beta", "1.1", {"/usr/share/beta/data": b"newer"})
    debs.index(tmp_path / "archive")
    apt = apt_with(f"deb [trusted=yes] file:{tmp_path}/archive ./\n", tmp_path / "apt")
    done = apt.install(plan, tmp_path / "root")
    assert done.returncode == 1
    assert "pruner: beta 1.0 is no longer in the archive\n" in done.stderr
    assert "alpha" in done.stderr
    nothing_left(tmp_path, "plan", "archive", "apt")


def test_leaves_nothing_when_it_is_stopped(shelf: Shelf, tmp_path: Path) -> None:
    """A signal in the middle removes the half-made root and what was downloaded."""
    plan = shelf.plan(tmp_path / "plan", *EVERYTHING)
    slow = tmp_path / "bin"
    slow.mkdir()
    (slow / "dpkg-deb").write_text(f'#!/bin/sh\ntouch {tmp_path}/bin/started\nsleep 1\nexec /usr/bin/dpkg-deb "$@"\n')
    (slow / "dpkg-deb").chmod(0o755)
    (tmp_path / "tmp").mkdir()
    environment = shelf.apt.environment | {"PATH": f"{slow}:{os.environ['PATH']}", "TMPDIR": str(tmp_path / "tmp")}
    command = ["sh", str(plan / "debian/install.sh"), str(tmp_path / "root")]
    process = subprocess.Popen(command, env=environment, stdin=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    while not (slow / "started").exists():
        assert process.poll() is None
        time.sleep(0.02)
    assert (tmp_path / "root.partial").is_dir()
    process.send_signal(signal.SIGTERM)
    assert process.wait(30) == 143
    nothing_left(tmp_path, "plan", "bin", "tmp")
    nothing_left(tmp_path / "tmp")


def test_takes_packages_of_other_makers(tmp_path: Path) -> None:
    """Archives whose names have no `./` before them are as good, below merged directories too."""
    from tests.integration import debs

    need("ar")
    archive = tmp_path / "archive"
    archive.mkdir()
    contents = {"/lib/bare/module": b"module", "/usr/share/bare/-rf": b"data", **RELEASE}
    package = debs.build(archive, "bare", "1", contents)
    debs.without_dots(package)
    debs.index(archive)
    debs.unpack(debs.merged_root(tmp_path / "root"), package)
    scan(tmp_path / "root", tmp_path / "sbom.json")
    shelf = Shelf(tmp_path, apt_with(f"deb [trusted=yes] file:{archive} ./\n", tmp_path / "apt"))
    plan = shelf.plan(tmp_path / "plan", "--entry", "deb:bare")
    done = shelf.apt.install(plan, tmp_path / "made")
    assert (done.returncode, "Not found" in done.stderr) == (0, False), done.stderr
    assert (tmp_path / "made/usr/lib/bare/module").read_bytes() == b"module"
    assert (tmp_path / "made/usr/share/bare/-rf").read_bytes() == b"data"


ALONE = ("--entry", "/usr/share/beta/data", "--keep", "/usr/share/ca-certificates/**", "--keep", "/etc/ssl/certs/ca-certificates.crt")  # fmt: skip


def test_joins_the_ca_bundle_from_kept_certificates(shelf: Shelf, tmp_path: Path) -> None:
    """From the SBOM alone the bundle is made as update-ca-certificates makes it, and checked against the SBOM."""
    plan = shelf.plan(tmp_path / "plan", *ALONE, alone=True)
    done = shelf.apt.install(plan, tmp_path / "root")
    assert done.returncode == 0, done.stderr
    bundle = "etc/ssl/certs/ca-certificates.crt"
    assert (tmp_path / "root" / bundle).read_bytes() == (shelf.root / bundle).read_bytes()
    assert (tmp_path / "root" / bundle).read_bytes().count(b"\n") == len(AUTHORITIES)


def test_copies_a_template_that_has_the_same_digest(shelf: Shelf, tmp_path: Path) -> None:
    """From the SBOM alone a file that equals one of a package is made from it, and what was extracted for it goes."""
    words = ("--entry", "/usr/share/beta/data", "--keep", "/etc/beta.conf", "--keep", "/etc/empty")
    plan = shelf.plan(tmp_path / "plan", *words, alone=True)
    done = shelf.apt.install(plan, tmp_path / "root")
    assert done.returncode == 0, done.stderr
    assert (tmp_path / "root/etc/beta.conf").read_bytes() == b"template"
    assert (tmp_path / "root/etc/empty").read_bytes() == b""
    assert (tmp_path / "root/etc/beta.conf").stat().st_mode & 0o777 == 0o640
    assert (tmp_path / "root/usr/share/beta/template").exists() == ("/usr/share/beta/template" in kept_of(plan))


def kept_of(plan: Path) -> set[str]:
    return set((plan / "files.txt").read_text().splitlines())


def test_says_what_is_missing(shelf: Shelf, tmp_path: Path) -> None:
    """What the SBOM alone can't give is named, and installed without on request only; it is never invented."""
    plan = shelf.plan(tmp_path / "plan", *EVERYTHING, alone=True)
    done = shelf.apt.install(plan, tmp_path / "root")
    assert done.returncode == 1
    assert "/usr/share/alpha/secret\n" in done.stderr
    assert "--allow-missing" in done.stderr
    nothing_left(tmp_path, "plan")
    assert "/usr/share/alpha/secret: its bytes are not in the SBOM" in (plan / "debian/README").read_text()


def test_relationships_have_three_classes(shelf: Shelf, tmp_path: Path) -> None:
    """Each declared dependency is recorded with its class, also one that nothing satisfies."""
    import json

    plan = shelf.plan(tmp_path / "plan", *EVERYTHING)
    records = json.loads((plan / "debian/relationships.json").read_text())["relationships"]
    assert [(one["clause"], one["packages"], one["class"]) for one in records] == [
        ("beta (>= 1)", ["beta"], "run time"),  # it is made of data alone
        ("gamma", [], "neither"),
    ]
