"""A comparison held against a policy."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import replace
from datetime import date
from pathlib import Path
from typing import Any

import pytest

from pruner.gate.compare import compare
from pruner.gate.evaluate import evaluate
from pruner.gate.policy import policy_of
from pruner.gate.policy.selectors import path_matcher, purl_matcher
from pruner.gate.policy.starter import starter_policy
from pruner.gate.policy.types import Finding, Level, Verdict
from pruner.gate.types import Change, Comparison, FileChange
from pruner.gate.vulnerabilities import with_vulnerabilities
from pruner.gate.vulnerabilities.scanners import read_report
from tests.unit.gates import SUID, compared, grype, match, package, program, sbom
from tests.unit.sides import TOOL, made_side, regular
from tests.unit.sides import package as inventoried

TODAY = date(2026, 6, 1)
APP = package(
    "app", "1.0-1", ["/usr/bin/app"], licenses=[{"value": "MIT", "spdxExpression": "MIT", "type": "declared"}]
)
SHELL = package("dash", "0.5-1", ["/usr/bin/dash", "/usr/share/doc/dash/copyright"])
MIT = package("mit", "1.0-1", licenses=[{"value": "MIT"}])
CURL = package("curl", "7.0-1", ["/usr/bin/curl"])
BASE = [program("/usr/bin/app"), program("/usr/bin/dash"), program("/usr/bin/su", mode=SUID), program("/usr/bin/curl")]


def programs(*names: str) -> list[Any]:
    return [item for item in BASE if item["location"]["path"].rpartition("/")[2] in names]


def comparison_of(
    place: Path, after: Sequence[Any], others: Sequence[Any], before: Sequence[Any] = (APP, SHELL), all_: bool = True
) -> Comparison:
    first = sbom(place, "before.json", before, programs("app", "dash", "su"))
    fields: dict[str, Any] = (
        {} if all_ else {"descriptor": {"configuration": {"files": {"selection": "owned-by-package"}}}}
    )
    return compared(first, sbom(place, "after.json", after, others, **fields))


def judged(comparison: Comparison, text: str, **options: Any) -> Verdict:
    return evaluate(comparison, policy_of(f"version: 1\n{text}"), **{"today": TODAY, **options})


def rules(verdict: Verdict) -> list[tuple[str, str]]:
    return [(finding.rule, finding.level) for finding in verdict.findings]


def only(verdict: Verdict) -> Finding:
    (finding,) = verdict.findings
    return finding


@pytest.fixture
def pruned(tmp_path: Path) -> Comparison:
    """app and dash with su before; app alone after."""
    return comparison_of(tmp_path, [APP], programs("app"))


@pytest.fixture
def grown(tmp_path: Path) -> Comparison:
    """app, dash and su before; curl as well after."""
    return comparison_of(tmp_path, [APP, SHELL, CURL], programs("app", "dash", "su", "curl"))


def test_a_policy_that_says_nothing_passes(pruned: Comparison) -> None:
    """Removed packages whose files are gone are no finding."""
    assert judged(pruned, "") == Verdict(passed=True, findings=(), policy="policy.yaml", clean=("visibility",))


@pytest.mark.parametrize(
    ("limit", "kept"),
    [("packages: 3", True), ("packages: 2", False), ("packages: +0", False), ("packages: +1", True),
     ("packages: +50%", True), ("packages: -10%", False), ("setuid: 1", True), ("setuid: 0", False),
     ("executables: 4", True), ("executables: 3", False), ("files: +1", True), ("files: +0", False),
     ("megabytes: 1", True), ("megabytes: 0", False), ("transfer: 1", True), ("transfer: +0", False)],
)  # fmt: skip
def test_limits(grown: Comparison, limit: str, kept: bool) -> None:
    """A limit holds for what is there after, absolutely or relative to before."""
    verdict = judged(grown, f"limits: {{{limit}}}\n")
    assert verdict.passed is kept
    assert [result.kept for result in verdict.limits] == [kept]
    if not kept:
        finding = only(verdict)
        assert finding.rule == finding.where == f"limits.{limit.partition(':')[0]}"
        assert "more than the limit of" in finding.what
        assert finding.key == f"policy.yaml:2 {finding.rule}"
        assert finding.why
        assert finding.fix


@pytest.mark.parametrize(
    ("limit", "named"),
    [
        ("packages: 2", "3 packages, more than the limit of 2; new is curl"),
        ("transfer: 0", "1 transfer program, more than the limit of 0; new is /usr/bin/curl"),
        ("setuid: 0", "1 setuid file, more than the limit of 0: /usr/bin/su"),
        ("executables: +0", "4 executables, more than the limit of 3 (+0 of 3 before); new is /usr/bin/curl"),
    ],
)
def test_a_broken_limit_names_what_is_counted(grown: Comparison, limit: str, named: str) -> None:
    """What is new of it, or where nothing is, what there is; nobody is sent to look for what was not added."""
    finding = only(judged(grown, f"limits: {{{limit}}}\n"))
    assert finding.what == named
    assert ("what was added" in finding.fix) is ("; new is" in named)


def test_a_limit_that_cannot_be_measured_is_broken(tmp_path: Path) -> None:
    """An SBOM that does not list every file can't be held against a limit of files."""
    comparison = comparison_of(tmp_path, [APP], programs("app"), all_=False)
    finding = only(judged(comparison, "limits: {files: 100}\nvisibility: allow\n"))
    assert finding.level is Level.FAIL
    assert finding.what == "files can't be counted: after.json does not record what it takes"


@pytest.mark.parametrize(
    ("selector", "where"),
    [
        ("pkg:deb/debian/curl", "pkg:deb/debian/curl@7.0-1?arch=amd64&distro=debian-12"),
        ("pkg:deb/*/cur?", "pkg:deb/debian/curl@7.0-1?arch=amd64&distro=debian-12"),
        ("/usr/bin/cu*", "/usr/bin/curl"),
        ("/**/curl", "/usr/bin/curl"),
        ("transfer", "/usr/bin/curl"),
    ],
)
def test_forbid(grown: Comparison, selector: str, where: str) -> None:
    """What is forbidden and there is a finding: by purl, path or category."""
    verdict = judged(grown, f"forbid: ['{selector}']\n")
    finding = only(verdict)
    assert (finding.rule, finding.level, finding.where) == ("forbid", Level.FAIL, where)
    assert finding.key == "policy.yaml:2 forbid[0]"
    assert finding.why


def test_forbid_with_a_reason_of_its_own(grown: Comparison) -> None:
    """A policy's own reason is what is said."""
    finding = only(judged(grown, "forbid: {match: transfer, reason: no way out}\n"))
    assert finding.why == "no way out"


def test_forbid_what_is_not_there(pruned: Comparison) -> None:
    """What is forbidden and gone is no finding."""
    assert judged(pruned, "forbid: [shell, /usr/bin/su, 'pkg:deb/debian/dash']\n").passed


def test_require(pruned: Comparison) -> None:
    """What is required and missing is a finding, of every kind."""
    text = "require: ['pkg:deb/debian/app', /usr/bin/app, executable, 'pkg:deb/debian/dash', /usr/bin/dash, shell]\n"
    verdict = judged(pruned, text)
    assert [finding.where for finding in verdict.findings] == ["require[3]", "require[4]", "require[5]"]
    assert {finding.rule for finding in verdict.findings} == {"require"}


def test_what_nobody_could_look_at_fails(tmp_path: Path) -> None:
    """A side that does not list every file can't say that a path is not there; what it lists is there."""
    comparison = comparison_of(tmp_path, [APP], programs("app"), all_=False)
    verdict = judged(comparison, "forbid: [/root/**]\nrequire: [/usr/bin/app, /usr/bin/x]\nvisibility: allow\n")
    assert rules(verdict) == [("forbid", "fail"), ("require", "fail")]
    assert verdict.findings[1].where == "require[1]"
    assert "can't be looked for" in verdict.findings[0].what


@pytest.mark.parametrize(
    ("pattern", "purl", "matches"),
    [
        ("pkg:deb/debian/curl", "pkg:deb/debian/curl@7.0-1?arch=amd64", True),
        ("pkg:deb/debian/curl", "pkg:deb/debian/curl-doc@7.0-1", False),
        ("pkg:deb/debian/curl@7.*", "pkg:deb/debian/curl@7.0-1?arch=amd64", True),
        ("pkg:deb/debian/curl@8.*", "pkg:deb/debian/curl@7.0-1", False),
        ("pkg:npm/@babel/core", "pkg:npm/%40babel/core@7.1.0", True),
        ("pkg:npm/@babel/*", "pkg:npm/%40babel/core@7.1.0", True),
        ("pkg:npm/@babel/core@7*", "pkg:npm/%40babel/core@7.1.0", True),
        ("pkg:deb/debian/libstdc++6", "pkg:deb/debian/libstdc%2B%2B6@12.2.0-14", True),
        ("pkg:deb/debian/curl@7.0-1?arch=amd64", "pkg:deb/debian/curl@7.0-1?arch=amd64&distro=debian-12", True),
        ("pkg:deb/debian/curl?arch=arm64", "pkg:deb/debian/curl@7.0-1?arch=amd64", False),
        ("pkg:deb/debian/curl@?.0-1", "pkg:deb/debian/curl@7.0-1?arch=amd64", True),
        ("pkg:pypi/Flask_Login", "pkg:pypi/flask-login@1.0", True),
        ("pkg:*/flask", "pkg:pypi/Flask@1.0", True),
        ("pkg:npm/JSONStream", "pkg:npm/jsonstream@1.0", True),
        ("pkg:maven/org/A", "pkg:maven/org/a@1.0", False),
        ("pkg:DEB/Debian/Curl", "pkg:deb/debian/curl@7.0-1", True),
        ("pkg:rpm/fedora/imagemagick", "pkg:rpm/fedora/ImageMagick@7.0-1", False),
        ("pkg:rpm/fedora/ImageMagick", "pkg:rpm/fedora/ImageMagick@7.0-1", True),
        ("pkg:*/*log4j*", "pkg:maven/org.apache.logging.log4j/log4j-core@2.0", True),
    ],
)
def test_globs_of_purls(pattern: str, purl: str, matches: bool) -> None:
    """Without a version or qualifiers every one matches; an npm scope is no version, encoding makes no difference."""
    assert purl_matcher(pattern)(purl) is matches


@pytest.mark.parametrize(
    ("pattern", "path", "matches"),
    [
        ("/usr/bin/curl", "/usr/bin/curl", True),
        ("/bin/curl", "/usr/bin/curl", True),
        ("/usr/bin/curl", "/bin/curl", True),
        ("/usr/**", "/usr/bin/curl", True),
        ("/usr/*", "/usr/bin/curl", False),
        ("/**/curl", "/usr/bin/curl", True),
        ("/etc/ssh/", "/etc/ssh/keys/id", True),
        ("/etc/ssh", "/etc/ssh/keys/id", False),
        ("/opt/[ab]", "/opt/a", True),
    ],
)
def test_globs_of_paths(pattern: str, path: str, matches: bool) -> None:
    """`*` stays within a directory, `**` crosses them, a trailing slash means all below, /bin is /usr/bin."""
    assert path_matcher(pattern)(path) is matches


# -- vulnerabilities --------------------------------------------------------------------------------------------------


def scanned(place: Path, comparison: Comparison, before: Sequence[Any], after: Sequence[Any]) -> Comparison:
    reports = grype(place, "vb.json", before), grype(place, "va.json", after)
    return with_vulnerabilities(comparison, *(read_report(str(path)) for path in reports))


def test_new_vulnerabilities(tmp_path: Path, grown: Comparison) -> None:
    """New ones at or above the severity fail, milder ones pass, unrated ones warn."""
    after = [match("curl", "7.0-1", "CVE-2024-1000", "Critical"), match("curl", "7.0-1", "CVE-2024-2000", "Medium"),
             match("curl", "7.0-1", "CVE-2024-3000", "Unknown")]  # fmt: skip
    comparison = scanned(tmp_path, grown, [], after)
    verdict = judged(comparison, "vulnerabilities: {new: high}\n")
    assert [(item.subject, item.rule, item.level) for item in verdict.findings] == [
        ("CVE-2024-1000", "vulnerabilities.new", "fail"),
        ("CVE-2024-3000", "vulnerabilities.unrated", "warn"),
    ]
    assert verdict.findings[0].where == "pkg:deb/debian/curl@7.0-1?arch=amd64&distro=debian-12"
    assert verdict.findings[0].fix == "upgrade to 9.9-1"
    assert judged(comparison, "").passed


def test_new_vulnerabilities_of_which_the_policy_says_nothing(tmp_path: Path, grown: Comparison) -> None:
    """One warning with their number and the worst severity; `new: allow` is what silences it."""
    after = [match("curl", "7.0-1", "CVE-2024-1000", "Critical"), match("curl", "7.0-1", "CVE-2024-2000", "Unknown")]
    comparison = scanned(tmp_path, grown, [], after)
    for text in ("", "vulnerabilities: {unseen: fail}\n", "vulnerabilities: {new: }\n"):
        finding = only(judged(comparison, text))
        assert (finding.rule, finding.level) == ("vulnerabilities.new", Level.WARN)
        assert finding.what.startswith("2 new vulnerabilities, the worst critical, and the policy does not say")
    assert judged(comparison, "vulnerabilities: {new: allow}\n").findings == ()
    unrated = judged(comparison, "vulnerabilities: {unrated: warn}\n").findings
    assert [item.what.partition(",")[0] for item in unrated if item.rule == "vulnerabilities.new"] == [
        "1 new vulnerability"
    ]


def test_a_scanner_that_did_not_look_at_the_system(tmp_path: Path, grown: Comparison) -> None:
    """Reports without findings of a scanner that recognised no distribution are no proof that nothing is new."""
    reports = [grype(tmp_path, f"v{at}.json", [], distro=None) for at in "ba"]
    comparison = with_vulnerabilities(grown, *(read_report(str(path)) for path in reports))
    finding = only(judged(comparison, "vulnerabilities: {new: high}\n"))
    assert (finding.rule, finding.level, finding.unknown) == ("vulnerabilities.new", Level.WARN, True)
    assert "says nothing of the system's packages" in finding.what
    assert judged(comparison, "vulnerabilities: {new: allow}\n").findings == ()
    seen = scanned(tmp_path, grown, [], [])
    assert judged(seen, "vulnerabilities: {new: high}\n").findings == ()


def test_the_worst_vulnerabilities_come_first(tmp_path: Path, grown: Comparison) -> None:
    """Among findings of one rule by severity, then by package."""
    after = [match("app", "1.0-1", "CVE-2024-1", "Medium"), match("curl", "7.0-1", "CVE-2024-2", "High"),
             match("dash", "0.5-1", "CVE-2024-3", "Critical"), match("app", "1.0-1", "CVE-2024-4", "High")]  # fmt: skip
    verdict = judged(scanned(tmp_path, grown, [], after), "vulnerabilities: {new: low}\n")
    assert [item.subject for item in verdict.findings] == ["CVE-2024-3", "CVE-2024-4", "CVE-2024-2", "CVE-2024-1"]


def test_no_reports_where_the_policy_wants_them(pruned: Comparison) -> None:
    """A policy about vulnerabilities fails when nobody looked for any."""
    assert only(judged(pruned, "vulnerabilities: {new: high}\n")).what == "no scanner reports were given"


def test_unseen_vulnerabilities(tmp_path: Path) -> None:
    """A finding that went away with the package's entry alone fails, and so does the hidden package itself."""
    hidden = comparison_of(tmp_path, [APP], programs("app", "dash"))
    comparison = scanned(tmp_path, hidden, [match("dash", "0.5-1", "CVE-2024-1000")], [])
    verdict = judged(comparison, "")
    assert rules(verdict) == [("visibility", "fail"), ("vulnerabilities.unseen", "fail")]
    assert "no longer reported, and not fixed" in verdict.findings[1].what
    assert judged(comparison, "visibility: allow\nvulnerabilities: {unseen: allow}\n").findings == ()
    assert judged(comparison, "visibility: warn\nvulnerabilities: {unseen: warn}\n").passed


def test_another_database_is_a_warning(tmp_path: Path, pruned: Comparison) -> None:
    """A finding that another database no longer has is no fix, and a failure only where the policy says so."""
    before = grype(tmp_path, "vb.json", [match("app", "1.0-1", "CVE-2024-1000")])
    after = grype(tmp_path, "va.json", [], descriptor={"name": "grype", "db": {"built": "2027"}})
    comparison = with_vulnerabilities(pruned, read_report(str(before)), read_report(str(after)))
    assert rules(judged(comparison, "")) == [("vulnerabilities.database", "warn")]
    assert not judged(comparison, "vulnerabilities: {database: fail}\n").passed
    assert judged(comparison, "vulnerabilities: {database: allow}\n").findings == ()


# -- visibility, conformity, licenses ---------------------------------------------------------------------------------


def test_visibility(tmp_path: Path) -> None:
    """A package whose entry is gone while files remain fails, and the files are named."""
    finding = only(judged(comparison_of(tmp_path, [APP], programs("app", "dash")), ""))
    assert (finding.rule, finding.level) == ("visibility", Level.FAIL)
    assert "/usr/bin/dash" in finding.what
    assert finding.where.startswith("pkg:deb/debian/dash@")


def test_visibility_of_a_version_that_only_its_entry_states(tmp_path: Path) -> None:
    """The finding names the package and both versions, and asks for no other input: both sides tell all."""
    same = {"bytes": 5, "digest": "sha256:1", "owner": TOOL}
    before, after = (
        made_side([inventoried(version=version, files=("/a",))], [regular("/a", **same)]) for version in ("1", "2")
    )
    finding = only(judged(compare(before, after), "visibility: {unknown: fail}\n"))
    assert finding.what.startswith("the version of tool moved from 1 to 2 while none of its files changed")
    assert (finding.where, finding.level) == ("pkg:deb/tool@2", Level.FAIL)
    assert "give the entry its version 1 back" in finding.fix
    assert "root filesystem" not in finding.fix


def test_conformity(pruned: Comparison) -> None:
    """What differs from the plan fails unless the policy allows it."""
    changes = (
        FileChange(path="/a", change=Change.ADDED, before=None, after=None),
        FileChange(path="/b", change=Change.REMOVED, before=None, after=None),
    )
    comparison = replace(pruned, conformity=changes)
    verdict = judged(comparison, "")
    assert [finding.what for finding in verdict.findings] == [
        "/a is there though the plan dropped it",
        "/b is missing though the plan keeps it",
    ]
    assert not verdict.passed
    assert judged(comparison, "conformity: allow\n").findings == ()


@pytest.mark.parametrize(
    ("text", "level"),
    [("conformity: fail", "fail"), ("conformity: warn", "warn"), ("", "warn"), ("conformity: allow", "")],
)
@pytest.mark.parametrize("listing", ["none", "partial"])
def test_conformity_of_what_does_not_list_every_file(
    tmp_path: Path, pruned: Comparison, text: str, level: str, listing: str
) -> None:
    """An SBOM that can't show that the image is as planned does not pass for one that does."""
    after = comparison_of(tmp_path, [APP], programs("app"), all_=False).after
    blind = replace(after, files=None) if listing == "none" else after
    verdict = judged(replace(pruned, after=blind, conformity=()), f"{text}\n")
    assert rules(verdict) == ([("conformity", level)] if level else [])
    assert all("does not list every file" in finding.what for finding in verdict.findings)
    wanted = "the policy wants the image to be" if text else "by default, since a plan is given"
    assert all(finding.why.startswith(wanted) for finding in verdict.findings)


def test_licenses(pruned: Comparison) -> None:
    """A license that is not allowed is a finding, and so is a package without one where the policy says so."""
    assert judged(pruned, "licenses: {allow: [MIT]}\n").findings == ()
    assert only(judged(pruned, "licenses: {deny: [MIT]}\n")).what == "app 1.0-1: MIT is not allowed"


def licensed(place: Path, *licenses: str) -> Comparison:
    app = package("app", "1.0-1", ["/usr/bin/app"], licenses=[{"value": text} for text in licenses])
    return comparison_of(place, [app, MIT], programs("app"), before=[MIT])


def test_licenses_of_one_package_are_one_finding_for_each_list(tmp_path: Path) -> None:
    """What `deny` names and what `allow` does not name point to their own keys."""
    comparison = licensed(tmp_path, "GPL-3.0-only", "GPL-3.0-or-later", "ISC", "MIT AND Zlib")
    found = judged(comparison, "licenses:\n  allow: [MIT, GPL-*]\n  deny: [GPL-3.0-*]\n").findings
    assert [(finding.what, finding.key) for finding in found] == [
        ("app 1.0-1: GPL-3.0-only, GPL-3.0-or-later are not allowed", "policy.yaml:4 licenses.deny"),
        ("app 1.0-1: ISC, Zlib (of 'MIT AND Zlib') are not allowed", "policy.yaml:3 licenses.allow"),
    ]


def test_a_license_of_no_assertion(tmp_path: Path) -> None:
    """NOASSERTION is no license that could be allowed or denied: none is stated."""
    finding = only(judged(licensed(tmp_path, "NOASSERTION"), "licenses: {allow: [MIT]}\n"))
    assert (finding.what, finding.level) == ("app 1.0-1: no license is stated", "warn")


def test_licenses_of_a_root(tmp_path: Path, pruned: Comparison) -> None:
    """A root has no word about the licenses of packages that no database of the system lists."""
    comparison = replace(pruned, after=replace(pruned.after, package_types=frozenset({"deb", "apk", "rpm"})))
    found = only(judged(comparison, "licenses: {allow: [MIT]}\n"))
    assert (found.what, found.level) == ("licenses of apk, deb, rpm packages alone can be told", "warn")
    assert not judged(comparison, "licenses: {allow: [MIT], unknown: fail}\n").passed
    assert judged(comparison, "licenses: {allow: [MIT], unknown: allow}\n").findings == ()


def test_a_package_without_a_license(grown: Comparison) -> None:
    """Packages that state none warn unless the policy says otherwise."""
    assert rules(judged(grown, "licenses: {}\n")) == [("licenses", "warn")] * 2
    assert not judged(grown, "licenses: {unknown: fail}\n").passed
    assert judged(grown, "licenses: {unknown: allow}\n").findings == ()


def test_licenses_of_a_side_that_states_none(tmp_path: Path, pruned: Comparison) -> None:
    """The same version has the licenses that it has before; where nobody states any there is one finding."""
    bare = package("app", "1.0-1", ["/usr/bin/app"])
    comparison = comparison_of(tmp_path, [bare], programs("app"))
    assert only(judged(comparison, "licenses: {deny: [MIT]}\n")).what == "app 1.0-1: MIT is not allowed"
    other = comparison_of(tmp_path, [bare, SHELL], programs("app", "dash"), before=[bare])
    assert only(judged(other, "licenses: {deny: [MIT]}\n")).what == "neither side states the license of any package"


# -- waivers ----------------------------------------------------------------------------------------------------------

WAIVER = "waivers: {{rule: {rule}, where: '{where}', reason: known, owner: team, expires: {expires}}}\n"


def test_a_waiver_covers_until_its_last_day(grown: Comparison) -> None:
    """A waived finding is listed and lets the gate pass; on the day after the waiver itself is a finding."""
    text = "forbid: [transfer]\n" + WAIVER.format(rule="forbid", where="/usr/bin/*", expires="2026-06-01")
    verdict = judged(grown, text)
    assert verdict.passed
    assert only(verdict).waiver == "known (team, until 2026-06-01)"
    late = judged(grown, text, today=date(2026, 6, 2))
    assert rules(late) == [("forbid", "fail"), ("waiver", "fail")]
    assert late.findings[1].what == "the waiver of forbid /usr/bin/* expired on 2026-06-01"


def test_an_expired_waiver_is_a_finding_by_itself(pruned: Comparison) -> None:
    """Also where there is nothing left that it would cover."""
    verdict = judged(pruned, WAIVER.format(rule="forbid", where="/**", expires="2020-01-01"))
    assert (only(verdict).rule, verdict.passed) == ("waiver", False)


@pytest.mark.parametrize("text", ["forbid: [capability]", "require: [capability]", "limits: {capability: 0}"])
def test_what_tells_capabilities(pruned: Comparison, text: str) -> None:
    """No SBOM does, however many files it lists: a root filesystem is asked for."""
    finding = only(judged(pruned, f"{text}\n"))
    assert finding.unknown
    assert finding.fix == "give a root filesystem: SBOMs and plans record no file capabilities"


def test_sections_that_hold(tmp_path: Path, pruned: Comparison) -> None:
    """A section is clean where it was judged and nothing was found by it; none is that nobody looked at."""
    text = "forbid: [pkg:deb/debian/curl]\nrequire: [/usr/bin/app]\nlicenses: {deny: GPL-3.0-*}\nconformity: fail\n"
    assert judged(pruned, text).clean == ("forbid", "require", "licenses", "visibility")
    looked = replace(scanned(tmp_path, pruned, [], []), conformity=())
    assert judged(looked, text).clean == (
        "forbid", "require", "vulnerabilities", "licenses", "visibility", "conformity",
    )  # fmt: skip
    allowed = "vulnerabilities: {new: allow, unseen: allow, unrated: allow, database: allow}\nconformity: allow\n"
    assert judged(looked, f"{allowed}visibility: allow\nforbid: [/usr/bin/app]\n").clean == ()


def test_an_idle_waiver_warns(pruned: Comparison) -> None:
    """A waiver that covers nothing is worth a word and no failure."""
    verdict = judged(pruned, WAIVER.format(rule="forbid", where="/**", expires="2030-01-01"))
    assert (only(verdict).level, verdict.passed) == (Level.WARN, True)


def test_a_waiver_of_a_whole_group_and_by_id(tmp_path: Path, grown: Comparison) -> None:
    """`limits` covers every limit; a vulnerability is named by its id."""
    text = "limits: {packages: 0}\n" + WAIVER.format(rule="limits", where="limits.*", expires="2030-01-01")
    assert judged(grown, text).passed
    comparison = scanned(tmp_path, grown, [], [match("curl", "7.0-1", "CVE-2024-1000")])
    text = "vulnerabilities: {new: low}\n" + WAIVER.format(
        rule="vulnerabilities.new", where="CVE-2024-1000", expires="2030-01-01"
    )
    assert judged(comparison, text).passed
    assert not judged(comparison, text.replace("-1000", "-1001")).passed


def test_a_waiver_by_another_id(tmp_path: Path, grown: Comparison) -> None:
    """A GHSA names the same vulnerability as its CVE."""
    comparison = scanned(tmp_path, grown, [], [match("curl", "7.0-1", "GHSA-aaaa", related=["CVE-2024-1000"])])
    text = "vulnerabilities: {new: low}\n" + WAIVER.format(
        rule="vulnerabilities.new", where="GHSA-aaaa", expires="2030-01-01"
    )
    verdict = judged(comparison, text)
    assert [(finding.level, finding.subject) for finding in verdict.findings] == [(Level.WAIVED, "CVE-2024-1000")]


def test_two_waivers_of_one_finding(grown: Comparison) -> None:
    """Both cover it, so that neither is said to cover nothing; a reason of several lines is told in one."""
    text = """\
forbid: [transfer]
waivers:
  - rule: forbid
    where: /usr/bin/curl
    reason: >
      the probe
      needs it
    owner: team
    expires: 2030-01-01
  - {rule: forbid, where: /usr/**, reason: known, owner: others, expires: 2030-01-01}
"""
    finding = only(judged(grown, text))
    assert finding.waiver == "the probe needs it (team, until 2030-01-01); known (others, until 2030-01-01)"


def test_a_glob_of_a_waiver_is_one_of_forbid(grown: Comparison) -> None:
    """`*` stays within a directory and a purl without a version names every version, as elsewhere in the policy."""
    text = "forbid: [transfer, 'pkg:deb/debian/curl']\n"

    def levels(where: str) -> list[Level]:
        verdict = judged(grown, text + WAIVER.format(rule="forbid", where=where, expires="2030-01-01"))
        return [finding.level for finding in verdict.findings if finding.rule == "forbid"]

    assert levels("/usr/*") == [Level.FAIL, Level.FAIL]
    assert levels("/**") == [Level.FAIL, Level.WAIVED]
    assert levels("pkg:deb/debian/curl") == [Level.FAIL, Level.WAIVED]
    assert levels("*curl*") == [Level.FAIL, Level.FAIL]


def test_a_waiver_of_a_path_with_brackets(tmp_path: Path) -> None:
    """The very name comes first, whatever it would mean as a glob."""
    comparison = comparison_of(tmp_path, [APP, SHELL], [*programs("app", "dash"), program("/app/[id].js")])
    text = "forbid: [/app/**]\n" + WAIVER.format(rule="forbid", where="/app/[id].js", expires="2030-01-01")
    assert rules(judged(comparison, text)) == [("forbid", "waived")]


@pytest.mark.parametrize(
    ("rule", "where", "waived"),
    [("limits", "limits.*", False), ("limits.files", "limits.files", True), ("limits.files", "limits.f*", False),
     ("limits", "limits.files", True)],
)  # fmt: skip
def test_what_nobody_looked_at_is_waived_by_name(tmp_path: Path, rule: str, where: str, waived: bool) -> None:
    """A finding about what can't be told is covered by its exact name alone."""
    comparison = comparison_of(tmp_path, [APP], programs("app"), all_=False)
    text = "limits: {files: 100}\nvisibility: allow\n" + WAIVER.format(rule=rule, where=where, expires="2030-01-01")
    assert judged(comparison, text).passed is waived
    bare = "waivers: {rule: limits.files, reason: a, owner: b, expires: 2030-01-01}\n"
    assert not judged(comparison, f"limits: {{files: 100}}\nvisibility: allow\n{bare}").passed


def test_a_limit_is_waived_by_its_rule(grown: Comparison) -> None:
    """One limit needs no `where`, and no other one is covered."""
    bare = "waivers: {rule: limits.packages, reason: a, owner: b, expires: 2030-01-01}\n"
    assert judged(grown, "limits: {packages: 0}\n" + bare).passed
    assert not judged(grown, "limits: {packages: 0, files: 0}\n" + bare).passed


# -- what a policy asks for and nobody looked at ----------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("vulnerabilities: {unseen: fail}", [("vulnerabilities.unseen", "fail")]),
        ("vulnerabilities: {unseen: warn}", [("vulnerabilities.unseen", "warn")]),
        ("vulnerabilities: {unrated: fail}", [("vulnerabilities.unrated", "fail")]),
        ("vulnerabilities: {new: high, unseen: warn}", [("vulnerabilities.new", "fail")]),
        ("vulnerabilities: {unseen: allow}", []),
        ("conformity: fail", [("conformity", "fail")]),
        ("conformity: warn", [("conformity", "warn")]),
        ("conformity: allow", []),
        ("", []),
    ],
)
def test_keys_that_need_a_further_input(pruned: Comparison, text: str, expected: list[tuple[str, str]]) -> None:
    """What a policy states is not passed over where the reports or the plan that it takes were not given."""
    assert rules(judged(pruned, f"{text}\n")) == expected


def test_unrated_alone(tmp_path: Path, grown: Comparison) -> None:
    """A policy may be about new vulnerabilities that nobody has rated, and no others."""
    after = [match("curl", "7.0-1", "CVE-2024-1000", "Critical"), match("curl", "7.0-1", "CVE-2024-3000", "Unknown")]
    comparison = scanned(tmp_path, grown, [], after)
    found = judged(comparison, "vulnerabilities: {new: allow, unrated: fail}\n").findings
    assert [(item.subject, item.rule, item.level) for item in found] == [
        ("CVE-2024-3000", "vulnerabilities.unrated", "fail")
    ]


def test_visibility_that_cannot_be_told(tmp_path: Path) -> None:
    """Whether files of a removed package remain fails where the policy wants it known."""
    comparison = comparison_of(tmp_path, [APP], programs("app"), all_=False)
    assert rules(judged(comparison, "")) == [("visibility", "warn")]
    assert rules(judged(comparison, "visibility: {unknown: fail}\n")) == [("visibility", "fail")]
    assert judged(comparison, "visibility: {unknown: allow}\n").findings == ()


def test_licenses_that_spdx_does_not_know(tmp_path: Path) -> None:
    """They are one finding of the package, of the level of what is unknown."""
    words = [{"value": word, "spdxExpression": "", "type": "declared"} for word in ("ours", "public-domain", "MIT")]
    named = package("app", "1.0-1", ["/usr/bin/app"], licenses=words)
    comparison = comparison_of(tmp_path, [named], programs("app"))
    finding = only(judged(comparison, "licenses: {deny: [AGPL-3.0-*], unknown: fail}\n"))
    assert finding.what == "app 1.0-1: 'ours', 'public-domain' are unknown to SPDX"
    assert finding.level is Level.FAIL


# -- the policy to start from -----------------------------------------------------------------------------------------


def test_a_baseline_passes_its_starter_policy(tmp_path: Path) -> None:
    """The starter policy is sound, and what it was made from passes it against itself without findings."""
    path = sbom(tmp_path, "base.json", [APP, SHELL], programs("app", "dash", "su"))
    comparison = compared(path, path)
    text = starter_policy(comparison.after, comparison.surface_after)
    policy = policy_of(text)
    assert {limit.name for limit in policy.limits} == {"packages", "files", "megabytes", "setuid", "executables"}
    assert evaluate(comparison, policy, today=TODAY).findings == ()
    assert "shell" not in [selector.pattern for selector in policy.forbid]
    assert "compiler" in [selector.pattern for selector in policy.forbid]


def test_a_starter_policy_of_what_lists_no_files(tmp_path: Path) -> None:
    """Limits that the baseline can't be held against are comments."""
    content = {"bomFormat": "CycloneDX", "specVersion": "1.6", "version": 1,
               "components": [{"type": "library", "name": "a", "version": "1", "purl": "pkg:deb/debian/a@1"}]}  # fmt: skip
    path = tmp_path / "\x1b[31m.json"
    path.write_text(json.dumps(content))
    comparison = compared(path, path)
    text = starter_policy(comparison.after, comparison.surface_after)
    assert text.replace("\n", "").isprintable()
    policy = policy_of(text)
    assert [limit.name for limit in policy.limits] == ["packages"]
    assert evaluate(comparison, policy, today=TODAY).passed


def test_hostile_names_are_escaped(tmp_path: Path) -> None:
    """No finding carries a control character, whatever packages and files are called."""
    evil = package("e\x1b[31mvil", "1\x07", ["/usr/bin/e\nvil"])
    comparison = comparison_of(tmp_path, [APP, evil], [*programs("app"), program("/usr/bin/e\nvil")])
    verdict = judged(
        comparison, "forbid: ['pkg:deb/**', '/**/e*', executable]\nlicenses: {deny: [MIT]}\nlimits: {files: 0}\n"
    )
    assert len(verdict.findings) > 4
    for finding in verdict.findings:
        for text in (finding.what, finding.where, finding.why, finding.fix, finding.key):
            assert text.isprintable(), finding
