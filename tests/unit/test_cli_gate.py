"""`pruner gate`."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import jsonschema
import pytest

from tests.casefiles import CASES
from tests.commandline import Run, assert_one_message
from tests.smallroots import make_root
from tests.unit.gates import SUID, grype, match, package, program, sbom

APP = package("app", "1.0-1", ["/usr/bin/app"])
SHELL = package("dash", "0.5-1", ["/usr/bin/dash"])
FAT = [program("/usr/bin/app"), program("/usr/bin/dash"), program("/usr/bin/su", mode=SUID)]


@pytest.fixture
def fat(tmp_path: Path) -> Path:
    return sbom(tmp_path, "fat.json", [APP, SHELL], FAT)


@pytest.fixture
def thin(tmp_path: Path) -> Path:
    return sbom(tmp_path, "thin.json", [APP], [program("/usr/bin/app")])


def policy(place: Path, text: str) -> Path:
    path = place / "policy.yaml"
    path.write_text(f"version: 1\n{text}")
    return path


def test_passes_and_fails(run: Run, tmp_path: Path, fat: Path, thin: Path) -> None:
    """The same policy fails the fat image with a reason for each finding, and passes the pruned one."""
    rules = policy(tmp_path, "limits: {setuid: 0}\nforbid: [shell]\n")
    failed = run("gate", fat, fat, "--policy", rules)
    assert_one_message(failed, 1, "2 findings fail")
    assert failed.out.startswith("gate FAILED: 2 failing, 0 warnings, 0 waived\n")
    assert "fail forbid: shell /usr/bin/dash is there, and 'shell' is forbidden\n  where  /usr/bin/dash\n" in failed.out
    assert "fail limits.setuid: 1 setuid file, more than the limit of 0: /usr/bin/su\n" in failed.out
    assert "  fix    " in failed.out
    passed = run("gate", fat, thin, "--policy", rules)
    assert (passed.code, passed.err) == (0, "")
    assert ["setuid", "1", "0", "0"] in [line.split() for line in passed.out.splitlines()]


def test_json_follows_its_schema(run: Run, tmp_path: Path, fat: Path, thin: Path) -> None:
    """The JSON report is what its schema says, in a file as on standard output, and the same every time."""
    rules = policy(tmp_path, "limits: {setuid: 0, files: +0}\nforbid: [shell]\nvulnerabilities: {new: low}\n")
    reports = ["--vulns-before", grype(tmp_path, "vb.json", [match("dash", "0.5-1", "CVE-2024-1")]),
               "--vulns-after", grype(tmp_path, "va.json", [match("app", "1.0-1", "CVE-2024-2")])]  # fmt: skip
    out = tmp_path / "gate.json"
    done = run("gate", fat, thin, "--policy", rules, *reports, "--format", "json", "--report", f"json={out}",
               "--report", f"text={tmp_path / 'gate.txt'}")  # fmt: skip
    assert done.code == 1
    assert out.read_text() == done.out
    assert (tmp_path / "gate.txt").read_text().startswith("gate FAILED")
    schema = json.loads(run("schema", "gate").out)
    jsonschema.Draft202012Validator.check_schema(schema)
    document = json.loads(done.out)
    jsonschema.validate(document, schema)
    assert [item["fate"] for item in document["vulnerabilities"]] == ["fixed by removal", "new"]
    assert [item["rule"] for item in document["findings"]] == ["vulnerabilities.new"]
    again = run("gate", fat, thin, "--policy", rules, *reports, "--format", "json")
    assert again.out == done.out


def test_with_a_plan(run: Run, tmp_path: Path) -> None:
    """With a plan findings say why the thing is there, and what the plan dropped may not be."""
    made = make_root(tmp_path, json.loads(json.dumps(_root())))
    plan = tmp_path / "plan"
    words = ("plan", made.sbom, "--root", made.directory, "--entry", "/usr/bin/tool", "-q", "-o", plan)
    assert run(*words).code == 0
    kept = [
        file["path"] for file in json.loads((plan / "plan.json").read_text())["files"] if file["decision"] == "keep"
    ]
    target = next(path for path in kept if path != "/usr/bin/tool" and path.startswith("/usr/bin/"))
    rules = policy(tmp_path, f"forbid: ['{target}']\nvisibility: allow\n")
    done = run("gate", made.sbom, plan, "--policy", rules, "--plan", plan)
    assert done.code == 1
    assert "  chain  entry /usr/bin/tool\n" in done.out
    assert f"-> {target}\n" in done.out
    by_itself = run("gate", made.sbom, plan, "--policy", rules)
    assert by_itself.out == done.out, "a plan as AFTER has the reasons itself"
    unpruned = run("gate", made.sbom, made.directory, "--policy", policy(tmp_path, ""), "--plan", plan)
    assert unpruned.code == 1
    assert "is there though the plan dropped it" in unpruned.out


def _root() -> Any:
    from pruner.yamlfile import load_yaml

    return load_yaml(CASES / "options" / "root.yaml")


def test_the_clock(run: Run, tmp_path: Path, fat: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The day comes from --today, else from SOURCE_DATE_EPOCH."""
    waiver = "waivers: {rule: forbid, where: /usr/bin/dash, reason: a, owner: b, expires: 2026-06-01}\n"
    rules = policy(tmp_path, f"forbid: [shell]\n{waiver}")
    assert run("gate", fat, fat, "--policy", rules, "--today", "2026-06-01").code == 0
    assert run("gate", fat, fat, "--policy", rules, "--today", "2026-06-02").code == 1
    monkeypatch.setenv("SOURCE_DATE_EPOCH", "1780272000")  # 2026-06-01T00:00:00Z
    assert run("gate", fat, fat, "--policy", rules).code == 0
    monkeypatch.setenv("SOURCE_DATE_EPOCH", "1780358400")
    done = run("gate", fat, fat, "--policy", rules)
    assert done.code == 1
    assert "the waiver of forbid /usr/bin/dash expired on 2026-06-01" in done.out
    assert_one_message(
        run("gate", fat, fat, "--policy", rules, "--today", "tomorrow"), 2, "--today tomorrow is no date"
    )


# -- bad input --------------------------------------------------------------------------------------------------------


def test_a_report_in_place_of_a_side(run: Run, tmp_path: Path, fat: Path) -> None:
    """A scanner's report given as a side is called what it is, on either side."""
    report, rules = grype(tmp_path, "g.json", []), policy(tmp_path, "")
    assert_one_message(run("gate", report, fat, "--policy", rules), 3, f"{report}: a scanner's report, not BEFORE")
    assert_one_message(run("gate", fat, report, "--policy", rules), 3, f"{report}: a scanner's report, not AFTER")


def test_a_policy_in_place_of_a_side(run: Run, tmp_path: Path, fat: Path) -> None:
    """So is a policy."""
    rules = policy(tmp_path, "")
    assert_one_message(run("gate", fat, rules, "--policy", rules), 3, "a policy, not AFTER")


def test_an_sbom_in_place_of_the_policy_or_a_report(run: Run, tmp_path: Path, fat: Path) -> None:
    """An SBOM is neither a policy nor a report."""
    rules = policy(tmp_path, "")
    assert_one_message(run("gate", fat, fat, "--policy", fat), 3, f"{fat}: an SBOM, not a policy")
    words = ("--vulns-before", fat, "--vulns-after", fat)
    assert_one_message(run("gate", fat, fat, "--policy", rules, *words), 3, "an SBOM, not a scanner's report")


def test_an_sbom_in_place_of_the_plan(run: Run, tmp_path: Path, fat: Path) -> None:
    """An SBOM is no plan."""
    done = run("gate", fat, fat, "--policy", policy(tmp_path, ""), "--plan", fat)
    assert_one_message(done, 3, f"{fat}: no plan")


def test_a_plan_and_what_it_was_made_from_swapped(run: Run, tmp_path: Path) -> None:
    """A plan given as BEFORE of the image that it prunes is asked about, though every package has a part in it."""
    made = make_root(tmp_path, json.loads(json.dumps(_root())))
    plan = tmp_path / "plan"
    words = ("plan", made.sbom, "--root", made.directory, "--entry", "/usr/bin/tool", "-q", "-o", plan)
    assert run(*words).code == 0
    rules = policy(tmp_path, "")
    assert "were added: are BEFORE and AFTER swapped?" in run("gate", plan, made.sbom, "--policy", rules).out
    assert "swapped" not in run("gate", made.sbom, plan, "--policy", rules).out
    assert "swapped" not in run("gate", plan, plan, "--policy", rules).out


@pytest.mark.parametrize("which", ["--vulns-before", "--vulns-after"])
def test_an_unknown_severity(run: Run, tmp_path: Path, fat: Path, which: str) -> None:
    """A severity that is none can't be held against a limit, whichever report states it."""
    odd = grype(tmp_path, "odd.json", [match("dash", "0.5-1", "CVE-2024-1", "Dreadful\x1b[31m")])
    plain = grype(tmp_path, "plain.json", [match("dash", "0.5-1", "CVE-2024-1")])
    reports = {"--vulns-before": plain, "--vulns-after": plain, which: odd}
    words = [word for pair in reports.items() for word in pair]
    done = run("gate", fat, fat, "--policy", policy(tmp_path, ""), *words)
    assert_one_message(done, 3, "unknown severity 'Dreadful\\x1b[31m'")


def test_an_sbom_without_packages(run: Run, tmp_path: Path, fat: Path) -> None:
    """An SBOM without packages is bad input, not a great success."""
    empty = sbom(tmp_path, "empty.json", [])
    assert_one_message(run("gate", fat, empty, "--policy", policy(tmp_path, "")), 3, "lists no installed packages")


def test_reports_of_two_scanners_or_another_image(run: Run, tmp_path: Path, fat: Path, thin: Path) -> None:
    """Reports that don't belong together, or not to their side, are refused."""
    rules = policy(tmp_path, "")
    one = grype(tmp_path, "one.json", [match("dash", "0.5-1", "CVE-2024-1")])
    other = grype(tmp_path, "other.json", [], descriptor={"name": "xray"})
    done = run("gate", fat, thin, "--policy", rules, "--vulns-before", one, "--vulns-after", other)
    assert_one_message(done, 3, f"{other}: written by xray, but {one} by grype")
    done = run("gate", fat, thin, "--policy", rules, "--vulns-before", one, "--vulns-after", one)
    assert_one_message(done, 3, f"{one}: about another image than thin.json")


@pytest.mark.parametrize(
    ("words", "expected"),
    [
        (("--vulns-before", "x"), "--vulns-after is missing"),
        (("--vulns-after", "x"), "--vulns-before is missing"),
        (("--format", "pdf"), "format 'pdf' is unknown"),
        (("--report", "pdf=x"), "format 'pdf' is unknown"),
        (("--report", "json"), "--report json: no file is named"),
        (("--report", "json="), "no file is named"),
        (("--report", "json=x", "--report", "text=./x"), "another report goes to the same file"),
        (("--report", "json=-"), "--report json=-: - is no file"),
    ],
)
def test_usage(run: Run, tmp_path: Path, fat: Path, words: tuple[str, ...], expected: str) -> None:
    """Options that make no sense are found before anything is read."""
    assert_one_message(run("gate", fat, fat, "--policy", policy(tmp_path, ""), *words), 2, expected)


def test_a_report_in_place_of_an_input(run: Run, tmp_path: Path, fat: Path) -> None:
    """No report overwrites what the gate reads."""
    rules = policy(tmp_path, "")
    before = fat.read_bytes(), rules.read_bytes()
    for path in (fat, rules, tmp_path / "." / "fat.json"):
        done = run("gate", fat, fat, "--policy", rules, "--report", f"json={path}")
        assert_one_message(done, 2, f"{path} is an input")
    assert (fat.read_bytes(), rules.read_bytes()) == before


def test_the_policy_is_named_as_the_repository_has_it(
    run: Run, tmp_path: Path, fat: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Annotations find the policy below the working directory, however it was given; outside only its name is told."""
    (tmp_path / "ci").mkdir()
    rules = policy(tmp_path / "ci", "forbid: [shell]\n")
    monkeypatch.chdir(tmp_path)
    for given in (rules, Path("ci/policy.yaml"), Path("ci/../ci/policy.yaml")):
        done = run("gate", fat, fat, "--policy", given, "--format", "github")
        assert ",file=ci/policy.yaml,line=2::" in done.out
    monkeypatch.chdir(tmp_path / "ci")
    assert ",file=policy.yaml,line=2::" in run("gate", fat, fat, "--policy", rules, "--format", "github").out
    (tmp_path / "else").mkdir()
    monkeypatch.chdir(tmp_path / "else")
    assert ",file=policy.yaml,line=2::" in run("gate", fat, fat, "--policy", rules, "--format", "github").out


def test_only_the_report_is_on_standard_output(run: Run, tmp_path: Path, fat: Path) -> None:
    """Standard output is one JSON document although the gate fails; the message goes to standard error."""
    done = run("gate", fat, fat, "--policy", policy(tmp_path, "forbid: [shell]\n"), "--format", "json")
    assert json.loads(done.out)["passed"] is False
    assert done.err.startswith("error: ")


def test_standard_input_twice(run: Run, tmp_path: Path) -> None:
    """Only one input can be standard input."""
    assert_one_message(run("gate", "-", "-", "--policy", policy(tmp_path, "")), 2, "one of the inputs only")


def test_a_report_that_cannot_be_written(run: Run, tmp_path: Path, fat: Path) -> None:
    """A report that has no place is a fault of the environment; the verdict and the other reports are there."""
    out = tmp_path / "gate.md"
    words = ("--policy", policy(tmp_path, "forbid: [shell]\n"), "--report", f"json={tmp_path}/no/such/gate.json")
    done = run("gate", fat, fat, *words, "--report", f"text={tmp_path}", "--report", f"markdown={out}")
    assert_one_message(done, 4, "gate.json can't be written: no such file or directory; ")
    assert f"{tmp_path} can't be written: is a directory" in done.err
    assert done.out.startswith("gate FAILED: 1 failing")
    assert out.read_text().startswith("## Gate failed")


def test_hostile_names_in_the_report(run: Run, tmp_path: Path, fat: Path) -> None:
    """Escape sequences in names reach no terminal; markup is left as it is in text and escaped nowhere else."""
    evil = package("e\x1b]0;x\x07<script>alert(1)</script>", "1\x1b[2J", ["/usr/bin/\x1b[31mevil"])
    after = sbom(tmp_path, "evil.json", [APP, evil], [program("/usr/bin/app"), program("/usr/bin/\x1b[31mevil")])
    rules = policy(tmp_path, "forbid: ['pkg:deb/**', '/usr/bin/*', executable]\n")
    done = run("gate", fat, after, "--policy", rules)
    assert done.code == 1
    assert "\\x1b[31mevil" in done.out
    assert done.out.replace("\n", "").isprintable()
    assert run("gate", fat, after, "--policy", rules, "--format", "json").out.replace("\n", "").isprintable()


EVIL = (
    "\x1b]0;x\x07", "a\u202egnp.exe", "new\nline\n::error::pwned", "pi|pe", "`tick``", "<img src=x onerror=alert(1)>",
    "@octocat #1", "]]>", "\ufffe\uffff", "\u2028sep", "<script>alert(1)<_script>", "%0A::error::x", "a::b,c=d", "\x9b31m",
    "**bold** [x](http:__e)",
)  # fmt: skip


@pytest.mark.parametrize("report_format", ["text", "json", "markdown", "sarif", "junit", "github", "html"])
def test_hostile_names_in_every_format(run: Run, tmp_path: Path, report_format: str) -> None:
    """Names of packages, versions and files are neither terminal commands nor markup nor workflow commands."""
    before = sbom(tmp_path, "b.json", [APP], [program("/usr/bin/app")])
    paths = [f"/usr/bin/{name}" for name in EVIL]
    packages = [package(name, f"1{name}", [path]) for name, path in zip(EVIL, paths, strict=True)]
    after = sbom(tmp_path, "a.json", [APP, *packages], [program("/usr/bin/app"), *map(program, paths)])
    rules = policy(tmp_path, "limits: {packages: +0}\nforbid: ['pkg:deb/**', '/usr/bin/**', executable]\n")
    out = run("gate", before, after, "--policy", rules, "--format", report_format).out
    assert "octocat" in out
    assert out.replace("\n", "").isprintable()
    if report_format == "github":
        assert {line.partition(" ")[0] for line in out.splitlines()} == {"::error", "gate"}
    elif report_format == "junit":
        assert len(ElementTree.fromstring(out).findall(".//failure")) > len(EVIL)
    elif report_format == "html":
        assert "<img src=x" not in out
        assert "<script>alert" not in out
    elif report_format == "markdown":
        plain = re.sub(r"(?<!`)(`+)(?!`).*?(?<!`)\1(?!`)", "", out)
        plain = re.sub(r"^(<details><summary>\d+ findings</summary>|</details>)$", "", plain, flags=re.MULTILINE)
        assert not re.search(r"[<@\[]|octocat|alert|http|pwned", plain)


def test_a_plan_that_is_not_there(run: Run, tmp_path: Path, fat: Path) -> None:
    """What does not exist is called so, whatever its name."""
    policy = tmp_path / "policy.yaml"
    policy.write_text("version: 1\n")
    done = run("gate", fat, fat, "--policy", policy, "--plan", tmp_path / "nope")
    assert_one_message(done, 3, "nope: no such file or directory")
