"""`pruner plan`: what it writes, where, and that the same input always gives the same bytes."""

from __future__ import annotations

import json
import os
import random
from pathlib import Path

import pytest

from tests.commandline import Run, assert_one_message, contents, run_process
from tests.smallroots import SmallRoot

ARTIFACTS = {"plan.json", "files.txt", "files.nul", "packages.txt", "sbom.cdx.json", "Dockerfile", "summary.md"}


def test_plan_writes_every_artifact_and_a_table(run: Run, small: SmallRoot, tmp_path: Path) -> None:
    """A plan exits 0, writes all artifacts and prints before and after."""
    done = run("plan", small.sbom, "--root", small.directory, "--entry", "image", "-o", tmp_path / "plan")
    assert done.code == 0, done.err
    assert set(contents(tmp_path / "plan")) >= ARTIFACTS
    assert done.out.splitlines()[0].split() == ["before", "after"]
    assert any(line.split()[:3:2] == ["packages", "3"] for line in done.out.splitlines()), done.out
    assert f"written   {tmp_path}/plan/" in done.out
    assert done.err == ""


def test_plan_as_json(run: Run, small: SmallRoot, tmp_path: Path) -> None:
    """`--json` prints the totals of plan.json and nothing else."""
    done = run("plan", small.sbom, "--root", small.directory, "--entry", "image", "-o", tmp_path / "p", "--json")
    document = json.loads(done.out)
    plan = json.loads((tmp_path / "p" / "plan.json").read_bytes())
    assert document["before"] == plan["totals"]["before"]
    assert document["after"] == plan["totals"]["after"]
    assert document["unknowns"] == len(plan["unknowns"])


def test_misspelt_option_is_noted(run: Run, small: SmallRoot, tmp_path: Path) -> None:
    """A name of --refuse or --accept that no option has is no error, since a pruner.yaml serves many images; it is said."""
    names = ("--refuse", "nosuch", "--accept", "exec:/usr/bin/tool")
    done = run("plan", small.sbom, "--root", small.directory, "--entry", "image", "-o", tmp_path / "p", *names)
    assert done.code == 0
    assert done.err == "note: --refuse nosuch: no option of this plan, `pruner costs` lists them\n"


def test_quiet_prints_nothing(run: Run, small: SmallRoot, tmp_path: Path) -> None:
    """`--quiet` prints nothing, and the plan is written all the same."""
    done = run("plan", small.sbom, "--root", small.directory, "--entry", "image", "-o", tmp_path / "p", "--quiet")
    assert (done.code, done.out, done.err) == (0, "", "")
    assert (tmp_path / "p" / "plan.json").is_file()


def test_strict_fails_on_unknowns(run: Run, small: SmallRoot, tmp_path: Path) -> None:
    """`--strict` exits 1 when something is unknown, and 0 when nothing is; the plan is written in both cases."""
    known = run(
        "plan", small.sbom, "--root", small.directory, "--entry", "image", "-o", tmp_path / "a", "--strict", "-q"
    )
    assert known.code == 0, known.err
    drop = ("--drop", "/usr/lib/libtool*")
    unknown = run(
        "plan", small.sbom, "--root", small.directory, "--entry", "image", "-o", tmp_path / "b", "--strict", "-q", *drop
    )
    assert_one_message(unknown, 1, "one thing is unknown", "summary.md")
    assert (tmp_path / "b" / "plan.json").is_file()


def test_configuration_file_and_command_line_are_joined(run: Run, small: SmallRoot, tmp_path: Path) -> None:
    """Lists of pruner.yaml and of the command line add up; for single values the command line wins."""
    config = tmp_path / "pruner.yaml"
    config.write_text("version: 1\nentry: cmd:wrapper\nkeep: [/srv/other.txt]\nprofile: minimal\nfeatures: [users]\n")
    options = ("--keep", "/srv/data.txt", "--profile", "balanced", "--config", config)
    done = run("plan", small.sbom, "--root", small.directory, "-o", tmp_path / "p", "-q", *options)
    assert done.code == 0, done.err
    plan = json.loads((tmp_path / "p" / "plan.json").read_bytes())
    kept = {file["path"] for file in plan["files"] if file["decision"] == "keep"}
    assert {"/srv/other.txt", "/srv/data.txt", "/usr/local/bin/wrapper", "/etc/passwd"} <= kept
    assert plan["profile"] == "balanced"
    assert [item["name"] for item in plan["inputs"]] == ["sbom.json", "root", "pruner.yaml"]


def test_sbom_from_standard_input(small: SmallRoot, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, run: Run) -> None:
    """`-` reads the SBOM from standard input."""
    with small.sbom.open("rb") as stream:
        monkeypatch.setattr("sys.stdin", type("Stdin", (), {"buffer": stream, "isatty": lambda _: False})())
        done = run("plan", "-", "--root", small.directory, "--entry", "cmd:wrapper", "-o", tmp_path / "p", "-q")
    assert done.code == 0, done.err


# -- the output directory ---------------------------------------------------------------------------------------------


def test_former_plan_is_replaced_whole(run: Run, small: SmallRoot, tmp_path: Path) -> None:
    """A plan directory is replaced, with nothing of the former plan left and nothing beside it."""
    output = tmp_path / "out" / "plan"
    assert run("plan", small.sbom, "--root", small.directory, "--entry", "image", "-o", output, "-q").code == 0
    (output / "left-over").write_text("x")
    assert run("plan", small.sbom, "--root", small.directory, "--entry", "/opt/app/", "-o", output, "-q").code == 0
    assert not (output / "left-over").exists()
    assert "/opt/app/main.cfg" in (output / "files.txt").read_text()
    assert os.listdir(output.parent) == ["plan"]


@pytest.mark.parametrize("what", ["file", "directory", "link"])
def test_output_that_holds_something_else_is_refused(run: Run, small: SmallRoot, tmp_path: Path, what: str) -> None:
    """A directory that no plan wrote, or a file, is left as it is."""
    output = tmp_path / "precious"
    if what == "file":
        output.write_text("precious")
    else:
        (tmp_path / "real").mkdir()
        (tmp_path / "real" / "file").write_text("precious")
        output.symlink_to("real") if what == "link" else (tmp_path / "real").rename(output)
    before = sorted(str(path) for path in tmp_path.rglob("*"))
    done = run("plan", small.sbom, "--root", small.directory, "--entry", "image", "-o", output)
    assert_one_message(done, 3, "precious", "choose another --output")
    assert sorted(str(path) for path in tmp_path.rglob("*")) == before


def test_output_is_checked_where_it_will_be(run: Run, small: SmallRoot, tmp_path: Path) -> None:
    """A `..` behind a directory that does not exist yet leads to the same place before and after it is made."""
    (tmp_path / "file").write_text("precious")
    before = sorted(os.listdir(tmp_path))
    output = tmp_path / "missing" / ".." / "file"
    done = run("plan", small.sbom, "--root", small.directory, "--entry", "image", "-o", output)
    assert_one_message(done, 3, "is not a directory", "choose another --output")
    assert (tmp_path / "file").read_text() == "precious"
    assert sorted(os.listdir(tmp_path)) == before


def test_plan_of_another_tool_is_refused(run: Run, small: SmallRoot, tmp_path: Path) -> None:
    """A plan.json alone makes no plan directory: other tools write files of that name."""
    (tmp_path / "infra").mkdir()
    (tmp_path / "infra" / "plan.json").write_text('{"format_version": "1.2"}')
    done = run("plan", small.sbom, "--root", small.directory, "--entry", "image", "-o", tmp_path / "infra")
    assert_one_message(done, 3, "holds no plan", "choose another --output")
    assert os.listdir(tmp_path / "infra") == ["plan.json"]


def test_empty_directory_is_used(run: Run, small: SmallRoot, tmp_path: Path) -> None:
    """An empty directory is as good as none."""
    (tmp_path / "empty").mkdir()
    done = run("plan", small.sbom, "--root", small.directory, "--entry", "image", "-o", tmp_path / "empty", "-q")
    assert done.code == 0, done.err
    assert (tmp_path / "empty" / "plan.json").is_file()


def test_output_that_cannot_be_made(run: Run, small: SmallRoot, tmp_path: Path) -> None:
    """An output below a file can't be written, which is a fault of the environment."""
    (tmp_path / "file").write_text("x")
    done = run("plan", small.sbom, "--root", small.directory, "--entry", "image", "-o", tmp_path / "file" / "plan")
    assert_one_message(done, 4, "can't be written")


def test_failed_write_leaves_the_former_plan(
    run: Run, small: SmallRoot, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """When writing fails half-way the former plan is still there, whole, and nothing beside it."""
    output = tmp_path / "out" / "plan"
    assert run("plan", small.sbom, "--root", small.directory, "--entry", "image", "-o", output, "-q").code == 0
    before = contents(output)
    write = Path.write_bytes

    def full(path: Path, data: bytes) -> int:
        if path.name == "summary.md":
            raise OSError(28, "No space left on device")
        return write(path, data)

    monkeypatch.setattr(Path, "write_bytes", full)
    done = run("plan", small.sbom, "--root", small.directory, "--entry", "/opt/app/", "-o", output)
    assert_one_message(done, 4, "no space left on device")
    assert contents(output) == before
    assert os.listdir(output.parent) == ["plan"]


# -- same input, same bytes -------------------------------------------------------------------------------------------


def test_output_depends_on_nothing_but_the_input(small: SmallRoot, tmp_path: Path) -> None:
    """Neither hash seeds, nor the order of the SBOM's arrays, nor places of the machine change or reach the output."""
    shuffled = tmp_path / "elsewhere" / "sbom.json"
    shuffled.parent.mkdir()
    document = json.loads(small.sbom.read_bytes())
    chance = random.Random(4)
    for key in ("artifacts", "files"):
        chance.shuffle(document[key])
    for artifact in document["artifacts"]:
        chance.shuffle(artifact["metadata"]["files"])
    shuffled.write_text(json.dumps(document))
    entries = ("--entry", "image", "--entry", "deb:helper")
    plans = []
    for number, (sbom, root, place, seed) in enumerate(
        (
            (small.sbom, small.directory, tmp_path, "0"),
            (small.sbom.name, small.directory.name, tmp_path, "1"),
            (shuffled, small.directory, shuffled.parent, "77"),
        )
    ):
        output = tmp_path / f"plan{number}"
        done = run_process(
            "plan", sbom, "--root", root, *entries, "-o", output, "-q", cwd=place, PYTHONHASHSEED=seed, LC_ALL="C"
        )
        assert (done.code, done.out, done.err) == (0, "", ""), done.err
        plans.append(contents(output))
    assert plans[0] == plans[1]
    first, other = (json.loads(plan.pop("plan.json")[1]) for plan in (plans[0], plans[2]))
    assert first.pop("inputs")[0]["digest"] != other.pop("inputs")[0]["digest"]  # another file, after all
    assert first == other
    assert plans[0] == plans[2]
    assert not [name for name, (_, data) in plans[1].items() if os.fsencode(tmp_path) in data]


def test_order_of_options_does_not_matter(run: Run, small: SmallRoot, tmp_path: Path) -> None:
    """The order of lists on the command line changes no decision."""
    options = [
        ("--entry", "deb:helper"),
        ("--entry", "/opt/app/"),
        ("--keep", "/srv/data.txt"),
        ("--keep", "/srv/check"),
    ]
    files = []
    for number, order in enumerate((options, options[::-1])):
        output = tmp_path / f"p{number}"
        words = [word for option in order for word in option]
        assert run("plan", small.sbom, "--root", small.directory, *words, "-o", output, "-q").code == 0
        files.append((output / "files.txt").read_bytes())
    assert files[0] == files[1]


# -- the terminal -----------------------------------------------------------------------------------------------------


def test_closed_pipe_is_no_error(small: SmallRoot, tmp_path: Path) -> None:
    """`pruner … | head` ends quietly."""
    import subprocess
    import sys

    from tests.support import ROOT

    process = subprocess.Popen(
        [sys.executable, "-m", "pruner", "rules", "list"],
        cwd=tmp_path, env={**os.environ, "PYTHONPATH": str(ROOT)}, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
    )  # fmt: skip
    assert process.stdout is not None
    assert process.stderr is not None
    process.stdout.close()
    errors = process.stderr.read()
    process.stderr.close()
    assert process.wait() == 0
    assert b"Traceback" not in errors
    assert b"BrokenPipe" not in errors


def test_help_is_quick_to_import() -> None:
    """`--help` needs none of the heavy libraries: they are imported where they are used."""
    import subprocess
    import sys

    from tests.support import ROOT

    code = (
        "import sys; sys.argv = ['pruner', '--help']\n"
        "from pruner.__main__ import main\n"
        "try: main()\n"
        "except SystemExit: pass\n"
        "heavy = {'networkx', 'cyclonedx', 'tree_sitter', 'yaml', 'msgspec', 'zstandard', 'jsonschema', 'packageurl'}\n"
        "print(sorted(heavy & set(sys.modules)), file=sys.stderr)"
    )
    done = subprocess.run(
        [sys.executable, "-c", code],
        capture_output=True,
        text=True,
        check=True,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
    )
    assert done.stderr.strip() == "[]"


def test_what_stops_programs_is_printed_with_the_totals() -> None:
    """Missing libraries, entry points and scripts that were not followed; the rest is a number."""
    from pruner.cli.plan import _grave_unknowns
    from pruner.model import Distro, Unknown
    from pruner.plan import Plan
    from pruner.plan.types import Totals

    none = Totals(packages=0, files=0, bytes=0, setuid_files=0, shells=0, interpreters=0, package_managers=0)
    unknowns = (
        *(Unknown(kind="needed", subject=f"/bin/{n}", detail="DT_NEEDED libx.so is not found") for n in range(5)),
        Unknown(kind="command", subject="entry:cmd:x", detail="x is nowhere"),
        Unknown(kind="dlopen", subject="/bin/0", detail="computed"),
        Unknown(kind="maintainer-script", subject="package:a", detail="runs b"),
    )
    plan = Plan(
        profile="balanced", entries=(), inputs=(), image=None, distro=Distro(), mode="root", files=(), packages=(),
        edges=(), unknowns=unknowns, before=none, after=none,
    )  # fmt: skip
    assert _grave_unknowns(plan) == [
        "cmd:x: x is nowhere",
        *(f"/bin/{n}: DT_NEEDED libx.so is not found" for n in range(3)),
        "libraries and loaders besides that are nowhere: 2",
        "maintainer scripts that do more than could be followed: 1",
    ]
