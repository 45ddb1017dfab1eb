"""rpm: packages built by rpmbuild, installed by dnf, scanned by the real syft, pruned, run, and installed again by the plan."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
from dataclasses import dataclass, replace
from pathlib import Path

import pytest

from pruner.read import read_sbom
from pruner.relations import resolve
from pruner.relations.rpm import parse
from tests.corpus.roots import scan
from tests.corpus.sandbox import Box
from tests.integration import rpms
from tests.integration.commands import listing, planned, pruner, there
from tests.integration.images import Builder
from tests.support import need

pytestmark = pytest.mark.integration

ENTRY = "cmd:/usr/bin/greet-twice"
CONFIGURED = "/etc/greet.conf"
GREETING = "hello\nof this image\nfrom the data package\n"
DEFAULT = "hello\nfrom the configuration\nfrom the data package\n"
KEPT = {
    "busybox", "filesystem", "glibc", "greet", "greet-dark", "greet-data", "greet-libs", "greet-plugin", "setup",
    "test-release",
}  # fmt: skip
"""By declared needs alone greet-setup too: a scriptlet's interpreter. Nothing that runs needs it."""
STATE = "/var/lib/greet/state"


@dataclass(frozen=True)
class Fat:
    packages: Path
    """The repository."""
    root: Path
    sbom: Path


@pytest.fixture(scope="module")
def fat(tmp_path_factory) -> Fat:
    """`greet` and what dnf installs with it: needs, one of two alternatives, a weak dependency, documentation, state."""
    rpms.need_tools()
    home = tmp_path_factory.mktemp("rpm")
    packages = rpms.repository(home / "repository")
    rpms.installed(packages, home / "root", home / "home", "greet", "setup")
    (home / "root" / CONFIGURED[1:]).write_text("of this image\n")
    scan(home / "root", home / "sbom.json")
    return Fat(packages=packages, root=home / "root", sbom=home / "sbom.json")


@pytest.fixture(scope="module", params=["root", "sbom"])
def plan(request, fat, tmp_path_factory) -> Path:
    """A plan directory for the script that starts the program twice, with the root and from the SBOM alone."""
    output = tmp_path_factory.mktemp(request.param) / "plan"
    options = ("--root", fat.root) if request.param == "root" else ()
    pruner("plan", fat.sbom, *options, "--entry", ENTRY, "-o", output, "-q")
    return output


def names(sbom: Path) -> set[tuple[str, str]]:
    """Name and version, with its epoch, of the rpm packages that syft lists."""
    listed = json.loads(sbom.read_text())["artifacts"]
    return {(found["name"], found["version"]) for found in listed if found["type"] == "rpm"}


def wanted(plan: Path) -> set[tuple[str, str]]:
    return {
        (package["name"], package["version"])
        for package in planned(plan)["packages"]
        if package["decision"] != "drop"
    }  # fmt: skip


def install(plan: Path, packages: Path, destination: Path, code: int = 0) -> str:
    """What the emitted script says on standard error; it is run from another directory."""
    done = subprocess.run(
        [plan / "rpm/install.sh", destination, *rpms.dnf_options(packages)],
        cwd="/", capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert done.returncode == code, done.stdout + done.stderr
    return done.stderr


def there_but_database(plan: Path) -> dict:
    """The kept and made files of a plan, without the database and the directories that only it needs."""
    return {path: file for path, file in there(planned(plan)).items() if not path.startswith("/usr/lib/sysimage")}


def shown(root: Path) -> set[str]:
    """Every name below `root`, without the rpm database and the directories that only it needs."""
    found = {f"/{path.relative_to(root)}" for path in root.rglob("*")}
    return {path for path in found if not path.startswith("/usr/lib/sysimage")}


def rpm(root: Path, *argv: str) -> str:
    command = [need("rpm"), "--root", str(root), "--define", f"_dbpath {rpms.DATABASE}", *argv]
    return subprocess.run(command, capture_output=True, text=True, check=False).stdout


class TestReading:
    def test_states_what_rpm_itself_states(self, fat):
        """Architecture, epoch, configuration, ghosts and modes of files are those of `rpm -q`."""
        inventory = read_sbom(str(fat.sbom))
        query = "[%{=NAME}\t%{=ARCH}\t%{FILENAMES}\t%{FILEMODES:octal}\t%{FILEFLAGS:fflags}\n]"
        told = {
            (name, architecture, path, int(mode, 8), "c" in flags, "g" in flags)
            for name, architecture, path, mode, flags in (
                line.split("\t") for line in rpm(fat.root, "-qa", "--qf", query).splitlines()
            )
        }  # fmt: skip
        read = {
            (package.name, package.architecture, file.path, file.mode, file.conffile, file.ghost)
            for package in inventory.packages
            for file in package.files
        }
        present = {line for line in told if os.path.lexists(f"{fat.root}{line[2]}")}
        assert read == present
        assert {("greet", "x86_64", STATE, 0o100640, False, True)} <= read
        versions = {package.name: package.version for package in inventory.packages}
        assert versions["greet-data"] == "2:3~rc1-2.fc40"

    def test_resolves_what_dnf_resolved(self, fat):
        """Every need of every package is met by what dnf installed, and the alternatives by the one it chose."""
        inventory = read_sbom(str(fat.sbom))
        by_id = {package.id: package for package in inventory.packages}
        clauses = {by_id[package].name: found for package, found in resolve(inventory.packages).items()}
        assert all(all(found) for found in clauses.values())
        needs = {by_id[option].name for clause in clauses["greet"] for option in clause}
        assert needs == {"busybox", "greet-dark", "greet-data", "greet-libs", "greet-setup", "glibc", "test-release"}

    def test_directories_are_known_without_all_files(self, fat, tmp_path):
        """An SBOM of owned files alone still plans the program's own directory, with its mode."""
        document = json.loads(fat.sbom.read_text())
        document["files"] = [
            entry for entry in document["files"] if (entry.get("metadata") or {}).get("type") == "RegularFile"
        ]
        document["descriptor"]["configuration"]["files"]["selection"] = "owned-by-package"
        (tmp_path / "owned.json").write_text(json.dumps(document))
        files = read_sbom(str(tmp_path / "owned.json")).files
        assert files["/var/lib/greet"].mode == 0o2750
        assert "/bin" not in files


@pytest.mark.parametrize(
    "text",
    ["(a or b)", "(a and b or c)", "(a if b else c)", "(a if b)", "(a with b)", "(a without b)", "(a or (b and c))", "((a))",
     "(a with b with c)", "(a without b without c)", "(a if b if c)", "(a or b if c)", "((a or b) if c)", "(a >= 1 or b)",
     "(a if (b with c) else d)", "(libz.so.1()(64bit) or b)", "(a or b", "(a b)", "()", "(a >= )", "(a if b and c)",
     "(a == 1 or b)", "( a or b )"],
)  # fmt: skip
def test_rich_dependencies_are_those_that_rpm_reads(tmp_path, text):
    """What the real rpm takes as a requirement is read, and what it refuses is not."""
    spec = tmp_path / "x.spec"
    tags = "".join(f"{tag}: x\n" for tag in ("Name", "Version", "Release", "Summary", "License"))
    spec.write_text(f"{tags}Requires: {text}\n%description\nx\n%files\n")
    done = subprocess.run(
        [need("rpmspec"), "--query", "--requires", spec], capture_output=True, text=True, check=False,
        env={**os.environ, "HOME": str(tmp_path)},
    )  # fmt: skip
    assert (parse(text) is not None) is (done.returncode == 0), done.stderr


class TestPlan:
    def test_keeps_what_runs_and_leaves_the_scriptlets_needs(self, plan):
        """The script, its shell, the libraries, data by virtual provide and by `or`, and nothing for scriptlets alone."""
        assert {name for name, _ in wanted(plan)} == KEPT
        files = there(planned(plan))
        assert {
            "/usr/share/greet/text",
            "/usr/share/greet-themes/dark",
            "/usr/lib/libgreet.so.1",
            STATE,
        } <= files.keys()
        assert not {"/usr/sbin/greet-setup", "/usr/share/doc/greet/README"} & files.keys()
        assert files["/var/lib/greet"]["mode"] == "2750"

    def test_the_pruned_root_runs(self, fat, plan, tmp_path):
        """`pruner apply` gives a root in which the script runs as in the fat one."""
        pruner("apply", plan, "--root", fat.root, "--dest", tmp_path / "root")
        with Box(tmp_path / "root", fat.root) as box:
            assert box.run("/usr/bin/greet-twice").out == GREETING * 2

    def test_the_applied_root_lists_what_is_there(self, fat, plan, tmp_path):
        """With the root at hand its database is trimmed, and syft and rpm see the planned packages; else the plan says so."""
        pruner("apply", plan, "--root", fat.root, "--dest", tmp_path / "root")
        scan(tmp_path / "root", tmp_path / "sbom.json")
        with_database = planned(plan)["mode"] == "root"
        assert names(tmp_path / "sbom.json") == (wanted(plan) if with_database else set())
        assert any("no rpm database" in text for text in planned(plan)["lacks"]) is not with_database
        if with_database:
            assert set(rpm(tmp_path / "root", "-qa", "--qf", "%{NAME}\n").split()) == KEPT
            assert (
                rpm(tmp_path / "root", "-q", "--whatprovides", "greeting-text").strip()
                == "greet-data-3~rc1-2.fc40.noarch"
            )
            missing = {line.split()[-1] for line in rpm(tmp_path / "root", "-Va").splitlines()}
            assert missing <= {"/usr/share/doc/greet", "/usr/share/doc/greet/README", STATE, CONFIGURED}

    def test_verify_finds_no_difference(self, fat, plan):
        """`pruner verify` runs the script in both roots."""
        need("bwrap")
        assert "same" in pruner("verify", plan, "--root", fat.root, "--", "/usr/bin/greet-twice").stdout


class TestInstall:
    def test_gives_the_planned_files_and_runs(self, fat, plan, tmp_path):
        """From the repository alone: the same names, types, modes, owners and contents as the plan's, and it runs."""
        said = install(plan, fat.packages, tmp_path / "root")
        files = there_but_database(plan)
        unmade = {STATE} if planned(plan)["mode"] == "sbom" else set()
        assert shown(tmp_path / "root") == files.keys() - unmade
        assert ("1 planned names are not made" in said) is bool(unmade)
        found, original = listing(tmp_path / "root"), listing(fat.root)
        altered = {CONFIGURED} if unmade else set()
        assert ("1 files are their packages'" in said) is bool(altered)
        for path in files.keys() - unmade - altered:
            kind, mode, owner, _time, content, attributes = found[path]
            assert (kind, mode, owner, content, attributes) == (*original[path][:3], *original[path][4:]), path
        with Box(tmp_path / "root", fat.root) as box:
            assert box.run("/usr/bin/greet-twice").out == (DEFAULT if altered else GREETING) * 2

    def test_scanners_see_exactly_the_planned_packages(self, fat, plan, tmp_path):
        """syft and rpm list the planned packages; rpm finds nothing amiss but what is state and documentation."""
        install(plan, fat.packages, tmp_path / "root")
        scan(tmp_path / "root", tmp_path / "sbom.json")
        assert names(tmp_path / "sbom.json") == wanted(plan)
        listed = set(rpm(tmp_path / "root", "-qa", "--qf", "%{NAME}\n").split())
        assert listed == KEPT
        differences = {line.split()[-1] for line in rpm(tmp_path / "root", "-Va").splitlines()}
        assert differences <= {"/usr/share/doc/greet", "/usr/share/doc/greet/README", STATE, CONFIGURED}

    def test_twice_gives_the_same_tree(self, fat, plan, tmp_path):
        """Only the database differs, in which rpm notes when it installed what."""
        for name in ("first", "second"):
            install(plan, fat.packages, tmp_path / name)
        first, second = listing(tmp_path / "first"), listing(tmp_path / "second")
        assert first.keys() == second.keys()
        files = [path for path in shown(tmp_path / "first") if not (tmp_path / "first" / path[1:]).is_dir()]
        assert [first[path] for path in files] == [second[path] for path in files]

    def test_is_clean_by_shellcheck(self, plan):
        """The emitted script has no finding, and a lock that names every kept package beside it."""
        done = subprocess.run(
            [need("shellcheck"), plan / "rpm/install.sh"], capture_output=True, text=True, check=False
        )
        assert done.stdout == ""
        lock = json.loads((plan / "rpm/packages.lock.json").read_text())
        assert {(package["name"], package["version"]) for package in lock["packages"]} == wanted(plan)


class TestRefusal:
    @pytest.fixture
    def changed(self, fat, tmp_path) -> Path:
        """A copy of the repository, to be changed."""
        shutil.copytree(fat.packages, tmp_path / "changed")
        return tmp_path / "changed"

    def untouched(self, directory: Path) -> bool:
        return list(directory.iterdir()) == []

    def test_names_a_version_that_is_gone(self, plan, changed, tmp_path):
        """A newer version is no substitute: nothing is installed, and nothing is left beside the destination."""
        built = self._rebuilt(tmp_path / "newer", version="4")
        next(changed.rglob("greet-data-*.rpm")).unlink()
        shutil.copy(built, changed)
        rpms.index(changed)
        place = self._made(tmp_path / "place")
        said = install(plan, changed, place / "root", code=1)
        assert "greet-data-2:3~rc1-2.fc40.noarch is not in the repositories" in said
        assert "greet-libs" not in said
        assert self.untouched(place)

    def test_names_a_file_that_a_package_lacks(self, plan, changed, tmp_path):
        """The same version with other contents: the missing name is told, and nothing is left."""
        built = self._rebuilt(tmp_path / "other", contents={"/usr/share/greet/other": "x"})
        shutil.copy(built, next(changed.rglob("greet-data-*.rpm")))
        rpms.index(changed)
        place = self._made(tmp_path / "place")
        said = install(plan, changed, place / "root", code=1)
        assert "./usr/share/greet/text" in said
        assert "do not hold all planned names" in said
        assert self.untouched(place)

    @pytest.mark.parametrize("kind", ["full", "file", "link", "orphan"])
    def test_leaves_a_destination_that_is_not_empty_alone(self, fat, plan, tmp_path, kind):
        """A full directory, a file, a dangling link, and a place in no directory are refused before dnf is asked."""
        place = self._made(tmp_path / "place")
        root = place / "root"
        match kind:
            case "full":
                root.mkdir()
                (root / "mine").write_text("mine")
            case "file":
                root.write_text("mine")
            case "link":
                root.symlink_to("nowhere")
            case _:
                root = place / "gone/root"
        before = sorted(place.rglob("*"))
        said = install(plan, fat.packages, root, code=2)
        assert "destination" in said
        assert sorted(place.rglob("*")) == before

    def test_takes_an_empty_directory_with_an_odd_name(self, fat, plan, tmp_path):
        """Blanks, quotes, dollars and a leading dash in the destination mean nothing to the script."""
        root = tmp_path / "-a $(id) 'b' \"c\"; x"
        root.mkdir()
        install(plan, fat.packages, root)
        assert "/usr/bin/greet" in shown(root)

    def _rebuilt(self, home: Path, **changes) -> Path:
        """The package greet-data with other values."""
        home.mkdir()
        spec = next(spec for spec in rpms.specs(home) if spec.name == "greet-data")
        rpms.build(replace(spec, **changes), home)
        return next(home.rglob("greet-data-*.rpm"))

    def _made(self, directory: Path) -> Path:
        directory.mkdir()
        return directory


class TestDockerfile:
    def test_builds_from_a_base_that_has_dnf(self, fat, tmp_path):
        """The stage installs from the base's repositories; the image holds the planned names and its configuration."""
        need("buildah")
        base = rpms.base_root()
        plan = tmp_path / "plan"
        pruner("plan", fat.sbom, "--root", fat.root, "--entry", ENTRY, "-o", plan, "-q")
        text = (plan / "rpm/Dockerfile").read_text()
        assert text.splitlines()[-1].startswith("# The SBOM holds no image configuration")
        builder = Builder(storage=tmp_path / "storage")
        try:
            container = builder("from", "scratch")
            builder("copy", "--quiet", container, str(base), "/")
            builder("copy", "--quiet", container, str(fat.packages), "/repository")
            builder("config", "--env", "PATH=/usr/sbin:/usr/bin:/sbin:/bin", container)
            builder("commit", "--rm", "--quiet", container, "base")
            builder("build", "--isolation", "chroot", "--pull-never", "--build-arg", "BASE_IMAGE=localhost/base",
                    "--tag", "small", str(plan / "rpm"))  # fmt: skip
            mounted = Path(builder("mount", builder("from", "--pull-never", "localhost/small")))
            assert shown(mounted) == there_but_database(plan).keys()
            with Box(mounted, fat.root) as box:
                assert box.run("/usr/bin/greet-twice").out == GREETING * 2
        finally:
            builder.remove()
