"""The commands that read a plan, and those about rules and schemas."""

from __future__ import annotations

import json
from pathlib import Path

import jsonschema
import pytest

from pruner import __version__
from pruner.yamlfile import load_yaml
from tests.casefiles import CASES
from tests.commandline import Run, assert_one_message
from tests.smallroots import SmallRoot, make_root


@pytest.fixture
def plan(run: Run, tmp_path: Path) -> Path:
    """A plan of the root of the cases about options, with an unknown."""
    made = make_root(tmp_path, load_yaml(CASES / "options" / "root.yaml"))
    words = ("plan", made.sbom, "--root", made.directory, "--entry", "/usr/bin/tool", "-q", "-o", tmp_path / "plan")
    assert run(*words, "--drop", "/usr/lib/ld.so").code == 0
    return tmp_path / "plan"


def test_version(run: Run) -> None:
    """`--version` prints the version."""
    assert run("--version").out == f"pruner {__version__}\n"


def test_no_arguments_is_help(run: Run) -> None:
    """Without arguments the help is shown."""
    done = run()
    assert "Usage" in done.out + done.err
    assert "plan" in done.out + done.err


# -- why --------------------------------------------------------------------------------------------------------------


def test_why_a_kept_path(run: Run, plan: Path) -> None:
    """The chain starts at an entry point and ends at the path, each step with its kind and evidence."""
    done = run("why", plan, "/usr/bin/sh")
    assert done.code == 0
    lines = done.out.splitlines()
    assert lines[0].startswith("/usr/bin/sh is kept: exec: ")
    assert lines[1] == "entry /usr/bin/tool"
    assert lines[2].startswith("└─ entry: ")
    assert lines[-1].strip() == "/usr/bin/sh"


def test_why_a_dropped_path(run: Run, plan: Path) -> None:
    """A dropped path has a reason and no chain; asking is no error."""
    done = run("why", plan, "/usr/bin/helper")
    assert (done.code, done.out) == (0, "/usr/bin/helper is dropped: refused option shell-commands\n")
    assert run("why", plan, "/usr/lib/ld.so").out == "/usr/lib/ld.so is dropped: dropped by the user\n"


@pytest.mark.parametrize("subject", ["tool", "deb:tool", "pkg:deb/debian/tool@1.0-1"])
def test_why_a_package(run: Run, plan: Path, subject: str) -> None:
    """A package is asked for by name, TYPE:NAME or purl."""
    done = run("why", plan, subject)
    assert done.code == 0, done.err
    assert "pkg:deb/debian/tool@1.0-1?arch=amd64&distro=debian-1 is kept: entry: owns /usr/bin/tool" in done.out
    assert "package pkg:deb/debian/tool@1.0-1" in done.out


def test_why_a_package_names_what_is_kept_of_it(run: Run, plan: Path) -> None:
    """Below the chain stand the kept files of the package, largest first; in that of a path there are none."""
    assert "MB  /usr/bin/tool\n" in run("why", plan, "tool").out
    assert "  keeps " not in run("why", plan, "/usr/bin/tool").out


def test_why_follows_links_to_directories(run: Run, tmp_path: Path) -> None:
    """/bin/tool is found as /usr/bin/tool where /bin is a link; links that lead round end in a message."""
    small = make_root(
        tmp_path,
        {
            "distro": "debian",
            "files": {"/bin": "-> usr/bin", "/usr/bin/tool": {"elf": {}}, "/loop": "-> loop"},
            "packages": {"tool": {"files": ["/usr/bin/tool"]}},
        },
    )
    options = ("--entry", "/usr/bin/tool", "-o", tmp_path / "plan", "-q")
    assert run("plan", small.sbom, "--root", small.directory, *options).code == 0
    done = run("why", tmp_path / "plan", "/bin/tool")
    assert (done.code, done.out.splitlines()[0]) == (0, "/usr/bin/tool is kept: entry: named by the entry point")
    assert_one_message(run("why", tmp_path / "plan", "/loop/tool"), 3, "the plan knows no path /loop/tool")


def test_why_as_json(run: Run, plan: Path) -> None:
    """`--json` gives the chain as edges."""
    document = json.loads(run("why", plan, "/usr/bin/sh", "--json").out)
    assert document["kept"] is True
    assert document["chain"][0]["source"] == "entry:/usr/bin/tool"
    assert document["chain"][-1]["target"] == "/usr/bin/sh"


@pytest.mark.parametrize(("subject", "near"), [("/usr/bin/too", "/usr/bin/tool"), ("helpre", "helper")])
def test_why_of_something_unknown(run: Run, plan: Path, subject: str, near: str) -> None:
    """What the plan does not know is answered with the nearest names."""
    assert_one_message(run("why", plan, subject), 3, "the plan knows no", f"did you mean {near}")


# -- costs ------------------------------------------------------------------------------------------------------------


def test_costs(run: Run, plan: Path) -> None:
    """Every option is listed with what it costs, a refused one with what accepting it would add."""
    done = run("costs", plan)
    assert done.code == 0
    row = next(line for line in done.out.splitlines() if line.startswith("shell-commands"))
    assert row.split()[1:5] == ["left", "out", "+3.0", "2"]
    assert any(line.split()[:2] == ["package-data", "kept"] for line in done.out.splitlines())


def test_costs_agree_with_a_plan_that_takes_the_option(run: Run, plan: Path, tmp_path: Path) -> None:
    """The cost of a refused option is exactly what a plan that accepts it is larger by."""
    options = {option["name"]: option for option in json.loads(run("costs", plan, "--json").out)}
    words = (
        "plan",
        tmp_path / "sbom.json",
        "--root",
        tmp_path / "root",
        "--entry",
        "/usr/bin/tool",
        "--drop",
        "/usr/lib/ld.so",
    )
    sizes = {}
    for name, more in {
        "plain": (),
        "more": ("--accept", "shell-commands"),
        "less": ("--refuse", "package-data"),
    }.items():
        assert run(*words, *more, "-q", "-o", tmp_path / name).code == 0
        document = json.loads((tmp_path / name / "plan.json").read_bytes())
        kept = [file for file in document["files"] if file["decision"] == "keep" and file["type"] == "file"]
        sizes[name] = sum(file["bytes"] for file in kept)
    assert options["shell-commands"]["accepted"] is False
    assert options["shell-commands"]["bytes"] == sizes["more"] - sizes["plain"] > 3_000_000
    assert options["package-data"]["accepted"] is True
    assert options["package-data"]["bytes"] == sizes["plain"] - sizes["less"] > 0


def test_costs_of_a_plan_without_options(run: Run, small: SmallRoot, tmp_path: Path) -> None:
    """A plan without options says so."""
    assert (
        run("plan", small.sbom, "--root", small.directory, "--entry", "/opt/app/", "-q", "-o", tmp_path / "p").code == 0
    )
    assert run("costs", tmp_path / "p").out.startswith("nothing is optional")
    assert json.loads(run("costs", tmp_path / "p", "--json").out) == []


# -- apply and verify -------------------------------------------------------------------------------------------------


def test_apply(run: Run, small: SmallRoot, tmp_path: Path) -> None:
    """The pruned root holds what files.txt says, and the same tar is written twice."""
    assert run("plan", small.sbom, "--root", small.directory, "--entry", "image", "-q", "-o", tmp_path / "p").code == 0
    done = run("apply", tmp_path / "p", "--root", small.directory, "--dest", tmp_path / "pruned")
    assert done.code == 0, done.err
    assert done.out.endswith(f"MB written to {tmp_path / 'pruned'}\n")
    listed = {line.rstrip("/") for line in (tmp_path / "p" / "files.txt").read_text().splitlines()} - {""}
    found = {f"/{path.relative_to(tmp_path / 'pruned')}" for path in (tmp_path / "pruned").rglob("*")}
    assert found == listed
    for name in ("one.tar", "two.tar"):
        assert run("apply", tmp_path / "p", "--root", small.directory, "--tar", tmp_path / name).code == 0
    assert (tmp_path / "one.tar").read_bytes() == (tmp_path / "two.tar").read_bytes()


@pytest.mark.parametrize("words", [(), ("--dest", "a", "--tar", "b")])
def test_apply_needs_one_destination(run: Run, plan: Path, tmp_path: Path, words: tuple[str, ...]) -> None:
    """Neither or both destinations are a mistake of usage."""
    assert_one_message(run("apply", plan, "--root", tmp_path / "root", *words), 2, "give either --dest or --tar")


def test_apply_refuses_a_destination_that_is_not_empty(run: Run, small: SmallRoot, tmp_path: Path) -> None:
    """A destination that holds something is left alone without `--force`."""
    assert run("plan", small.sbom, "--root", small.directory, "--entry", "image", "-q", "-o", tmp_path / "p").code == 0
    (tmp_path / "dest").mkdir()
    (tmp_path / "dest" / "precious").write_text("x")
    done = run("apply", tmp_path / "p", "--root", small.directory, "--dest", tmp_path / "dest")
    assert done.code in (2, 3)
    assert_one_message(done, done.code, "dest", "--force")
    assert [path.name for path in (tmp_path / "dest").iterdir()] == ["precious"]


def test_verify_tells_which_root_a_check_failed_in() -> None:
    """A check that fails in the fat root already says nothing about the pruned one."""
    from pruner.cli.verify import _verdict
    from pruner.read.checks import Check
    from pruner.verify import Outcome

    check = Check(command=("x",))
    same, differs = Outcome(check=check, passed=True), Outcome(check=check, passed=False)
    fails = Outcome(check=check, passed=False, comparable=False)
    assert _verdict([same, differs]) == "1 of 2 checks differ in the pruned root"
    assert _verdict([fails]) == "1 of 1 fail in the fat root, so nothing can be compared"
    assert _verdict([differs, fails]).count(";") == 1


def test_verify_needs_something_to_verify(run: Run, plan: Path, tmp_path: Path) -> None:
    """Without a command and without `verify:` there is nothing to do, and `--refine` needs the SBOM."""
    assert_one_message(run("verify", plan, "--root", tmp_path / "root"), 2, "nothing to verify")
    refine = run("verify", plan, "--root", tmp_path / "root", "--refine", "--", "tool")
    assert_one_message(refine, 2, "--refine plans again and needs the SBOM", "--sbom")


# -- rules and schemas ------------------------------------------------------------------------------------------------


def test_rules_list_and_show(run: Run) -> None:
    """Every listed rule can be shown, with its reason and reference."""
    listed = [line.split()[0] for line in run("rules", "list").out.splitlines()[1:]]
    assert len(listed) > 50
    assert len(set(listed)) == len(listed)
    for identifier in listed[:: len(listed) // 10]:
        shown = run("rules", "show", identifier)
        assert shown.code == 0
        assert f"id: {identifier}" in shown.out
        assert "why:" in shown.out
        assert "reference:" in shown.out


def test_rules_show_of_an_unknown_rule(run: Run) -> None:
    """A rule that does not exist is bad input, with the nearest ids."""
    assert_one_message(run("rules", "show", "packge-data"), 3, "packge-data", "package-data")


def test_rules_check(run: Run, tmp_path: Path) -> None:
    """A sound pack passes with 0; a pack with problems fails with 1 and names them all with file and line."""
    (tmp_path / "own.yaml").write_text(
        "format: 1\nrules:\n  - id: own\n    when: {path: /usr/bin/tool}\n    keep: [/srv/data.txt]\n"
        "    why: it reads it\n    reference: [tool(1)]\n"
    )
    sound = run("rules", "check", tmp_path)
    assert (sound.code, sound.out) == (0, f"{tmp_path}: sound\n")
    (tmp_path / "bad.yaml").write_text("format: 1\nrules:\n  - id: bad\n    keep: [x]\n  - id: own\n")
    done = run("rules", "check", tmp_path)
    assert_one_message(done, 1, "problems")
    assert len(done.out.splitlines()) >= 3
    assert all("bad.yaml:" in line or "own.yaml:" in line for line in done.out.splitlines()), done.out


def test_own_rules_are_used(run: Run, small: SmallRoot, tmp_path: Path) -> None:
    """A pack given with `--rules` works beside the bundled ones, is listed, and is named by `why`."""
    (tmp_path / "pack").mkdir()
    (tmp_path / "pack" / "own.yaml").write_text(
        "format: 1\nrules:\n  - id: own\n    when: {path: /usr/bin/tool}\n    keep: [/srv/other.txt]\n"
        "    why: it reads it\n    reference: [tool(1)]\n"
    )
    words = ("--root", small.directory, "--entry", "image", "-q", "-o", tmp_path / "p", "--rules", tmp_path / "pack")
    assert run("plan", small.sbom, *words).code == 0
    answer = run("why", tmp_path / "p", "/srv/other.txt")
    assert "data: is /usr/bin/tool [rule own]" in answer.out
    assert "own" in run("rules", "list", "--rules", tmp_path / "pack").out.split()
    assert json.loads((tmp_path / "p" / "plan.json").read_bytes())["inputs"][-1]["name"] == "pack"


def test_schemas(run: Run, plan: Path, tmp_path: Path) -> None:
    """The schemas are valid, the plan that was written fits its own, and a pruner.yaml fits the other."""
    schema = json.loads(run("schema", "plan").out)
    jsonschema.Draft202012Validator.check_schema(schema)
    jsonschema.Draft202012Validator(schema).validate(json.loads((plan / "plan.json").read_bytes()))
    config = json.loads(run("schema", "config").out)
    jsonschema.Draft202012Validator.check_schema(config)
    validator = jsonschema.Draft202012Validator(config)
    validator.validate({"version": 1, "entry": ["image"], "features": ["users"], "verify": ["tool --version"]})
    assert not validator.is_valid({"entries": ["image"]})


# -- files that commands write ----------------------------------------------------------------------------------------


def test_a_file_is_written_whole_and_nothing_else_is_replaced(tmp_path: Path) -> None:
    """A link is followed, a pipe is written into, a directory that is missing is not made."""
    import os
    import threading

    from pruner.cli.output import write_file
    from pruner.errors import EnvironmentFault

    (tmp_path / "link").symlink_to("target")
    write_file(tmp_path / "link", b"1")
    assert (tmp_path / "link").is_symlink()
    assert (tmp_path / "target").read_bytes() == b"1"
    os.mkfifo(tmp_path / "pipe")
    seen: list[bytes] = []
    reader = threading.Thread(target=lambda: seen.append((tmp_path / "pipe").read_bytes()))
    reader.start()
    write_file(tmp_path / "pipe", b"2")
    reader.join()
    assert seen == [b"2"]
    assert (tmp_path / "pipe").is_fifo()
    for place in ("missing/file", "."):
        with pytest.raises(EnvironmentFault, match="can't be written"):
            write_file(tmp_path / place, b"3")
    assert sorted(path.name for path in tmp_path.iterdir()) == ["link", "pipe", "target"]


def test_a_schema_that_there_is_not(run: Run) -> None:
    """The names that there are are in the hint."""
    done = run("schema", "vex")
    assert_one_message(done, 2, "'vex' has no schema")
    assert "plan, config, lock, policy, gate, diff" in done.err
