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

from pruner.gate.reports import FORMATS, report_text
from pruner.gate.reports.markdown import MARKDOWN_LIMIT, code, prose
from pruner.gate.types import Comparison, Level, Verdict
from tests.support import ROOT
from tests.unit.gatereports import HOSTILE, compared_names, finding, judged, many


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
    outside = [unspanned(line) for line in text.splitlines() if not line.startswith("|")]
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
        ("a*b _c_ ~d~ |", "`a*b` `_c_` `~d~` `|`"),
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
    """A long report is cut between findings, with how many are left out."""
    text = report_text("markdown", comparison, many(verdict, 5000))
    assert MARKDOWN_LIMIT - 1500 < len(text.encode()) <= MARKDOWN_LIMIT
    left = re.search(r"\n_Cut here: ([0-9]+) findings are left out; the other formats have all._\n\Z", text)
    assert left is not None
    assert text.count("\n- **") + int(left[1]) == 5000
    huge = replace(verdict, findings=(replace(verdict.findings[0], where="€" * 70_000),))
    cut = report_text("markdown", comparison, huge)
    assert len(cut.encode()) < MARKDOWN_LIMIT
    assert "_Cut here: 1 findings" in cut


def test_markdown_of_a_finding(comparison: Comparison) -> None:
    """What, where, why, fix, the policy's line and the chain."""
    lines = report_text("markdown", comparison, one()).partition("### Failing\n\n")[2].splitlines()
    assert lines[:6] == [
        "- **forbid** shell `/bin/sh` is there",
        "  - where: `/bin/sh`",
        "  - why: it is forbidden",
        "  - fix: leave it out: `pruner plan --drop`, or so",
        "  - policy: `policy.yaml:7 forbid[0]`",
        "  - there because: `entry /usr/bin/app` → `exec: runs sh -> /bin/sh`",
    ]


def sarif(comparison: Comparison, verdict: Verdict) -> list[dict[str, Any]]:
    (run,) = json.loads(report_text("sarif", comparison, verdict))["runs"]
    ids = [rule["id"] for rule in run["tool"]["driver"]["rules"]]
    assert all(ids[result["ruleIndex"]] == result["ruleId"] for result in run["results"])
    results: list[dict[str, Any]] = run["results"]
    return results


def test_sarif_levels_and_places(comparison: Comparison) -> None:
    """A finding stands at the policy's line; levels are SARIF's own; links and placeholders of a name are text."""
    (result,) = sarif(comparison, one(where="/bin/[sh](x){0}"))
    assert result["level"] == "error"
    place = result["locations"][0]["physicalLocation"]
    assert place["artifactLocation"]["uri"] == "policy.yaml"
    assert place["region"] == {"startLine": 7}
    assert "Where: /bin/\\[sh\\](x){{0}}" in result["message"]["text"]
    assert sarif(comparison, one(level=Level.WARN))[0]["level"] == "warning"
    assert sarif(comparison, one(level=Level.WAIVED, waiver="w"))[0]["level"] == "note"
    assert sarif(comparison, Verdict(passed=True, findings=())) == []


def test_sarif_fingerprints_are_stable(comparison: Comparison) -> None:
    """Another count or another line is the same finding; another path or vulnerability is not."""

    def print_of(**changes: object) -> str:
        return str(sarif(comparison, one(**changes))[0]["partialFingerprints"])

    assert print_of() == print_of(what="2 of them", key="policy.yaml:9 forbid[0]")
    assert len({print_of(), print_of(where="/bin/ash"), print_of(subject="CVE-1")}) == 3


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
    assert kept == {"gate.policy", "gate.limits.setuid", "gate.limits.packages"}
    assert suite.find(".//failure").get("type") == "forbid"


def test_junit_without_findings(comparison: Comparison) -> None:
    """A gate that found nothing is still one case: a report without any counts as a fault to Jenkins."""
    root = ElementTree.fromstring(report_text("junit", comparison, Verdict(passed=True, findings=())))
    assert root[0].get("tests") == "1"


def test_workflow_commands(comparison: Comparison) -> None:
    """Data and properties are escaped as the runner reads them; there is one line for each finding."""
    text = report_text("github", comparison, one(where="/a,b:c%0A", what="100% of it"))
    assert text.splitlines() == [
        "::error title=forbid%3A /a%2Cb%3Ac%250A,file=policy.yaml,line=7::100%25 of it%0Awhy: it is forbidden"
        "%0Afix: leave it out: `pruner plan --drop`, or so%0Achain: entry /usr/bin/app > exec: runs sh -> /bin/sh",
        "gate FAILED: 1 failing, 0 warnings, 0 waived",
    ]


def test_names_make_no_workflow_command(comparison: Comparison, verdict: Verdict) -> None:
    """No name begins a line of its own."""
    lines = report_text("github", comparison, verdict).splitlines()
    assert len(lines) == len(verdict.findings) + 1
    assert {line.partition(" ")[0] for line in lines[:-1]} == {"::error", "::notice"}
