"""The lists, the build context, the Dockerfile, the SBOM and the summary, each from a plan alone."""

from __future__ import annotations

import io
import json
import os
import random
import re
import subprocess
import sys
import tarfile
from dataclasses import replace
from importlib import resources
from pathlib import Path

import pytest
from packageurl import PackageURL

from pruner.emit import emit_all
from pruner.emit.context import context_artifacts, left_out_files
from pruner.emit.dockerfile import dockerfile_artifact, dockerfile_omissions
from pruner.emit.filelist import filelist_artifacts
from pruner.emit.report import summary_artifact, summary_rows
from pruner.emit.sbom import package_dependencies, sbom_artifact
from pruner.errors import InputError, UsageError
from pruner.model import Distro, Edge, EdgeKind, FileType, Healthcheck, ImageConfig, Node, Unknown
from pruner.plan import Decision
from pruner.read import read_sbom
from tests.golden_support import assert_golden
from tests.support import need, syft
from tests.unit.emit_plans import (
    CURL,
    HOSTILE,
    LIBC,
    PYTHON,
    directory,
    file_plan,
    hostile_plan,
    package_plan,
    small_plan,
)


def data(artifacts, path):
    return next(artifact.data for artifact in artifacts if artifact.path == path)


class TestAll:
    def test_is_what_it_was(self, request):
        """The files of a plan with one of everything, as they were when last reviewed."""
        update = request.config.getoption("--update-golden", default=False)
        assert_golden("small", reviewable(emit_all(small_plan(), image="registry.example/app:1")), update=update)

    def test_is_what_it_was_for_hostile_names(self, request):
        """Names that mean something to a shell, a terminal, Markdown or a line tool, as last reviewed."""
        update = request.config.getoption("--update-golden", default=False)
        assert_golden("hostile", reviewable(emit_all(hostile_plan(), image=None)), update=update)

    def test_is_sorted_by_path(self):
        """The order is the names' own."""
        paths = [artifact.path for artifact in emit_all(small_plan(), image=None)]
        assert paths == sorted(paths)

    def test_does_not_depend_on_the_seed_of_hashes(self):
        """Two processes with other seeds write the same bytes."""
        code = (
            "import hashlib, sys; from pruner.emit import emit_all; from tests.unit.emit_plans import *\n"
            "for plan in (small_plan(), hostile_plan()):\n"
            "    for a in emit_all(plan, image='x', epoch=5): print(a.path, hashlib.sha256(a.data).hexdigest())"
        )
        outputs = {
            subprocess.run(
                [sys.executable, "-c", code], check=True, capture_output=True, cwd=Path(__file__).parents[2],
                env={**os.environ, "PYTHONHASHSEED": seed, "PYTHONPATH": "."},
            ).stdout
            for seed in ("0", "1", "77")
        }  # fmt: skip
        assert len(outputs) == 1
        assert outputs.pop().count(b"\n") == 2 * len(emit_all(small_plan(), image="x"))

    @pytest.mark.parametrize("seed", range(3))
    def test_lists_do_not_depend_on_the_order_of_the_plan(self, seed):
        """Lists, archive, SBOM and Dockerfile of a shuffled plan are the same bytes."""
        plan = hostile_plan()
        shuffled = {
            name: random.Random(seed).sample(getattr(plan, name), len(getattr(plan, name)))
            for name in ("files", "packages", "edges")
        }
        other = replace(plan, **{name: tuple(values) for name, values in shuffled.items()})
        for artifact, found in zip(emit_all(plan, image=None), emit_all(other, image=None), strict=True):
            if artifact.path != "plan.json":
                assert artifact == found


def reviewable(artifacts):
    """All but the script, which is the same for every plan, without pruner's version and what follows from it."""
    for artifact in artifacts:
        if artifact.path == "context/prune.sh":
            continue
        text = re.sub(
            rb'("name": ?"pruner",\s*(?:"type": "application",\s*)?"version": ?)"[^"]*"', rb'\1"0"', artifact.data
        )
        yield replace(artifact, data=re.sub(rb"urn:uuid:[0-9a-f-]{36}", b"urn:uuid:0", text))


class TestFileList:
    def test_lists_what_is_there_with_parents_and_slashes(self):
        """Directories end with a slash; dropped names are not listed, made ones are."""
        lines = data(filelist_artifacts(small_plan()), "files.txt").decode().splitlines()
        assert "/usr/" in lines
        assert "/usr/lib/made" in lines
        assert "/usr/bin/curl" not in lines

    def test_is_sorted_bytewise_as_it_stands_there(self):
        """`LC_ALL=C sort -c` agrees, slashes included."""
        plan = small_plan(
            files=(directory("/a"), file_plan("/a-b"), file_plan("/a/b"), file_plan("/ü"), file_plan("/Z"))
        )
        lines = data(filelist_artifacts(plan), "files.txt").splitlines()
        assert lines == sorted(lines)
        assert lines[1:3] == [b"/a-b", b"/a/"]

    def test_has_names_that_no_line_carries_in_the_complete_list_only(self):
        """The text says how many there are; the other list has them byte for byte."""
        artifacts = filelist_artifacts(hostile_plan())
        lines = data(artifacts, "files.txt").decode().split("\n")
        assert lines[0] == "# 5 more names that a line can't carry: see files.nul"
        names = data(artifacts, "files.nul").split(b"\0")
        assert b"/usr/new\nline" in names
        assert b"/usr/bytes\xff" in names
        assert len(names) - 1 == len(lines) - 2 + 5

    def test_says_nothing_where_every_name_has_its_line(self):
        """No comment, and both lists are the same."""
        artifacts = filelist_artifacts(small_plan())
        assert data(artifacts, "files.txt").replace(b"\n", b"\0") == data(artifacts, "files.nul")

    def test_lists_packages_that_are_not_dropped(self):
        """One purl a line."""
        assert data(filelist_artifacts(small_plan()), "packages.txt").decode().splitlines() == [LIBC, PYTHON]

    def test_of_an_empty_plan_is_empty(self):
        """No line at all."""
        assert {artifact.data for artifact in filelist_artifacts(small_plan(files=(), packages=()))} == {b""}


class TestContext:
    def kept(self, plan):
        return data(context_artifacts(plan), "context/kept.nul").split(b"\0")[:-1]

    def test_lists_kept_names_relative_to_the_root(self):
        """Each with `./` before it, so that none looks like an option; parents first."""
        names = self.kept(hostile_plan())
        assert b"./usr/-rf" in names
        assert names[0] == b"./usr"

    def test_leaves_to_the_builder_what_it_mounts_over(self):
        """A process in a build sees the builder's own /dev and /etc/hosts."""
        names = self.kept(small_plan())
        assert not {b"./dev", b"./dev/null", b"./etc/hosts"} & set(names)
        assert "COPY --from=fat /etc/hosts /etc/" in dockerfile_artifact(small_plan(), image="x").data.decode()

    def test_leaves_out_sockets(self):
        """They have no content, and no archive carries them."""
        plan = small_plan(files=(directory("/run"), file_plan("/run/socket", FileType.SOCKET)))
        assert self.kept(plan) == [b"./run"]

    def test_names_what_no_build_copies(self):
        """Device nodes of /dev and sockets are the runtime's and the listener's; the Dockerfile says so."""
        assert '# left out: "/dev/null": the container runtime makes its own\n' in dockerfile()
        assert left_out_files(small_plan()) == ("/dev/null",)

    def test_archives_made_names_and_mounted_directories(self):
        """With owner, mode and content."""
        with tarfile.open(fileobj=io.BytesIO(data(context_artifacts(small_plan()), "context/made.tar"))) as archive:
            members = {member.name: member for member in archive}
            assert sorted(members) == ["./dev", "./usr/lib/made"]
            made = members["./usr/lib/made"]
            assert (made.uid, made.gid, made.mode, made.mtime) == (1, 2, 0o600, 0)
            assert archive.extractfile(made).read() == b"made\n"

    def test_sends_nothing_else_to_the_builder(self):
        """A plan is megabytes, and a change of its summary is no reason to build again."""
        assert data(context_artifacts(small_plan()), ".dockerignore") == b"*\n!context\n"

    def test_script_passes_shellcheck(self):
        """As POSIX sh, without exceptions."""
        script = resources.files("pruner.emit").joinpath("prune.sh")
        done = subprocess.run(
            [need("shellcheck"), "--shell=sh", str(script)], capture_output=True, text=True, check=False
        )
        assert done.stdout == ""
        assert done.returncode == 0

    def test_script_is_the_same_for_every_plan(self):
        """No name of an image is in it."""
        scripts = {data(context_artifacts(plan), "context/prune.sh") for plan in (small_plan(), hostile_plan())}
        assert len(scripts) == 1


def dockerfile(image_config=None, *, image="app:1", **fields):
    return dockerfile_artifact(small_plan(image=image_config, **fields), image=image).data.decode()


class TestDockerfile:
    @pytest.mark.parametrize(
        "name", ["app", "app:1", "registry.example:5000/team/app@sha256:" + "a" * 64, "localhost/app_2.x"]
    )
    def test_builds_from_the_named_image(self, name):
        """As it was given."""
        assert f"FROM {name} AS fat\n" in dockerfile(image=name)

    @pytest.mark.parametrize("name", ["", "a b", "a\nRUN x", "$(x)", "${X}", "-x", "a\\", "--platform=x", "a AS b"])
    def test_refuses_what_is_no_image_name(self, name):
        """It would become instructions."""
        with pytest.raises(UsageError, match="no image name"):
            dockerfile(image=name)

    def test_asks_for_the_image_where_none_was_named(self):
        """A build argument without a default, and a line that says so."""
        text = dockerfile(image=None)
        assert "ARG FAT_IMAGE\nFROM ${FAT_IMAGE} AS fat\n" in text
        assert "--build-arg FAT_IMAGE=NAME" in text

    def test_has_no_heredoc_and_no_instruction_that_older_builders_lack(self):
        """Instructions are those of Docker 17.09 (multi-stage builds, COPY --from)."""
        words = {line.split(" ")[0] for line in dockerfile(small_plan().image).splitlines() if line and line[0] != "#"}
        assert words <= {
            "ARG", "FROM", "USER", "COPY", "WORKDIR", "RUN", "ENV", "LABEL", "EXPOSE", "VOLUME", "STOPSIGNAL", "SHELL",
            "HEALTHCHECK", "ENTRYPOINT", "CMD",
        }  # fmt: skip

    def test_works_in_directories_that_the_image_does_not_have(self):
        """A kept /.pruner is copied like anything else."""
        text = dockerfile(files=(directory("/.pruner"), file_plan("/.pruner/x")))
        assert "COPY context/ /.pruner-/\n" in text
        assert "WORKDIR /.pruned-\n" in text

    @pytest.mark.parametrize(
        ("value", "written"),
        [
            ("plain", '"plain"'),
            ("$HOME", '"\\$HOME"'),
            ('a "b"', '"a \\"b\\""'),
            ("back\\slash", '"back\\\\slash"'),
            ("it's", '"it\'s"'),
            ("", '""'),
            ("a\\", '"a\\\\"'),
        ],
    )
    def test_takes_the_meaning_from_values(self, value, written):
        """ENV and LABEL expand variables and take quotes away."""
        text = dockerfile(ImageConfig(env=(f"NAME={value}",), labels=(("label", value),)))
        assert f"ENV NAME={written}\n" in text
        assert f'LABEL "label"={written}\n' in text

    def test_no_value_makes_an_instruction(self):
        """Whatever holds a line break is left out with a comment, or stands in JSON as an escape."""
        evil = "x\nRUN evil\r\nUSER root"
        image = ImageConfig(
            entrypoint=(evil,), cmd=(evil,), env=(f"A={evil}", f"{evil}=a", "noequals", "OK=1"), volumes=(evil, "/ok"),
            exposed_ports=(evil, "80"), labels=((evil, "x"), ("x", evil), ("a=b", "c"), ("ok", "1")), stop_signal=evil,
            shell=(evil,), healthcheck=Healthcheck(test=("CMD-SHELL", evil)),
        )  # fmt: skip
        text = dockerfile(image, files=())
        instructions = [line for line in text.splitlines() if not line.startswith("#")]
        last = instructions[instructions.index("FROM scratch") :]
        assert not any(line.startswith(("RUN", "USER")) for line in last)
        assert {'ENV OK="1"', 'LABEL "ok"="1"', 'VOLUME ["/ok"]', "EXPOSE 80"} <= set(last)
        assert text.count("# left out: ") == len(dockerfile_omissions(image)) == 9
        assert json.loads(next(line for line in last if line.startswith("CMD")).removeprefix("CMD ")) == [evil]

    @pytest.mark.parametrize("field", ["user", "working_dir"])
    def test_refuses_a_user_that_can_t_be_written(self, field):
        """Leaving it out would run as another one."""
        with pytest.raises(InputError, match="can't be written in a Dockerfile"):
            dockerfile(ImageConfig(**{field: "a\nb"}))

    @pytest.mark.parametrize(
        ("check", "written"),
        [
            (Healthcheck(test=("NONE",)), "HEALTHCHECK NONE"),
            (Healthcheck(test=("CMD", "a", "b c")), 'HEALTHCHECK CMD ["a", "b c"]'),
            (Healthcheck(test=("CMD-SHELL", "curl -f $X || exit 1")), "HEALTHCHECK CMD curl -f $X || exit 1"),
            (Healthcheck(test=("CMD-SHELL", "[ -e x ]")), 'HEALTHCHECK CMD ["/bin/sh", "-c", "[ -e x ]"]'),
            (Healthcheck(test=("CMD-SHELL", "a\nb")), 'HEALTHCHECK CMD ["/bin/sh", "-c", "a\\nb"]'),
            (Healthcheck(test=("CMD-SHELL", "a \\")), 'HEALTHCHECK CMD ["/bin/sh", "-c", "a \\\\"]'),
            (
                Healthcheck(
                    test=("CMD", "a"),
                    interval=90 * 10**9,
                    timeout=1,
                    start_period=2500 * 10**6,
                    start_interval=10**9,
                    retries=5,
                ),
                'HEALTHCHECK --interval=90s --timeout=1ns --start-period=2500ms --start-interval=1s --retries=5 CMD ["a"]',
            ),
        ],
    )
    def test_writes_each_form_of_a_health_check(self, check, written):
        """Durations are nanoseconds in the configuration and have units here."""
        assert written in dockerfile(ImageConfig(healthcheck=check)).splitlines()

    def test_says_where_there_is_no_configuration(self):
        """Somebody has to add an ENTRYPOINT."""
        assert "holds no image configuration" in dockerfile(None)


def sbom(plan, **options):
    return json.loads(sbom_artifact(plan, **({"image": "app:1", "epoch": None} | options)).data)


class TestSbom:
    @pytest.mark.parametrize("plan", [small_plan(), hostile_plan(), small_plan(packages=(), edges=())])
    @pytest.mark.parametrize("epoch", [None, 0])
    def test_is_valid(self, plan, epoch):
        """By the strict schema of CycloneDX 1.6."""
        from cyclonedx.schema import SchemaVersion
        from cyclonedx.validation.json import JsonStrictValidator

        text = sbom_artifact(plan, image=None, epoch=epoch).data.decode()
        assert JsonStrictValidator(SchemaVersion.V1_6).validate_str(text) is None

    def test_lists_what_is_kept(self):
        """Dropped packages are not among the components; the distribution is."""
        components = sbom(small_plan())["components"]
        assert [component.get("purl") for component in components if component["type"] == "library"] == [LIBC, PYTHON]
        assert CURL not in json.dumps(components)
        system = next(component for component in components if component["type"] == "operating-system")
        assert (system["name"], system["version"]) == ("debian", "12")

    def test_dropped_packages_are_in_the_pedigree_alone(self):
        """The fat image is the pruned one's ancestor; what was dropped whole is named there and nowhere else."""
        document = sbom(small_plan())
        (fat,) = document["metadata"]["component"].pop("pedigree")["ancestors"]
        assert (fat["type"], fat["name"]) == ("container", "app:1")
        assert fat["components"] == [{"type": "library", "name": "curl", "version": "1", "purl": CURL}]
        assert "curl" not in json.dumps(document)

    def test_dropped_files_are_in_the_pedigree_of_their_package(self):
        """What is left of a package comes from the whole one, and the paths that it lost are named; others have none."""
        lost = [
            file_plan(path, decision=Decision.DROP, owner=owner, package=package)
            for path, owner, package in (("/usr/lib/libm.so", LIBC, "id-libc6"), ("/usr/lib/\x1b", LIBC, "id-libc6"), ("/x", None, None))
        ]  # fmt: skip
        document = sbom(small_plan(files=(*lost, directory("/opt", decision=Decision.DROP))))
        found = {component["name"]: component.pop("pedigree", None) for component in document["components"]}
        notes = "files that pruner dropped: 2\n/usr/lib/libm.so\n/usr/lib/\\x1b"
        whole = {"type": "library", "name": "libc6", "version": "2.36-9+deb12u14", "purl": LIBC}
        assert found == {"debian": None, "libc6": {"ancestors": [whole], "notes": notes}, "python3.11": None}
        assert (
            document["metadata"]["component"].pop("pedigree")["notes"]
            == "files of no package that pruner dropped: 1\n/x"
        )
        assert "libm" not in json.dumps(document)

    def test_where_nothing_is_dropped_there_is_no_pedigree(self):
        """The image is what it was."""
        assert "pedigree" not in json.dumps(sbom(small_plan(files=(), packages=(), edges=())))

    def test_readers_see_what_is_kept_alone(self, tmp_path):
        """Neither pruner nor Syft, which Grype reads with, takes a part of a pedigree for a package that is there."""
        path = tmp_path / "sbom.cdx.json"
        path.write_bytes(sbom_artifact(small_plan(), image="app:1", epoch=None).data)
        assert {package.name for package in read_sbom(str(path)).packages} == {"libc6", "python3.11"}
        words = [syft(), "convert", str(path), "-o", "syft-json"]
        done = subprocess.run(
            words, check=True, capture_output=True, env={**os.environ, "SYFT_CHECK_FOR_APP_UPDATE": "0"}
        )
        assert {package["name"] for package in json.loads(done.stdout)["artifacts"]} == {"libc6", "python3.11"}

    @pytest.mark.parametrize(
        ("purl", "stated"),
        [
            ("pkg:deb/debian/x@1?upstream=y%401%3A2", {"type": "deb", "metadataType": "dpkg-db-entry", "source": "y", "sourceVersion": "1:2"}),
            ("pkg:apk/alpine/x@1?upstream=y", {"type": "apk", "metadataType": "apk-db-entry", "originPackage": "y"}),
            ("pkg:rpm/redhat/x@1?upstream=y-1.src.rpm", {"type": "rpm", "metadataType": "rpm-db-entry", "sourceRpm": "y-1.src.rpm"}),
            ("pkg:deb/debian/x@1", {}),
            ("pkg:npm/x@1?upstream=y", {}),
        ],
    )  # fmt: skip
    def test_source_packages_are_named_for_scanners(self, purl, stated):
        """Where vulnerabilities are filed under source packages, scanners that read Syft's documents find those."""
        (component,) = sbom(small_plan(packages=(package_plan("x", purl),), edges=(), distro=Distro()))["components"]
        found = {item["name"].rpartition(":")[2]: item["value"] for item in component["properties"]}
        assert {name: value for name, value in found.items() if name not in {"decision", "kept-bytes"}} == stated

    def test_purls_are_those_of_the_plan(self):
        """Encoded as they were: the version's plus sign is %2B."""
        found = {component["purl"] for component in sbom(small_plan())["components"] if "purl" in component}
        assert {PackageURL.from_string(purl) for purl in found} == {
            PackageURL.from_string(purl) for purl in (LIBC, PYTHON)
        }
        assert found == {LIBC, PYTHON}

    def test_has_the_dependency_graph(self):
        """From the entry to python, and through a capability to libc."""
        graph = {entry["ref"]: entry.get("dependsOn", []) for entry in sbom(small_plan())["dependencies"]}
        assert graph["pruned-root"] == [f"{PYTHON}#id-python3.11"]
        assert graph[f"{PYTHON}#id-python3.11"] == [f"{LIBC}#id-libc6"]
        assert graph[f"{LIBC}#id-libc6"] == []

    def test_graph_holds_declared_dependencies_of_kept_packages(self):
        """Nodes of packages count like those of their files; a dropped package is in no edge."""
        edges = (
            Edge(source=Node("package:id-python3.11"), target=Node("requires:id-libc6"), kind=EdgeKind.DEPENDS),
            Edge(source=Node("requires:id-libc6"), target=Node("requires:id-curl"), kind=EdgeKind.DEPENDS),
        )
        assert package_dependencies(small_plan(edges=edges)) == {"": (), "id-libc6": (), "id-python3.11": ("id-libc6",)}

    def test_tells_two_packages_with_one_purl_apart(self):
        """Two virtual environments may hold the same distribution."""
        twins = tuple(replace(package_plan("x", "pkg:pypi/x@1"), id=identity) for identity in ("one", "two"))
        references = [component["bom-ref"] for component in sbom(small_plan(packages=twins, edges=()))["components"]]
        assert len(set(references)) == 3

    def test_states_no_time_but_the_given_one(self):
        """SOURCE_DATE_EPOCH or nothing."""
        assert "timestamp" not in sbom(small_plan())["metadata"]
        assert sbom(small_plan(), epoch=86400)["metadata"]["timestamp"].startswith("1970-01-02T00:00:00")

    def test_serial_number_follows_the_content(self):
        """The same plan has the same one, another plan another one."""
        first, again, other = (sbom(plan)["serialNumber"] for plan in (small_plan(), small_plan(), hostile_plan()))
        assert first == again != other


class TestSummary:
    def text(self, plan, image=None):
        return summary_artifact(plan, image=image).data.decode()

    def test_has_the_table_of_before_and_after(self):
        """The same rows that the terminal shows."""
        assert summary_rows(small_plan()) == (
            ("packages", "100", "3"), ("files", "100", "3"), ("MB", "100.0", "3.0"), ("setuid files", "100", "3"),
            ("shells", "100", "3"), ("interpreters", "100", "3"), ("package managers", "100", "3"),
        )  # fmt: skip
        assert "| MB | 100.0 | 3.0 |" in self.text(small_plan())

    def test_unknowns_of_one_kind_share_a_row(self):
        """Many unknowns in the same words are one row and a list that names every place."""
        many = [Unknown(kind="evidence", subject=f"/lib/{name}.so", detail="not read") for name in "abcdef"]
        one = Unknown(kind="dlopen", subject="/usr/bin/x", detail="computed")
        text = self.text(small_plan(unknowns=(one, *many)))
        assert "| dlopen | `/usr/bin/x` | computed |\n| evidence | 6 places, listed below | not read |\n" in text
        assert "evidence: not read\n\n- `/lib/a.so`\n" in text
        assert "- `/lib/f.so`\n" in text

    def test_lists_the_largest_with_their_reasons(self):
        """Largest first; dropped ones not at all."""
        text = self.text(small_plan())
        assert text.index("`/usr/bin/python3.11`") < text.index("`/usr/lib/libc.so.6`")
        assert "| `python3.11` | keep | 6.0 | 6.0 |" in text
        assert "curl" not in text

    def test_lists_unknowns_options_and_what_is_lacking(self):
        """Nothing is dropped in silence."""
        text = self.text(small_plan())
        assert "| dlopen | `/usr/bin/python3.11` | the name is computed |" in text
        assert "| `tz` | accepted | 0.5 | time zones |" in text
        assert "- no digests" in text

    def test_says_when_nothing_is_unknown(self):
        """An empty section would read like an omission."""
        assert "## Unknowns\n\nNone.\n" in self.text(small_plan(unknowns=()))

    def test_every_row_of_a_table_has_its_cells(self):
        """Bars, line breaks and backquotes of names do not make or break cells."""
        tables = [block for block in self.text(hostile_plan()).split("\n\n") if block.startswith("|")]
        for table in tables:
            assert len({len(re.findall(r"(?<!\\)\|", row)) for row in table.splitlines()}) == 1
        assert [len(table.splitlines()) - 2 for table in tables] == [7, 15, 15, 1, len(HOSTILE)]

    def test_prints_no_control_characters(self):
        """A terminal that shows the file obeys nobody."""
        text = self.text(hostile_plan(), image="x")
        assert all(line.isprintable() for line in text.splitlines())

    def test_names_what_the_dockerfile_leaves_out(self):
        """A variable with a line break is a difference between the images."""
        assert "it holds a line break" in self.text(small_plan(image=ImageConfig(env=("A=b\nc",))))
