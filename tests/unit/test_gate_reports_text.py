"""Reports of the gate for comments, annotations and test tools: Markdown, SARIF, JUnit and workflow commands."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from defusedxml import ElementTree
from jsonschema import Draft4Validator

from pruner.emit.sarif import MOST_RESULTS
from pruner.gate.policy.types import Finding, Level, Verdict
from pruner.gate.reports import FORMATS, report_text
from pruner.gate.reports.markdown import MARKDOWN_LIMIT, code, prose
from pruner.gate.reports.wording import headline
from pruner.gate.types import Comparison
from tests.support import ROOT
from tests.unit.gatereports import HOSTILE, compared_names, finding, judged, many

SARIF_SCHEMA = Draft4Validator(json.loads((ROOT / "tests" / "data" / "sarif-2.1.0.schema.json").read_text()))


@pytest.fixture
def comparison(tmp_path: Path) -> Comparison:
    return compared_names(tmp_path)


@pytest.fixture
def verdict(comparison: Comparison) -> Verdict:
    return judged(comparison)


def one(**changes: object) -> Verdict:
    return Verdict(passed=False, findings=(finding(**changes),), policy="policy.yaml")


@pytest.mark.parametrize("name", FORMATS)
def test_the_same_values_give_the_same_bytes(comparison: Comparison, verdict: Verdict, name: str) -> None:
    """A report is the same in another process with another order of hashing, and has nothing that moves a cursor."""
    text = report_text(name, comparison, verdict)
    program = (
        "import sys, tempfile; from pathlib import Path\n"
        "from pruner.gate.reports import report_text\n"
        "from tests.unit.gatereports import compared_names, judged\n"
        "found = compared_names(Path(tempfile.mkdtemp()))\n"
        f"sys.stdout.buffer.write(report_text({name!r}, found, judged(found)).encode())\n"
    )
    env = {**os.environ, "PYTHONHASHSEED": "7", "PYTHONPATH": str(ROOT)}
    done = subprocess.run([sys.executable, "-c", program], env=env, cwd=ROOT, capture_output=True, check=True)
    assert done.stdout.decode() == text
    assert text.endswith("\n")
    assert not set("\x1b\u202e\u2028\r") & set(text)


def unspanned(text: str) -> str:
    """Markdown without its code spans: a span ends at the first run of backticks as long as the one it began with."""
    return re.sub(r"(?<!`)(`+)(?!`).*?(?<!`)\1(?!`)", "", text)


def test_markdown_names_are_code(comparison: Comparison, verdict: Verdict) -> None:
    """Outside code spans there is no character of a hostile name that would be markup, a mention or a link."""
    text = report_text("markdown", comparison, verdict)
    assert "## Gate failed: 9 failing, 0 warnings, 1 waived" in text
    for name in HOSTILE[:5]:
        assert name in text
    assert text.count("<details><summary>9 findings</summary>") == 1
    own = re.compile(r"<details><summary>[0-9]+ findings</summary>|</details>|\\|.*")
    outside = [unspanned(line) for line in text.splitlines() if not own.fullmatch(line)]
    assert not re.search(r"[<>@`\[\]{}|]", "\n".join(outside)), outside


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("plain words, 2 of them (here).", "plain words, 2 of them (here)."),
        ("see @user now", "see `@user` now"),
        ("fixes GH-12 and #3", "fixes `GH-12` and `#3`"),
        ("at 0123456789abcdef0123456789abcdef01234567", "at `0123456789abcdef0123456789abcdef01234567`"),
        ("www.example.com a.b", "`www.example.com` `a.b`"),
        ("run `pruner plan --drop`, or", "run `pruner plan --drop`, or"),
        ("a ` lone", "a `` ` `` lone"),
        ("(-10% of 3 before); new", "(-10% of 3 before); new"),
        ("a*b _c_ ~d~ |", "`a*b` `_c_` `~d~` `|`"),
        ("/usr/bin/c89-gcc, /bin/sh. (see /x); end", "`/usr/bin/c89-gcc`, `/bin/sh`. (see `/x`); end"),
        ("are BEFORE and AFTER swapped?", "are BEFORE and AFTER swapped?"),
        ("a 1.0-1, b 1:2.3+dfsg-1 (72.2 MB, 10%).", "a `1.0-1`, b `1:2.3+dfsg-1` (72.2 MB, 10%)."),
        ("f(x), (a)b ...", "`f(x)`, `(a)b` ..."),
    ],
)
def test_markdown_prose(text: str, shown: str) -> None:
    """Only what can be nothing but a word stands outside a code span."""
    assert prose(text) == shown


@pytest.mark.parametrize(
    ("text", "shown"), [("a", "`a`"), ("`", "`` ` ``"), ("a``b`c", "```a``b`c```"), ("", "`   `"), ("a\nb", "`a\\nb`")]
)
def test_markdown_code(text: str, shown: str) -> None:
    """A code span is fenced by more backticks than it holds, and is one line."""
    assert code(text) == shown


def test_markdown_fits_a_comment(comparison: Comparison, verdict: Verdict) -> None:
    """Of thousands of findings each key of the policy shows as many as there is room for, and how many more it has."""
    text = report_text("markdown", comparison, many(verdict, 5000))
    assert len(text.encode()) <= MARKDOWN_LIMIT
    assert "\n**forbid** `/usr/bin/**`: 5000 findings\n" in text
    shown = len(re.findall(r"^- .*is there, and", text, re.MULTILINE))
    assert shown == 100
    assert f"- _and {5000 - shown} more, which json, sarif and junit have_\n" in text


def test_no_key_of_the_policy_drowns_another(comparison: Comparison, verdict: Verdict) -> None:
    """Where a hundred keys have many long findings each, every key still has one."""
    first = replace(verdict.findings[0], why="w" * 100)
    findings = tuple(
        replace(first, where=f"/{'x' * 100}/{at}", key=f"policy.yaml:{line} forbid[{line}]", asked=f"/{line}/**")
        for line in range(1, 101)
        for at in range(100)
    )
    text = report_text("markdown", comparison, replace(verdict, findings=findings))
    assert len(text.encode()) <= MARKDOWN_LIMIT
    assert all(f"**forbid** `/{line}/**`: 100 findings" in text for line in range(1, 101))
    assert "_Cut here" not in text


def test_markdown_that_can_not_hold_one_of_each(comparison: Comparison, verdict: Verdict) -> None:
    """What has no room at all is cut off between findings, and the report says so."""
    for where in ("€" * 70_000, "/" * 70_000):
        huge = replace(verdict, findings=(verdict.findings[1], replace(verdict.findings[0], where=where, key="x")))
        cut = report_text("markdown", comparison, huge)
        assert len(cut.encode()) <= MARKDOWN_LIMIT
        assert f"**forbid**: {prose(verdict.findings[1].what)}" in cut
        assert cut.endswith("\n_Cut here: the rest has no room; json, sarif and junit have all findings._\n")


def test_markdown_of_a_finding(comparison: Comparison) -> None:
    """What, where, the policy's line, why, fix and the chain."""
    lines = report_text("markdown", comparison, one()).partition("### Failing\n\n")[2].splitlines()
    assert lines[:8] == [
        "**forbid**: shell `/bin/sh` is there",
        "",
        "- where: `/bin/sh`",
        "- policy: `policy.yaml:7 forbid[0]`",
        "- why: it is forbidden",
        "- fix: leave it out: `pruner plan --drop`, or so",
        "- there because: `entry /usr/bin/app` → `exec: runs sh -> /bin/sh`",
        "",
    ]


def test_markdown_of_several(comparison: Comparison) -> None:
    """What findings of one key have in common stands once, what they differ in by each; many are folded."""
    lines = report_text("markdown", comparison, several(2)).partition("### Failing\n\n")[2].splitlines()
    assert lines[:13] == [
        "**forbid** `shell`: 2 findings",
        "",
        "- policy: `policy.yaml:7 forbid[0]`",
        "- why: it is forbidden",
        "- what:",
        "  - shell 0 is there",
        "    - where: `/bin/sh0`",
        "    - fix: upgrade to 0",
        "    - there because: `entry /usr/bin/app` → `exec: runs sh -> /bin/sh`",
        "  - shell 1 is there",
        "    - where: `/bin/sh1`",
        "    - fix: upgrade to 1",
        "    - there because: `entry /usr/bin/app` → `exec: runs sh -> /bin/sh`",
    ]
    folded = report_text("markdown", comparison, several(6))
    assert "\n\n<details><summary>6 findings</summary>\n\n- shell 0 is there\n" in folded
    assert folded.count("</details>") == 1


def several(number: int) -> Verdict:
    """Findings of one key, each with a way to mend it of its own."""
    texts = [
        {"what": f"shell {at} is there", "where": f"/bin/sh{at}", "fix": f"upgrade to {at}"} for at in range(number)
    ]
    findings = tuple(finding(asked="shell", **changes) for changes in texts)
    return Verdict(passed=False, findings=findings, policy="policy.yaml")


def test_text_of_several(comparison: Comparison) -> None:
    """The terminal's report says once what findings of one key have in common, and how many more there are."""
    lines = report_text("text", comparison, several(23)).splitlines()
    begin = lines.index("fail forbid 'shell': 23 findings")
    assert lines[begin + 1 : begin + 8] == [
        "  policy policy.yaml:7 forbid[0]",
        "  why    it is forbidden",
        "  - shell 0 is there",
        "    where  /bin/sh0",
        "    fix    upgrade to 0",
        "    chain  entry /usr/bin/app",
        "             exec: runs sh -> /bin/sh",
    ]
    assert "  and 3 more" in lines
    assert sum(line.startswith("  - ") for line in lines) == 20


def test_findings_are_in_the_order_of_the_policy(comparison: Comparison) -> None:
    """Failing ones first; within a level as the policy has them, what it leaves to the default last."""
    findings = (
        finding(rule="conformity", key="policy.yaml conformity"),
        finding(rule="forbid", key="policy.yaml:30 forbid[0]"),
        finding(rule="licenses", key="policy.yaml:4 licenses.deny"),
        finding(rule="limits.files", key="policy.yaml:2 limits.files", level=Level.WARN),
    )
    text = report_text("text", comparison, Verdict(passed=False, findings=findings, policy="policy.yaml"))
    named = re.findall(r"^(?:fail|warn) ([a-z.]+): ", text, re.MULTILINE)
    assert named == ["licenses", "forbid", "conformity", "limits.files"]


def sarif_run(comparison: Comparison, verdict: Verdict) -> dict[str, Any]:
    """The run, which is what the standard's schema says."""
    log = json.loads(report_text("sarif", comparison, verdict))
    SARIF_SCHEMA.validate(log)
    (run,) = log["runs"]
    ids = [rule["id"] for rule in run["tool"]["driver"]["rules"]]
    assert all(ids[result["ruleIndex"]] == result["ruleId"] for result in run["results"])
    return dict(run)


def sarif(comparison: Comparison, verdict: Verdict) -> list[dict[str, Any]]:
    results: list[dict[str, Any]] = sarif_run(comparison, verdict)["results"]
    return results


def test_sarif_of_hostile_names(comparison: Comparison, verdict: Verdict) -> None:
    """Whatever names hold, the log is valid and has each finding."""
    assert len(sarif(comparison, verdict)) == len(verdict.findings) == 10


def test_sarif_levels_and_places(comparison: Comparison) -> None:
    """A finding stands at the policy's line; levels are SARIF's own; links and placeholders of a name are text."""
    (result,) = sarif(comparison, one(where="/bin/[sh](x){0}"))
    assert result["level"] == "error"
    place = result["locations"][0]["physicalLocation"]
    assert place["artifactLocation"]["uri"] == "policy.yaml"
    assert place["region"] == {"startLine": 7}
    assert "Where: /bin/\\[sh\\](x){{0}}" in result["message"]["text"]
    assert sarif(comparison, one(level=Level.WARN))[0]["level"] == "warning"
    assert result["locations"][0]["logicalLocations"] == [{"fullyQualifiedName": "/bin/[sh](x){0}"}]
    assert "suppressions" not in result
    (waived,) = sarif(comparison, one(level=Level.WAIVED, waiver="w"))
    assert waived["level"] == "note"
    assert waived["suppressions"] == [{"kind": "external", "status": "accepted", "justification": "w"}]
    assert sarif(comparison, Verdict(passed=True, findings=())) == []


def test_sarif_fingerprints_are_stable(comparison: Comparison) -> None:
    """Another count, line or place in a list is the same finding; another path, vulnerability or pattern is not."""

    def print_of(**changes: object) -> str:
        return str(sarif(comparison, one(**changes))[0]["partialFingerprints"])

    assert print_of() == print_of(what="2 of them", key="policy.yaml:9 forbid[3]")
    required = {"rule": "require", "asked": "/a"}
    moved = print_of(where="require[1]", key="policy.yaml:9 require[1]", **required)
    assert moved == print_of(where="require[0]", key="policy.yaml:8 require[0]", **required)
    prints = {print_of(), print_of(where="/bin/ash"), print_of(subject="CVE-1"), print_of(asked="shell"), moved}
    assert len(prints) == 5


def test_sarif_fingerprints_of_one_line_differ(comparison: Comparison, verdict: Verdict) -> None:
    """GitHub knows an alert by this fingerprint alone, and would make one alert of all findings of a policy's line."""
    results = sarif(comparison, verdict)
    assert len({result["locations"][0]["physicalLocation"]["region"]["startLine"] for result in results}) == 1
    prints = {result["partialFingerprints"]["primaryLocationLineHash"] for result in results}
    assert len(prints) == len(results) == 10


def test_sarif_is_not_more_than_services_take(comparison: Comparison, verdict: Verdict) -> None:
    """Of more results than a run may have the gravest are there, and the run says that some are not."""
    warning = finding(level=Level.WARN, rule="licenses", key="policy.yaml:1 licenses")
    findings = (warning, *many(verdict, MOST_RESULTS).findings)
    run = json.loads(report_text("sarif", comparison, replace(verdict, findings=findings)))["runs"][0]
    assert len(run["results"]) == MOST_RESULTS
    assert {result["level"] for result in run["results"]} == {"error"}
    (note,) = run["invocations"][0]["toolExecutionNotifications"]
    assert note["message"]["text"].startswith("1 further results are left out")
    log = {"version": "2.1.0", "runs": [{**run, "results": run["results"][:3]}]}
    assert [error.message for error in SARIF_SCHEMA.iter_errors(log)] == []
    assert "invocations" not in sarif_run(comparison, verdict)


def test_junit(comparison: Comparison, verdict: Verdict) -> None:
    """Failures, skips and passes are counted, whatever names hold, and texts are whole."""
    root = ElementTree.fromstring(report_text("junit", comparison, verdict))
    (suite,) = root
    cases = list(suite)
    assert {key: suite.get(key) for key in ("tests", "failures", "errors", "skipped")} == {
        "tests": str(len(cases)),
        "failures": "9",
        "errors": "0",
        "skipped": "1",
    }
    assert len(root.findall(".//failure")) == 9
    assert len(root.findall(".//skipped")) == 1
    names = [case.get("name") for case in cases]
    assert f"/usr/bin/{HOSTILE[2]}" in names
    assert "/usr/bin/a\\u202eb\\u2028c\\x1b[31m" in names
    kept = {case.get("classname") for case in cases if not list(case) or case[0].tag == "system-out"}
    assert kept == {"gate.policy", "gate.limits.setuid", "gate.limits.packages", "gate.visibility"}
    failure = suite.find(".//failure")
    assert failure.get("type") == "forbid"
    assert failure.text.startswith(f"{failure.get('message')}\nwhere: /usr/bin/")
    assert len({(case.get("classname"), case.get("name")) for case in cases}) == len(cases)


def test_junit_has_what_the_schemas_know(comparison: Comparison, verdict: Verdict) -> None:
    """Elements and attributes are those of junit-10.xsd, by which Jenkins' xUnit plugin checks."""
    root = ElementTree.fromstring(report_text("junit", comparison, verdict))
    totals = {"name", "tests", "failures", "errors"}
    known = {
        "testsuites": totals,
        "testsuite": {*totals, "skipped"},
        "testcase": {"name", "classname"},
        "failure": {"type", "message"},
        "skipped": {"message"},
        "system-out": set(),
    }
    found = {(element.tag, name) for element in root.iter() for name in element.attrib}
    assert found <= {(tag, name) for tag, names in known.items() for name in names}
    assert {element.tag for element in root.iter()} == known.keys()


def test_junit_names_tell_runs_apart(comparison: Comparison, verdict: Verdict) -> None:
    """A limit has one name whether it is kept or broken; findings of one place have names of their own."""

    def names(verdict: Verdict) -> list[tuple[str | None, str | None]]:
        root = ElementTree.fromstring(report_text("junit", comparison, verdict))
        return [(case.get("classname"), case.get("name")) for case in root[0]]

    broken = one(rule="limits.setuid", where="limits.setuid", key="policy.yaml:2 limits.setuid")
    assert ("gate.limits.setuid", "limits.setuid") in set(names(verdict)) & set(names(broken))
    twice = replace(broken, findings=(finding(), finding(asked="/bin/*")))
    assert names(twice)[1:] == [("gate.forbid", "/bin/sh"), ("gate.forbid", "/bin/sh (2)")]


def test_junit_without_findings(comparison: Comparison) -> None:
    """A gate that found nothing is still one case: a report without any counts as a fault to Jenkins."""
    root = ElementTree.fromstring(report_text("junit", comparison, Verdict(passed=True, findings=())))
    assert root[0].get("tests") == "1"


def test_workflow_commands(comparison: Comparison) -> None:
    """Data and properties are escaped as the runner reads them; a finding says what, why, what mends it and the chain."""
    text = report_text("github", comparison, one(where="/a,b:c%0A", what="100% of it"))
    assert text.splitlines() == [
        "::error title=forbid%3A /a%2Cb%3Ac%250A,file=policy.yaml,line=7::100%25 of it"
        "%0A  chain: entry /usr/bin/app > exec: runs sh -> /bin/sh%0Awhy: it is forbidden"
        "%0Afix: leave it out: `pruner plan --drop`, or so",
        "gate FAILED: 1 failing, 0 warnings, 0 waived",
    ]


@pytest.mark.parametrize(
    ("changes", "title"),
    [
        ({"rule": "require", "where": "require[1]", "key": "p.yaml:4 require[1]", "asked": "shell"}, "require 'shell'"),
        ({"rule": "limits.setuid", "where": "limits.setuid", "key": "p.yaml:2 limits.setuid"}, "limits.setuid"),
        ({"rule": "visibility", "where": "after.json", "key": "p.yaml visibility"}, "visibility%3A after.json"),
    ],
)
def test_titles_name_what_it_is_about(comparison: Comparison, changes: dict[str, object], title: str) -> None:
    """The thing, or what the policy says where it is about nothing that is there; no title says a key twice."""
    assert f" title={title},file=" in report_text("github", comparison, one(**changes))


def test_a_workflow_command_for_each_key(comparison: Comparison) -> None:
    """GitHub shows ten errors of a step: findings of one key of the policy are one of them."""
    command, _ = report_text("github", comparison, several(12)).splitlines()
    lines = command.split("%0A")
    assert lines[0] == "::error title=forbid 'shell'%3A 12 findings,file=policy.yaml,line=7::shell 0 is there"
    assert lines[1:3] == ["  where: /bin/sh0", "  fix: upgrade to 0"]
    assert lines[-2:] == ["and 2 more", "why: it is forbidden"]


def test_names_make_no_workflow_command(comparison: Comparison, verdict: Verdict) -> None:
    """No name begins a line of its own."""
    lines = report_text("github", comparison, verdict).splitlines()
    assert [line.partition(" ")[0] for line in lines] == ["::error", "::notice", "gate"]
    assert "/usr/bin/%250A::error::x is there" in lines[0]


def test_the_headline_counts_one_warning_as_one() -> None:
    """Singular and plural."""
    warning = Finding(rule="waiver", level=Level.WARN, what="x", where="x", why="x", fix="x")
    assert headline(Verdict(passed=True, findings=(warning,))) == "gate passed: 0 failing, 1 warning, 0 waived"
    assert headline(Verdict(passed=True, findings=(warning,) * 11)) == "gate passed: 0 failing, 11 warnings, 0 waived"
