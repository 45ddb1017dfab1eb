"""The Debian install plan as values: which names come from where, what is said, and what is refused."""

from __future__ import annotations

import io
import json
import os
import re
import subprocess
import tarfile
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from msgspec import structs

from pruner import make_planned
from pruner.emit import emit_all
from pruner.emit.artifact import Artifact
from pruner.emit.debian import debian_artifacts
from pruner.emit.debian.relationships import declared_by
from pruner.errors import InputError
from pruner.pipeline import Planned, Request
from pruner.read.config import RelationsFile
from pruner.rootfs import Tree
from tests.commandline import Run
from tests.golden_support import assert_golden
from tests.smallroots import SmallRoot, make_root
from tests.support import need

ROOT: dict[str, Any] = {
    "image": {"Entrypoint": ["/usr/bin/tool"], "Env": ["A=it's $5"]},
    "files": {
        "/lib": "-> usr/lib",
        "/usr/lib/ld.so": {"elf": {}},
        "/usr/lib/libtool.so.1": {"elf": {}},
        "/usr/bin/tool": {
            "elf": {"interpreter": "/usr/lib/ld.so", "needed": ["libtool.so.1"], "strings": ["/etc/tool.conf"]},
            "mode": "2755",
        },
        "/usr/bin/helper": {"elf": {}},
        "/usr/share/words": "no program names them",
        "/etc/tool.conf": "written by a maintainer script",
        "/etc/apt/sources.list": "deb [arch=amd64] https://mirror.example/debian stable main contrib # all\ndeb-src x y z\n"
        "deb https://me:secret@private.example/debian stable main\ndeb file:/srv/archive ./\n",
        "/etc/apt/sources.list.d/more.sources": (
            "Types: deb deb-src\nURIs: https://mirror.example/security\nSuites: stable-security\nComponents: main\n\n"
            "# off\nTypes: deb\nURIs: https://off.example/\nSuites: stable\nComponents: main\nEnabled: no\n"
        ),
        "/var/lib/dpkg/info/tool.postinst": "#!/bin/sh\n# never calls nothing\nhelper --now /usr/share\n",
    },
    "packages": {
        "tool": {
            "files": ["/usr/bin/tool"],
            "depends": ["libtool1 (>= 1)", "helper | other", "words", "absent (= 3), helper:any"],
            "version": "1:2.0~rc1-1+b2",
        },
        "libtool1": {"files": ["/usr/lib/libtool.so.1"], "depends": ["ld"], "source": "tool"},
        "ld": {"files": ["/usr/lib/ld.so"]},
        "helper": {"files": ["/usr/bin/helper"], "provides": ["assistant (= 1)"]},
        "words": {"files": ["/usr/share/words"], "architecture": "all"},
    },
}


@pytest.fixture
def small(tmp_path: Path) -> SmallRoot:
    return make_root(tmp_path, ROOT)


def planned_of(small: SmallRoot, **changes: Any) -> Planned:
    request = Request(sbom=str(small.sbom), root=str(small.directory), entries=("/usr/bin/tool",), features={})
    return make_planned(replace(request, **changes))


def changed(path: Path) -> None:
    """Another content of the same size."""
    path.write_bytes(path.read_bytes()[:-1] + b"!")


def artifacts_of(planned: Planned, epoch: int | None = None) -> Mapping[str, Artifact]:
    made = debian_artifacts(planned.plan, planned.materials, epoch=epoch)
    return {artifact.path.removeprefix("debian/"): artifact for artifact in made}


def text_of(artifacts: Mapping[str, Artifact], path: str) -> str:
    return artifacts[path].data.decode()


def members(artifacts: Mapping[str, Artifact], path: str) -> dict[str, tarfile.TarInfo]:
    with tarfile.open(fileobj=io.BytesIO(artifacts[path].data)) as archive:
        return {member.name: member for member in archive}


class TestAll:
    def test_is_what_it_was(self, small: SmallRoot, request: pytest.FixtureRequest) -> None:
        """The texts of a small plan, as they were when last reviewed; archives hold the times of the test's files."""
        update = request.config.getoption("--update-golden", default=False)
        made = debian_artifacts((planned := planned_of(small)).plan, planned.materials, epoch=5)
        texts = [artifact for artifact in made if not artifact.path.endswith(".tar")]
        shown = [replace(one, data=re.sub(rb'"pruner [0-9.]+"', b'"pruner 0"', one.data)) for one in texts]
        here = f" {os.getuid()} {os.getgid()} ".encode()
        shown = [replace(one, data=one.data.replace(here, b" 0 0 ")) for one in shown]
        assert_golden("debian", shown, update=bool(update))

    def test_is_the_same_every_time(self, small: SmallRoot) -> None:
        """The same inputs give the same bytes."""
        first, second = (artifacts_of(planned_of(small)) for _ in range(2))
        assert first == second

    def test_is_part_of_the_plan_directory_with_materials_alone(self, small: SmallRoot) -> None:
        """A plan that was read back knows no bytes of state, so there is no install plan."""
        planned = planned_of(small)
        bare = {artifact.path for artifact in emit_all(planned.plan, image=None)}
        full = {artifact.path for artifact in emit_all(planned.plan, image=None, materials=planned.materials)}
        assert not any(path.startswith("debian/") for path in bare)
        assert {path.partition("/")[0] for path in full - bare} == {"debian"}

    def test_is_not_made_without_debian_packages(self, tmp_path: Path) -> None:
        """A plan of another distribution has no such directory."""
        root = {
            "distro": "alpine",
            "files": {"/app": {"elf": {}}},
            "packages": {"app": {"type": "apk", "files": ["/app"]}},
        }
        small = make_root(tmp_path, root)
        planned = planned_of(small, entries=("/app",))
        assert debian_artifacts(planned.plan, planned.materials) == ()


class TestNames:
    def test_archives_hold_links_of_the_top_as_directories(self, small: SmallRoot) -> None:
        """What dpkg knows as /usr/lib/x is taken as it is; /lib/x is renamed on the way."""
        made = artifacts_of(planned_of(small))
        assert text_of(made, "rename.sed") == "s,^\\(\\./\\)*lib/,./usr/lib/,S\n"
        assert text_of(made, "packages.txt").splitlines() == [
            "1 ld 1.0-1 amd64 -",
            "2 libtool1 1.0-1 amd64 -",
            "3 tool 1:2.0~rc1-1+b2 amd64 -",
            "4 words 1.0-1 all -",
        ]
        assert made["lists/3.nul"].data == b"./usr/bin/tool\0"

    def test_a_path_below_a_link_is_moved(self, small: SmallRoot) -> None:
        """A package that ships /opt/x, where /opt/x is a link to a directory, has its file moved there."""
        planned = planned_of(small)
        materials = planned.materials
        shipped = dict(materials.shipped)
        shipped["/usr/bin/tool"] = replace(shipped["/usr/bin/tool"], name="/opt/x/tool")
        made = artifacts_of(replace(planned, materials=replace(materials, shipped=shipped)))
        assert made["lists/3.moved.nul"].data == b"./opt/x/tool\0"
        assert made["lists/3.pairs.nul"].data == b"./opt/x/tool\0./usr/bin/tool\0"
        assert "lists/3.nul" not in made

    def test_modes_and_owners_are_those_of_the_image(self, small: SmallRoot) -> None:
        """A mode that dpkg-statoverride or a maintainer script gave is set again."""
        made = artifacts_of(planned_of(small))
        groups = dict(line.split(" ", 1) for line in text_of(made, "owners.txt").splitlines())
        number = next(number for number, rest in groups.items() if rest.endswith(" 2755"))
        assert made[f"lists/owners-{number}.nul"].data == b"./usr/bin/tool\0"

    def test_dropped_names_of_a_kept_inode_are_taken_and_removed(self, tmp_path: Path) -> None:
        """An archive may hold the content under any of the names."""
        files = {
            "/usr/bin/tool": {"elf": {"strings": ["/usr/share/data/b"]}},
            "/usr/share/data/a": "content",
            "/usr/share/data/b": {"hardlink": "/usr/share/data/a"},
            "/usr/share/more/c": {"hardlink": "/usr/share/data/a"},
        }
        packages = {"tool": {"files": ["/usr/bin/tool"]}, "data": {"files": ["/usr/share/**"]}}
        planned = planned_of(make_root(tmp_path, {"files": files, "packages": packages}), profile="minimal")
        kept = {file.path for file in planned.plan.files if file.decision == "keep"}
        assert "/usr/share/data/b" in kept and not kept & {"/usr/share/data/a", "/usr/share/more/c"}
        made = artifacts_of(planned)
        assert made["lists/1.nul"].data == b"./usr/share/data/a\0./usr/share/data/b\0./usr/share/more/c\0"
        assert made["lists/surplus.nul"].data == b"./usr/share/data/a\0./usr/share/more/c\0"
        assert made["lists/surplus-directories.nul"].data == b"./usr/share/more\0"


class TestState:
    def test_holds_what_no_package_brings(self, small: SmallRoot) -> None:
        """Configuration of a maintainer script comes along with its reason; what is made has the time that was given."""
        made = artifacts_of(planned_of(small), epoch=77)
        state = members(made, "state.tar")
        assert "./etc/tool.conf" in state and "./usr/bin/tool" not in state
        assert state["./etc/tool.conf"].mtime == int((small.directory / "etc/tool.conf").stat().st_mtime)
        databases = [member for name, member in state.items() if name.startswith("./var/lib/dpkg/status.d/")]
        assert databases and {member.mtime for member in databases} == {77}
        assert "#   /etc/tool.conf: no package brings it; " in text_of(made, "install.sh")

    def test_holds_a_conffile_that_was_changed(self, tmp_path: Path) -> None:
        """A file that its package no longer recognises is taken from the image, however old it is."""
        small = make_root(tmp_path, ROOT)
        changed(small.directory / "usr/bin/tool")
        planned = planned_of(small)
        assert "/usr/bin/tool" in planned.materials.contents

    def test_trusts_what_is_older_than_the_package_list(self, small: SmallRoot) -> None:
        """A file with the time of its archive is not read: the install compares its digest."""
        tool = small.directory / "usr/bin/tool"
        os.utime(small.directory / "var/lib/dpkg/info/tool.list", (2_000_000_000, 2_000_000_000))
        changed(tool)
        planned = planned_of(small)
        assert "/usr/bin/tool" in planned.materials.shipped
        assert b"  ./usr/bin/tool\0" in artifacts_of(planned)["digests.nul"].data

    def test_names_what_only_the_image_holds(self, small: SmallRoot) -> None:
        """From the SBOM alone the content of state is unknown: it is listed, not invented."""
        made = artifacts_of(planned_of(small, root=None))
        assert b"./etc/tool.conf\0" in made["missing.nul"].data
        assert "/etc/tool.conf: its bytes are not in the SBOM" in text_of(made, "README")
        assert b"./etc/tool.conf" not in made["expected.nul"].data
        assert "./etc/tool.conf" not in members(made, "state.tar")

    def test_finds_a_copy_of_a_packages_file(self, tmp_path: Path) -> None:
        """From the SBOM alone a template that a maintainer script installed is found by its digest, and so is nothing."""
        files = {
            "/usr/bin/tool": {"elf": {}},
            "/usr/share/templates/tool.conf": "a template",
            "/etc/tool.conf": "a template",
            "/etc/tool.empty": "",
        }
        packages = {"tool": {"files": ["/usr/bin/tool", "/usr/share/templates/tool.conf"]}}
        small = make_root(tmp_path, {"files": files, "packages": packages})
        planned = planned_of(small, root=None, drop=("/usr/share/templates/**",), keep=("/etc/tool.empty",))
        made = artifacts_of(planned)
        assert made["lists/copies.nul"].data == b"./usr/share/templates/tool.conf\0./etc/tool.conf\0"
        assert b"./usr/share/templates/tool.conf\0" in made["lists/1.nul"].data
        assert made["lists/surplus.nul"].data == b"./usr/share/templates/tool.conf\0"
        assert members(made, "state.tar")["./etc/tool.empty"].size == 0
        assert b"/etc/tool" not in made["missing.nul"].data
        assert "# /etc/tool.conf is a copy of /usr/share/templates/tool.conf" in text_of(made, "install.sh")

    def test_leaves_large_files_to_the_user(self, small: SmallRoot, monkeypatch: pytest.MonkeyPatch) -> None:
        """What would make the plan directory an image of its own is named instead."""
        monkeypatch.setattr("pruner.pipeline.materials.MOST_FILE_BYTES", 10)
        made = artifacts_of(planned_of(small))
        assert "/etc/tool.conf: too large to be carried in a plan directory" in text_of(made, "README")

    def test_is_readable_by_few_where_its_files_are(self, small: SmallRoot) -> None:
        """An archive with a secret in it has the mode of a secret."""
        assert artifacts_of(planned_of(small))["state.tar"].mode == 0o644
        assert "guard it like the image" not in text_of(artifacts_of(planned_of(small)), "README")
        (small.directory / "etc/tool.conf").chmod(0o600)
        made = artifacts_of(planned_of(small))
        assert made["state.tar"].mode == 0o600
        assert "guard it like the image:\n  /etc/tool.conf\n" in text_of(made, "README")

    def test_expects_every_name_once(self, small: SmallRoot) -> None:
        """What the finished tree is compared with are the kept and made names of the plan."""
        planned = planned_of(small)
        records = artifacts_of(planned)["expected.nul"].data.split(b"\0")[:-1]
        names = sorted(record.split(b" ", 5)[5].partition(b" -> ")[0].decode()[1:] for record in records)
        assert names == sorted(file.path for file in planned.plan.files if file.decision != "drop")


class TestLock:
    def test_has_what_an_index_states(self, small: SmallRoot, tmp_path: Path) -> None:
        """File name, size and checksum of the very version that is installed; another version's count for nothing."""
        index = tmp_path / "Packages"
        index.write_text(
            f"Package: ld\nVersion: 1.0-1\nArchitecture: amd64\nFilename: pool/ld.deb\nSize: 123\nSHA256: {'A1' * 32}\n\n"
            f"Package: libtool1\nVersion: 9\nArchitecture: amd64\nFilename: pool/new.deb\nSize: 5\nSHA256: {'b2' * 32}\n"
        )
        made = artifacts_of(planned_of(small, relations=(RelationsFile(path=index),)))
        lock = {one["name"]: one for one in json.loads(text_of(made, "packages.lock.json"))["packages"]}
        assert (lock["ld"]["filename"], lock["ld"]["download_bytes"]) == ("pool/ld.deb", 123)
        assert lock["ld"]["checksum"] == f"sha256:{'a1' * 32}"
        assert (lock["libtool1"]["filename"], lock["libtool1"]["checksum"]) == ("", "")
        assert f"1 ld 1.0-1 amd64 {'a1' * 32}\n" in text_of(made, "packages.txt")

    def test_tells_whole_packages_from_sliced_ones(self, small: SmallRoot) -> None:
        """A package is whole when everything that it declares is kept."""
        root = dict(ROOT, files={**ROOT["files"], "/usr/share/man/man1/tool.1": "text"})
        lock = json.loads(text_of(artifacts_of(planned_of(small)), "packages.lock.json"))
        assert {one["name"]: one["decision"] for one in lock["packages"]}["tool"] == "whole"
        assert (lock["distribution"], lock["architecture"]) == ("debian 1", "amd64")
        packages = {
            **ROOT["packages"],
            "tool": {**ROOT["packages"]["tool"], "files": ["/usr/bin/tool", "/usr/share/man/**"]},
        }
        (place := small.directory.parent / "other").mkdir()
        other = make_root(place, {**root, "packages": packages})
        sliced = {
            one["name"]: one
            for one in json.loads(text_of(artifacts_of(planned_of(other)), "packages.lock.json"))["packages"]
        }
        assert (sliced["tool"]["decision"], sliced["tool"]["paths"]) == ("slice", ["/usr/bin/tool"])

    @pytest.mark.parametrize("version", ["1 2", "$(id)", "1;rm", "../1", "-1", ""])
    def test_refuses_a_version_that_no_archive_has(self, small: SmallRoot, version: str) -> None:
        """What apt would take for something else never reaches a command line."""
        planned = planned_of(small)
        inventory = planned.materials.inventory
        packages = tuple(replace(one, version=version) if one.name == "tool" else one for one in inventory.packages)
        materials = replace(planned.materials, inventory=replace(inventory, packages=packages))
        with pytest.raises(InputError, match="can't be asked of an archive"):
            debian_artifacts(planned.plan, materials)

    def test_takes_a_name_that_only_dpkg_would(self, small: SmallRoot) -> None:
        """Vendors use capitals and underscores, which dpkg installs; apt writes an underscore of a file's name as %5f."""
        planned = planned_of(small)
        inventory = planned.materials.inventory
        packages = tuple(replace(one, name="Tool_X") if one.name == "tool" else one for one in inventory.packages)
        materials = replace(planned.materials, inventory=replace(inventory, packages=packages))
        made = {one.path.removeprefix("debian/"): one for one in debian_artifacts(planned.plan, materials)}
        assert "1 Tool_X 1:2.0~rc1-1+b2 amd64 -\n" in text_of(made, "packages.txt")
        (function,) = re.findall(r"^file_of\(\) \{.*?^\}", text_of(made, "install.sh"), re.MULTILINE | re.DOTALL)
        call = f"{function}\nfile_of Tool_X 1:2.0~rc1-1 amd64"
        done = subprocess.run(["sh", "-c", call], capture_output=True, text=True, check=True)
        assert done.stdout == "Tool%5fX_1%3a2.0~rc1-1_amd64.deb"

    @pytest.mark.parametrize("place", ["/srv/chroot/var/lib/dpkg/status", "/opt/tool.deb", "/usr/bin/tool"])
    def test_asks_no_archive_for_what_dpkg_did_not_install_here(self, small: SmallRoot, place: str) -> None:
        """A package of a root within the root, of an archive in the tree or of a note in a binary: its files are state."""
        document = json.loads(small.sbom.read_text())
        for entry in document["artifacts"]:
            if entry["name"] == "tool":
                entry["locations"] = [{"path": place}]
                entry["metadata"]["files"] = [{"path": "/usr/bin/tool"}] if not place.startswith("/srv") else []
        # the root's own database knows nothing of it
        (small.directory / "var/lib/dpkg/status").write_text(
            re.sub(r"Package: tool\n(?:.+\n)+\n?", "", (small.directory / "var/lib/dpkg/status").read_text())
        )
        small.sbom.write_text(json.dumps(document))
        made = artifacts_of(planned_of(small))
        assert " tool " not in text_of(made, "packages.txt")
        assert "./usr/bin/tool" in members(made, "state.tar")


class TestRelationships:
    def test_has_three_classes(self, small: SmallRoot) -> None:
        """Needed at run time, called by maintainer scripts, or neither; each with the reason."""
        records = json.loads(text_of(artifacts_of(planned_of(small)), "relationships.json"))["relationships"]
        found = {(one["package"], one["clause"]): (one["class"], one["reason"]) for one in records}
        assert found["tool", "libtool1 (>= 1)"] == ("run time", "/usr/bin/tool: DT_NEEDED libtool.so.1")
        assert found["tool", "helper | other"] == (
            "maintainer scripts",
            "maintainer scripts of tool call helper of helper",
        )
        assert found["tool", "words"] == ("run time", "declared dependency that is made of data alone")
        assert found["tool", "helper:any"] == found["tool", "helper | other"]
        assert found["tool", "absent (= 3)"] == ("neither", "nothing that is installed in the image satisfies it")
        assert found["libtool1", "ld"] == ("neither", "nothing that is kept of libtool1 leads there")

    def test_are_found_by_the_package_that_is_asked_about(self, small: SmallRoot, tmp_path: Path) -> None:
        """What declares a need of a package, in words; nothing where the plan has no such file, an error for a damaged one."""
        place = tmp_path / "plan/debian"
        place.mkdir(parents=True)
        assert declared_by(tmp_path / "plan", "helper") == ()
        (place / "relationships.json").write_bytes(artifacts_of(planned_of(small))["relationships.json"].data)
        assert declared_by(tmp_path / "plan", "helper")[0] == (
            "tool Depends: helper | other: maintainer scripts: maintainer scripts of tool call helper of helper"
        )
        (place / "relationships.json").write_text("{")
        with pytest.raises(InputError, match="can't be read"):
            declared_by(tmp_path / "plan", "helper")


class TestBuilders:
    def test_dockerfile_names_the_release_and_the_configuration(self, small: SmallRoot) -> None:
        """The base is the distribution's own image of that release; the last stage is the image's."""
        text = text_of(artifacts_of(planned_of(small)), "Dockerfile")
        assert "ARG BASE=debian:1-slim\nFROM ${BASE} AS install\n" in text
        assert text.endswith('ENV A="it\'s \\$5"\nENTRYPOINT ["/usr/bin/tool"]\n')

    def test_dockerfile_asks_for_a_base_it_can_not_name(self, small: SmallRoot) -> None:
        """A release that is no tag is not written into an instruction."""
        planned = planned_of(small)
        plan = replace(planned.plan, distro=replace(planned.plan.distro, version_id="1\nRUN id"))
        assert "\nARG BASE\nFROM" in text_of(artifacts_of(replace(planned, plan=plan)), "Dockerfile")

    def test_bazel_files_name_packages_and_sources(self, small: SmallRoot) -> None:
        """Exact versions from the repositories that the image states, less those that are off or private."""
        import yaml

        made = artifacts_of(planned_of(small))
        manifest = yaml.safe_load(text_of(made, "manifest.yaml"))
        assert manifest["version"] == 1 and manifest["archs"] == ["amd64"]
        assert manifest["sources"] == [
            {"channel": "stable main contrib", "url": "https://mirror.example/debian"},
            {"channel": "stable-security main", "url": "https://mirror.example/security"},
        ]
        assert "tool (= 1:2.0~rc1-1+b2)" in manifest["packages"]
        module = text_of(made, "apt.MODULE.bazel")
        assert '"tool:amd64 (= 1:2.0~rc1-1+b2)",' in module
        assert 'suites = ["stable", "stable-security"],' in module

    def test_scripts_are_clean(self, small: SmallRoot, tmp_path: Path) -> None:
        """ShellCheck has nothing to say about what is emitted."""
        made = artifacts_of(planned_of(small))
        for name in ("install.sh", "mmdebstrap.sh"):
            (tmp_path / name).write_bytes(made[name].data)
            assert made[name].mode == 0o755
        command = [need("shellcheck"), str(tmp_path / "install.sh"), str(tmp_path / "mmdebstrap.sh")]
        assert subprocess.run(command, capture_output=True, text=True, check=False).stdout == ""

    def test_reasons_are_comments_whatever_they_hold(self, small: SmallRoot) -> None:
        """A line break in a name or a reason opens no line of the script."""
        planned = planned_of(small)
        files = tuple(structs.replace(file, reason="x\nrm -rf /\r\x1b[2J") for file in planned.plan.files)
        script = text_of(artifacts_of(replace(planned, plan=replace(planned.plan, files=files))), "install.sh")
        assert not any(line.startswith("rm -rf /") for line in re.split(r"[\n\r]", script))
        assert "\x1b" not in script


def test_a_tree_without_links_renames_nothing() -> None:
    """Only names at the top that are links to plain directories are renamed."""
    from pruner.emit.debian.archives import top_renames
    from pruner.model import File, FileType

    files = {
        "/lib": File(path="/lib", type=FileType.DIRECTORY),
        "/odd name": File(path="/odd name", type=FileType.SYMLINK, target="usr"),
        "/bin": File(path="/bin", type=FileType.SYMLINK, target="us,r/bin"),
        "/sbin": File(path="/sbin", type=FileType.SYMLINK, target="nowhere"),
        "/us,r/bin": File(path="/us,r/bin", type=FileType.DIRECTORY),
    }
    assert top_renames(Tree(files)) == ()


def test_a_diverted_file_is_taken_under_the_name_that_its_archive_has(tmp_path: Path) -> None:
    """dpkg-divert moved it in the image; the archive knows nothing of that."""
    files = {
        "/usr/bin/tool.distrib": {"elf": {}},
        "/usr/bin/tool": "-> other",
        "/var/lib/dpkg/diversions": "/usr/bin/tool\n/usr/bin/tool.distrib\nother\n",
        "/var/lib/dpkg/info/tool.list": "/.\n/usr\n/usr/bin\n/usr/bin/tool\n",
    }
    small = make_root(tmp_path, {"files": files, "packages": {"tool": {"files": ["/usr/bin/tool.distrib"]}}})
    (small.directory / "var/lib/dpkg/info/tool.md5sums").unlink()
    made = artifacts_of(planned_of(small, entries=("/usr/bin/tool.distrib",)))
    assert made["lists/1.pairs.nul"].data == b"./usr/bin/tool\0./usr/bin/tool.distrib\0"


def test_why_says_who_declared_a_dropped_package(small: SmallRoot, tmp_path: Path, run: Run) -> None:
    """A package that is not installed is explained by those that declare it, in words and as JSON."""
    plan = tmp_path / "plan"
    words = ("plan", small.sbom, "--root", small.directory, "--entry", "/usr/bin/tool", "--output", plan, "--quiet")
    assert run(*words).code == 0
    done = run("why", plan, "helper")
    line = "tool Depends: helper | other: maintainer scripts: maintainer scripts of tool call helper of helper"
    assert f"  declared by {line}\n" in done.out
    assert json.loads(run("why", plan, "helper", "--json").out)["declared"][0] == line
    assert "declared by" not in run("why", plan, "libtool1").out
