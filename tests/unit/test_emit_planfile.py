"""plan.json: nothing of a plan is lost, and nothing that is no plan is taken for one."""

from __future__ import annotations

import io
import json
import tarfile
from dataclasses import replace

import jsonschema
import pytest

from pruner.emit import emit_all
from pruner.emit.planfile import load_plan, plan_artifact
from pruner.emit.planschema import plan_schema
from pruner.errors import InputError
from pruner.model import Distro, ImageConfig
from pruner.plan.types import Decision
from tests.unit.emit_plans import directory, file_plan, hostile_plan, small_plan, totals


def written(directory_, plan, edit=None):
    for artifact in emit_all(plan, image=None):
        path = directory_ / artifact.path
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(artifact.data)
    if edit is not None:
        document = json.loads((directory_ / "plan.json").read_bytes())
        edit(document)
        (directory_ / "plan.json").write_text(json.dumps(document))
    return directory_


def changed(section, index, **values):
    def edit(document):
        document[section][index].update(values)

    return edit


class TestRoundTrip:
    @pytest.mark.parametrize(
        "plan", [small_plan(), hostile_plan(), small_plan(image=None)], ids=["small", "hostile", "no image"]
    )
    def test_gives_the_same_plan(self, tmp_path, plan):
        """What is written is read back, contents of made files and undecodable names included."""
        assert load_plan(written(tmp_path, plan)) == plan

    def test_keeps_an_empty_plan(self, tmp_path):
        """A plan with nothing in it is one."""
        plan = small_plan(
            files=(), packages=(), edges=(), optional=(), capabilities=(), unknowns=(), lacks=(), verify=(), entries=(), inputs=(),
            image=ImageConfig(), distro=Distro(), before=totals(0), after=totals(0),
        )  # fmt: skip
        assert load_plan(written(tmp_path, plan)) == plan


class TestSchema:
    def test_is_a_schema(self):
        """Editors refuse a broken one."""
        jsonschema.Draft202012Validator.check_schema(plan_schema())

    @pytest.mark.parametrize(
        "plan", [small_plan(), hostile_plan(), small_plan(image=None)], ids=["small", "hostile", "no image"]
    )
    def test_accepts_what_is_written(self, plan):
        """Every key that is written is described."""
        jsonschema.validate(json.loads(plan_artifact(plan).data), plan_schema())

    @pytest.mark.parametrize(
        "edit",
        [
            lambda plan: plan.pop("files"),
            lambda plan: plan["files"][0].update(mode="755"),
            lambda plan: plan["edges"][0].update(kind="wish"),
            lambda plan: plan["packages"][0].update(bytes=-1),
            lambda plan: plan["totals"].update(more=1),
        ],
    )
    def test_refuses_what_is_no_plan(self, edit):
        """A missing key, an unknown one and a wrong value are found."""
        document = json.loads(plan_artifact(small_plan()).data)
        edit(document)
        with pytest.raises(jsonschema.ValidationError):
            jsonschema.validate(document, plan_schema())

    def test_has_the_documented_keys(self):
        """Other programs rely on these."""
        document = json.loads(plan_artifact(small_plan()).data)
        assert document.keys() >= {
            "schema", "tool", "inputs", "profile", "entries", "packages", "files", "edges", "optional", "capabilities",
            "unknowns", "totals",
        }  # fmt: skip
        assert document["packages"][0].keys() >= {"purl", "decision", "bytes", "kept_bytes", "reason"}
        assert document["files"][0].keys() >= {
            "path", "type", "mode", "uid", "gid", "bytes", "target", "owner", "decision", "reason", "from",
        }  # fmt: skip


class TestBadPlan:
    @pytest.mark.parametrize(
        ("edit", "place"),
        [
            (changed("files", 3, mode="9999"), r"files\[3\].mode"),
            (changed("files", 3, uid="0"), r"files\[3\].uid is a string, not a whole number"),
            (changed("files", 3, uid=True), r"files\[3\].uid is true or false"),
            (changed("files", 3, bytes=-1), r"files\[3\].bytes is negative"),
            (changed("files", 3, type="door"), r"files\[3\].type is 'door'"),
            (changed("files", 3, decision=[]), r"files\[3\].decision is an array"),
            (changed("files", 3, target="x"), r"files\[3\].target"),
            (changed("files", 8, target=None), r"files\[8\].target"),
            (changed("files", 8, target=""), r"files\[8\].target"),
            (changed("files", 11, hardlink="/nowhere"), r"files\[11\].hardlink"),
            (changed("files", 11, hardlink="/usr"), r"files\[11\].hardlink"),
            (changed("files", 1, device=[1]), r"files\[1\].device"),
            (changed("files", 3, device=[1, 3]), r"files\[3\].device"),
            (changed("files", 3, content="sha256:" + "0" * 64), r"files\[3\].content"),
            (changed("files", 14, content="sha256:" + "0" * 64), "not the planned one"),
            (changed("files", 14, path="/usr/lib/other"), "the content of /usr/lib/other is missing"),
            (changed("edges", 1, kind="x"), r"edges\[1\].kind"),
            (changed("edges", 1, default=1), r"edges\[1\].default"),
            (changed("packages", 2, purl=None), r"packages\[2\].purl is null"),
            (changed("unknowns", 0, detail=1.5), r"unknowns\[0\].detail is a number with a fraction"),
            (lambda plan: plan["packages"][1].pop("id"), r"packages\[1\].id is missing"),
            (lambda plan: plan["optional"][0]["edges"][0].pop("to"), r"optional\[0\].edges\[0\].to is missing"),
            (lambda plan: plan.pop("edges"), "edges is missing"),
            (lambda plan: plan.update(files={}), "files is an object, not an array"),
            (lambda plan: plan["files"].append(None), r"files\[15\] is null, not an object"),
            (lambda plan: plan.update(entries=["a", 1]), r"entries\[1\] is a whole number"),
            (lambda plan: plan["totals"]["after"].update(shells=-1), "totals.after.shells is negative"),
            (lambda plan: plan["totals"].pop("before"), "totals.before is missing"),
            (lambda plan: plan["image"].update(user=None), "image.user is null"),
            (lambda plan: plan["image"]["labels"].update(a=1), "image.labels.a"),
            (lambda plan: plan["image"]["healthcheck"].update(retries="1"), "image.healthcheck.retries"),
            (lambda plan: plan.update(schema={"name": "pruner-plan", "version": "99"}), "schema version '99'"),
            (lambda plan: plan.update(schema={"name": "other"}), "not a plan of pruner"),
        ],
    )
    def test_says_what_is_wrong_and_where(self, tmp_path, edit, place):
        """The message holds the JSON path."""
        with pytest.raises(InputError, match=place):
            load_plan(written(tmp_path, small_plan(), edit))

    @pytest.mark.parametrize(
        "path",
        [
            "etc/x",
            "/../x",
            "/etc/../../x",
            "/etc/..",
            "/etc/.",
            "//x",
            "/etc//x",
            "/etc/x/",
            "/",
            "",
            "/etc/./x",
            "/e\0x",
            "/..",
        ],
    )
    def test_refuses_paths_that_are_not_absolute_and_normal(self, tmp_path, path):
        """A plan that somebody else wrote must not lead out of the root."""
        with pytest.raises(InputError, match=r"files\[3\].path"):
            load_plan(written(tmp_path, small_plan(), changed("files", 3, path=path)))

    def test_refuses_a_name_below_a_link(self, tmp_path):
        """Writing through it could lead anywhere."""
        edit = changed("files", 9, path="/usr/bin/python3/x")
        with pytest.raises(InputError, match="does not lie in a kept directory"):
            load_plan(written(tmp_path, small_plan(), edit))

    def test_refuses_a_name_in_a_dropped_directory(self, tmp_path):
        """What is kept has a place to lie in."""
        with pytest.raises(InputError, match="does not lie in a kept directory"):
            load_plan(written(tmp_path, small_plan(), changed("files", 5, decision="drop")))

    def test_refuses_a_name_that_is_there_twice(self, tmp_path):
        """Which of the two counts would be a guess."""
        with pytest.raises(InputError, match=r"files\[3\].path .* second time"):
            load_plan(written(tmp_path, small_plan(), changed("files", 3, path="/dev/null")))

    @pytest.mark.parametrize("data", [b"", b"{", b"[]", b"\xff", b"null", b'{"schema": 1}', b"[" * 100_000])
    def test_refuses_other_files(self, tmp_path, data):
        """Truncated, empty and foreign files get one message."""
        (tmp_path / "plan.json").write_bytes(data)
        with pytest.raises(InputError, match=r"plan\.json"):
            load_plan(tmp_path)

    def test_says_when_there_is_no_plan(self, tmp_path):
        """The hint names the command that makes one."""
        with pytest.raises(InputError, match="no plan can be read") as raised:
            load_plan(tmp_path)
        assert "pruner plan" in raised.value.hint

    def test_refuses_a_damaged_archive_of_made_files(self, tmp_path):
        """The contents lie there."""
        written(tmp_path, small_plan())
        (tmp_path / "context/made.tar").write_bytes(b"\x01" * 700)
        with pytest.raises(InputError, match=r"made\.tar"):
            load_plan(tmp_path)

    def test_takes_no_other_member_for_a_content(self, tmp_path):
        """A link of the same name in the archive is not followed to other bytes."""
        written(tmp_path, small_plan())
        buffer = io.BytesIO()
        with tarfile.open(fileobj=buffer, mode="w") as archive:
            member = tarfile.TarInfo("./usr/lib/made")
            member.type, member.linkname = tarfile.SYMTYPE, "/etc/passwd"
            archive.addfile(member)
        (tmp_path / "context/made.tar").write_bytes(buffer.getvalue())
        with pytest.raises(InputError, match="made"):
            load_plan(tmp_path)


class TestText:
    def test_has_one_record_a_line(self):
        """Two plans can be compared with diff."""
        lines = plan_artifact(small_plan()).data.decode().splitlines()
        assert sum(line.startswith('{"path":') for line in lines) == len(small_plan().files)

    def test_names_no_content_but_its_digest(self):
        """Contents lie in the archive, once."""
        files = (*small_plan().files, file_plan("/usr/secret", decision=Decision.MAKE, bytes=6, content=b"secret"))
        assert b'"secret"' not in plan_artifact(replace(small_plan(), files=files)).data

    def test_accepts_made_directories_without_content(self, tmp_path):
        """Only regular files have one."""
        files = (directory("/new", decision=Decision.MAKE), *small_plan().files)
        plan = replace(small_plan(), files=tuple(sorted(files, key=lambda file: file.path)))
        assert load_plan(written(tmp_path, plan)) == plan
