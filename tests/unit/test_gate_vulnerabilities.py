"""What became of vulnerabilities between two reports."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import date
from pathlib import Path
from typing import Any

import pytest

from pruner.errors import InputError
from pruner.gate.compare import compare
from pruner.gate.evaluate import evaluate
from pruner.gate.policy import policy_of
from pruner.gate.sides import read_side
from pruner.gate.types import Change, Comparison, Fate, PackageKey, Vulnerability
from pruner.gate.vulnerabilities import with_vulnerabilities
from pruner.gate.vulnerabilities.aliases import united_names
from pruner.gate.vulnerabilities.scanners import read_report
from tests.unit.gates import compared, grype, match, package, sbom
from tests.unit.sboms import document, entry
from tests.unit.sides import file_of, made_side, other, side, written
from tests.unit.sides import package as made_package

Matches = Sequence[Mapping[str, Any]]
LIBZ = package("zlib1g", "1.0-1", ["/usr/lib/libz.so.1"])
CURL = package("curl", "7.0-1", ["/usr/bin/curl", "/usr/share/doc/curl/copyright"])
OTHER_DATABASE = {
    "descriptor": {"name": "grype", "version": "0.100.0", "db": {"status": {"built": "2026-03-03T00:00:00Z"}}}
}


def judged(
    place: Path,
    before: Matches,
    after: Matches,
    *,
    packages: Sequence[Any] = (LIBZ, CURL),
    left: Sequence[Any] = (LIBZ,),
    others: Sequence[Any] = (),
    **fields: Any,
) -> Comparison:
    """The comparison of an image of zlib1g and curl with one that has `left`; `fields` are of the second report."""
    one = sbom(place, "before.json", packages)
    other = sbom(place, "after.json", left, others)
    reports = grype(place, "vb.json", before), grype(place, "va.json", after, **fields)
    return with_vulnerabilities(compared(one, other), *(read_report(str(path)) for path in reports))


def fates(comparison: Comparison) -> list[tuple[str, str]]:
    assert comparison.vulnerabilities is not None
    return [(change.vulnerability.id, change.fate) for change in comparison.vulnerabilities]


def test_removed_unchanged_and_new(tmp_path: Path) -> None:
    """A finding is fixed by removal when package and files are gone, unchanged or new when the report says so."""
    kept = match("zlib1g", "1.0-1", "CVE-2024-1000")
    gone = match("curl", "7.0-1", "CVE-2024-2000")
    come = match("zlib1g", "1.0-1", "CVE-2024-3000")
    comparison = judged(tmp_path, [kept, gone], [kept, come])
    assert fates(comparison) == [
        ("CVE-2024-2000", Fate.REMOVED),
        ("CVE-2024-3000", Fate.NEW),
        ("CVE-2024-1000", Fate.UNCHANGED),
    ]


def test_fixed_by_upgrade(tmp_path: Path) -> None:
    """A newer version without the finding is a fix by upgrade; an older one is said to be older."""
    newer = package("zlib1g", "1.2-1", ["/usr/lib/libz.so.1"])
    found = match("zlib1g", "1.0-1", "CVE-2024-1000")
    other_code = [file_of("/usr/lib/libz.so.1", "other")]
    upgraded = judged(tmp_path, [found], [], left=[newer], others=other_code)
    assert fates(upgraded) == [("CVE-2024-1000", Fate.UPGRADED)]
    older = match("zlib1g", "1.2-1", "CVE-2024-1000")
    downgraded = judged(tmp_path, [older], [], packages=[newer], left=[LIBZ], others=other_code)
    assert fates(downgraded) == [("CVE-2024-1000", Fate.DOWNGRADED)]


def test_another_version_of_the_same_files(tmp_path: Path) -> None:
    """An entry of another version whose files are what they were is no fix: somebody edited the database."""
    newer = package("zlib1g", "1.2-1", ["/usr/lib/libz.so.1"])
    comparison = judged(tmp_path, [match("zlib1g", "1.0-1", "CVE-2024-1000")], [], left=[newer])
    assert fates(comparison) == [("CVE-2024-1000", Fate.UNKNOWN)]
    assert comparison.vulnerabilities is not None
    detail = "the entry's version moved from 1.0-1 to 1.2-1, and none of the package's files changed"
    assert comparison.vulnerabilities[0].detail == detail
    verdict = evaluate(comparison, policy_of("version: 1\n"), today=date(2026, 6, 1))
    (finding,) = (finding for finding in verdict.findings if finding.rule == "vulnerabilities.unseen")
    assert finding.fix.startswith("install the version that the entry states")


def test_another_version_of_what_was_left_of_a_package(tmp_path: Path) -> None:
    """Files that were cut off at the same time make an edited version no fix."""
    was = package("zlib1g", "1.0-1", ["/usr/bin/minizip", "/usr/lib/libz.so.1"])
    now = package("zlib1g", "1.2-1", ["/usr/lib/libz.so.1"])
    comparison = judged(tmp_path, [match("zlib1g", "1.0-1", "CVE-2024-1000")], [], packages=[was], left=[now])
    (change,) = comparison.packages
    assert (change.change, change.visibility) == (Change.UPGRADED, "unknown")
    assert fates(comparison) == [("CVE-2024-1000", Fate.UNKNOWN)]


def test_an_upgrade_that_fixes_nothing(tmp_path: Path) -> None:
    """The same vulnerability in another version of the package is unchanged, not fixed and new."""
    newer = package("zlib1g", "1.2-1", ["/usr/lib/libz.so.1"])
    before, after = match("zlib1g", "1.0-1", "CVE-2024-1000"), match("zlib1g", "1.2-1", "CVE-2024-1000")
    assert fates(judged(tmp_path, [before], [after], left=[newer])) == [("CVE-2024-1000", Fate.UNCHANGED)]


def test_unseen_when_files_remain(tmp_path: Path) -> None:
    """A package whose entry is gone while its files remain is invisible, and its findings are not fixed."""
    from tests.unit.gates import program

    rest = [program("/usr/bin/curl")]
    comparison = judged(tmp_path, [match("curl", "7.0-1", "CVE-2024-2000")], [], others=rest)
    assert fates(comparison) == [("CVE-2024-2000", Fate.UNSEEN)]
    assert comparison.vulnerabilities is not None
    assert "1 file of its code or data remains" in comparison.vulnerabilities[0].detail


def test_database_differs(tmp_path: Path) -> None:
    """A finding that is gone while its version is still there is another database's doing, and both are noted."""
    found = match("zlib1g", "1.0-1", "CVE-2024-1000")
    comparison = judged(tmp_path, [found], [], **OTHER_DATABASE)
    assert fates(comparison) == [("CVE-2024-1000", Fate.DATABASE)]
    assert any("databases differ: v6.1.0 2026-01-02T03:04:05Z and 2026-03-03" in note for note in comparison.notes)


def test_one_database_that_no_longer_finds(tmp_path: Path) -> None:
    """With one database a finding that is gone from a version that is there is unseen: the scanner looks elsewhere."""
    assert fates(judged(tmp_path, [match("zlib1g", "1.0-1", "CVE-2024-1000")], [])) == [("CVE-2024-1000", Fate.UNSEEN)]


def test_a_blind_scanner(tmp_path: Path) -> None:
    """Without a recognised distribution findings of packages that are there are unseen."""
    found = match("zlib1g", "1.0-1", "CVE-2024-1000")
    comparison = judged(tmp_path, [found], [], distro={"name": ""}, **OTHER_DATABASE)
    assert fates(comparison) == [("CVE-2024-1000", Fate.UNSEEN)]
    assert any("recognised no distribution" in note for note in comparison.notes)


def test_silenced_is_not_fixed(tmp_path: Path) -> None:
    """A finding that the scanner was told to ignore is unchanged, and the reader is told."""
    found = match("zlib1g", "1.0-1", "CVE-2024-1000")
    comparison = judged(tmp_path, [found], [], ignoredMatches=[found])
    assert fates(comparison) == [("CVE-2024-1000", Fate.UNCHANGED)]
    assert any("told to ignore 1 finding" in note for note in comparison.notes)


def test_aliases_are_one_vulnerability(tmp_path: Path) -> None:
    """CVE and GHSA of one vulnerability are one, whichever of the reports knows both names."""
    before = match("zlib1g", "1.0-1", "GHSA-aaaa-bbbb-cccc", related=["CVE-2024-1000"])
    after = match("zlib1g", "1.0-1", "CVE-2024-1000", "Critical")
    comparison = judged(tmp_path, [before, after], [match("zlib1g", "1.0-1", "GHSA-aaaa-bbbb-cccc")])
    assert fates(comparison) == [("CVE-2024-1000", Fate.UNCHANGED)]
    assert comparison.vulnerabilities is not None
    assert comparison.vulnerabilities[0].vulnerability.severity == "critical"
    assert "GHSA-aaaa-bbbb-cccc" in comparison.vulnerabilities[0].vulnerability.aliases


def test_an_advisory_of_several_cves_unites_none(tmp_path: Path) -> None:
    """A DSA that fixes two CVEs stands for both, and the two stay two."""
    both = match("zlib1g", "1.0-1", "DSA-5000-1", related=["CVE-2024-1000", "CVE-2024-2000"])
    comparison = judged(tmp_path, [both], [match("zlib1g", "1.0-1", "CVE-2024-2000")], **OTHER_DATABASE)
    assert sorted(fates(comparison)) == [("CVE-2024-1000", Fate.DATABASE), ("CVE-2024-2000", Fate.UNCHANGED)]


def test_two_scanners(tmp_path: Path) -> None:
    """Reports of two scanners can't be compared."""
    with pytest.raises(InputError, match=r"written by other, but .*vb\.json by grype"):
        judged(tmp_path, [], [], descriptor={"name": "other"})


def test_two_versions_of_a_scanner_are_noted(tmp_path: Path) -> None:
    """Another version of the same scanner is a note."""
    comparison = judged(tmp_path, [], [], descriptor={"name": "grype", "version": "0.99.0"})
    assert "the reports are of two versions of grype: 0.100.0 and 0.99.0" in comparison.notes
    silent = f"{tmp_path}/va.json: grype does not say there which vulnerability database it used"
    assert [note for note in comparison.notes if "database" in note] == [silent]


def test_a_report_for_other_packages(tmp_path: Path) -> None:
    """A report whose packages the side does not hold is about another image."""
    others = [match(name, "3", "CVE-2024-1") for name in ("bash", "dash", "zsh")]
    with pytest.raises(InputError, match=r"about another image than before\.json: 3 of its 3 packages are not there"):
        judged(tmp_path, others, [])


def test_swapped_reports(tmp_path: Path) -> None:
    """The report of before given for after is found out by what is no longer there."""
    before = [match("curl", "7.0-1", f"CVE-2024-{number}") for number in range(2000, 2003)]
    with pytest.raises(InputError) as raised:
        judged(tmp_path, [], before)
    assert "swap --vulns-before and --vulns-after" in raised.value.hint


def test_one_package_more_than_the_side_lists(tmp_path: Path) -> None:
    """A package that only the scanner sees is a note, and its finding can't be told to be fixed."""
    before = [
        match("zlib1g", "1.0-1", "CVE-2024-1"),
        match("curl", "7.0-1", "CVE-2024-2"),
        match("go", "1", "CVE-2024-3"),
    ]
    comparison = judged(tmp_path, before, [])
    assert ("CVE-2024-3", Fate.UNKNOWN) in fates(comparison)
    assert any("1 of its 3 packages are unknown to before.json: go 1" in note for note in comparison.notes)


def test_a_report_for_another_distribution(tmp_path: Path) -> None:
    """Another distribution, or another release of it, is another image."""
    with pytest.raises(InputError, match=r"about alpine 3\.20, but after\.json is debian 12"):
        judged(tmp_path, [], [], distro={"name": "alpine", "version": "3.20"})
    with pytest.raises(InputError, match="about debian 11"):
        judged(tmp_path, [], [], distro={"name": "debian", "version": "11"})
    assert fates(judged(tmp_path, [], [], distro={"name": "debian", "version": "12.5"})) == []


def test_a_report_for_another_digest(tmp_path: Path) -> None:
    """A report that states another digest than the SBOM's image is refused."""
    source = {"id": "x", "name": "i", "version": "", "type": "image",
              "metadata": {"userInput": "i", "manifestDigest": f"sha256:{'a' * 64}"}}  # fmt: skip
    one = sbom(tmp_path, "before.json", [LIBZ], source=source)
    target = {"userInput": "i", "manifestDigest": f"sha256:{'b' * 64}"}
    report = read_report(str(grype(tmp_path, "v.json", [], source={"type": "image", "target": target})))
    with pytest.raises(InputError, match="about another image than the before side: sha256:bbbb"):
        with_vulnerabilities(compared(one, one), report, report)


@pytest.mark.parametrize(
    ("kind", "scanner"), [("manifestDigest", "grype"), ("imageID", "grype"), ("manifestDigest", "trivy")]
)
def test_a_digest_proves_the_image(tmp_path: Path, kind: str, scanner: str) -> None:
    """Where a digest is the same a report on packages that the side does not know is about it all the same."""
    digest = f"sha256:{'a' * 64}"
    source = {"id": "x", "name": "i", "version": "", "type": "image", "metadata": {"userInput": "i", kind: digest}}
    one = sbom(tmp_path, "before.json", [LIBZ], source=source)
    found = [match("tool", "1.0-1", "CVE-2024-1000")]
    target = {"type": "image", "target": {"userInput": "i", kind: digest}}
    report = read_report(str(grype(tmp_path, "v.json", found, source=target)))
    comparison = with_vulnerabilities(compared(one, one), *[replace(report, scanner=scanner)] * 2)
    assert fates(comparison) == [("CVE-2024-1000", Fate.UNCHANGED)]
    assert any("1 of its 1 packages are unknown to before.json: tool 1.0-1" in note for note in comparison.notes)


def test_a_report_for_another_sbom(tmp_path: Path) -> None:
    """A CycloneDX report with BOM-Links to another serial number is refused."""
    content = {
        "bomFormat": "CycloneDX",
        "serialNumber": "urn:uuid:3ff14136-e09f-4df9-80ea-000000000010",
        "specVersion": "1.6",
        "components": [{"type": "library", "name": "a", "version": "1", "bom-ref": "a", "purl": "pkg:deb/debian/a@1"}],
    }
    (tmp_path / "s.cdx.json").write_text(json.dumps(content))
    link = "urn:cdx:3ff14136-e09f-4df9-80ea-000000000099/1#pkg%3Adeb%2Fdebian%2Fa%401"
    report = {"bomFormat": "CycloneDX", "vulnerabilities": [{"id": "CVE-1", "affects": [{"ref": link}]}]}
    (tmp_path / "v.json").write_text(json.dumps(report))
    side, read = tmp_path / "s.cdx.json", read_report(str(tmp_path / "v.json"))
    with pytest.raises(InputError, match="refers to the SBOM urn:uuid:3ff14136-e09f-4df9-80ea-000000000099"):
        with_vulnerabilities(compared(side, side), read, read)


# -- files that another package took over -------------------------------------------------------------------------


SSL = package("libssl3", "3.0.1-1", ["/usr/lib/libssl.so.3", "/usr/share/doc/libssl3/copyright"])


def renamed(version: str, *paths: str) -> dict[str, Any]:
    return package("libssl3t64", version, paths or ["/usr/lib/libssl.so.3"])


def test_a_renamed_package_with_the_same_vulnerability(tmp_path: Path) -> None:
    """What is reported for the package that has the files of a removed one is neither fixed nor new."""
    found = match("libssl3", "3.0.1-1", "CVE-2024-1000")
    again = match("libssl3t64", "3.2.0-1", "CVE-2024-1000")
    comparison = judged(tmp_path, [found], [again], packages=[SSL, LIBZ], left=[renamed("3.2.0-1"), LIBZ])
    assert fates(comparison) == [("CVE-2024-1000", Fate.UNCHANGED)]
    assert comparison.vulnerabilities is not None
    assert comparison.vulnerabilities[0].detail == "libssl3t64 3.2.0-1 has its files now, and is reported for it"
    apart = judged(tmp_path, [found], [again], packages=[SSL, LIBZ], left=[renamed("3.2.0-1", "/usr/lib/y.so"), LIBZ])
    assert fates(apart) == [("CVE-2024-1000", Fate.REMOVED), ("CVE-2024-1000", Fate.NEW)]


@pytest.mark.parametrize(
    ("version", "fate"), [("3.2.0-1", Fate.UPGRADED), ("3.0.0-1", Fate.DOWNGRADED), ("3.0.1-1", Fate.UNKNOWN)]
)
def test_a_renamed_package_without_the_vulnerability(tmp_path: Path, version: str, fate: Fate) -> None:
    """Files that another package has now are not removed: its version says whether that is a fix."""
    found = match("libssl3", "3.0.1-1", "CVE-2024-1000")
    comparison = judged(tmp_path, [found], [], packages=[SSL, LIBZ], left=[renamed(version), LIBZ])
    assert fates(comparison) == [("CVE-2024-1000", fate)]
    assert comparison.vulnerabilities is not None
    assert comparison.vulnerabilities[0].detail.startswith(f"libssl3t64 {version} has its files now")


def test_two_packages_of_one_source_that_became_one(tmp_path: Path) -> None:
    """One vulnerability of two packages whose files a third one has is unchanged in both."""
    crypto = package("libcrypto3", "3.0.1-1", ["/usr/lib/libcrypto.so.3"])
    found = [match(name, "3.0.1-1", "CVE-2024-1000") for name in ("libssl3", "libcrypto3")]
    left = [renamed("3.2.0-1", "/usr/lib/libssl.so.3", "/usr/lib/libcrypto.so.3"), LIBZ]
    again = match("libssl3t64", "3.2.0-1", "CVE-2024-1000")
    comparison = judged(tmp_path, found, [again], packages=[SSL, crypto, LIBZ], left=left)
    assert fates(comparison) == [("CVE-2024-1000", Fate.UNCHANGED)] * 2


# -- several versions, links, keys that differ ------------------------------------------------------------------------


def npm(name: str, version: str, directory: str) -> dict[str, Any]:
    """An npm package in `directory`."""
    purl = f"pkg:npm/{name.replace('@', '%40')}@{version}"
    return other("npm", name, version, f"{directory}/package.json", purl, metadataType="javascript-npm-package",
                 metadata={"name": name, "version": version})  # fmt: skip


def npm_match(name: str, version: str, vulnerability: str) -> dict[str, Any]:
    purl = f"pkg:npm/{name.replace('@', '%40')}@{version}"
    artifact = {"name": name, "version": version, "type": "npm", "purl": purl}
    return {"vulnerability": {"id": vulnerability, "severity": "High"}, "artifact": artifact}


def lodash(place: Path, *, after: Sequence[str], packages: Sequence[Any], before: Matches, now: Matches) -> Comparison:
    """Two lodash of two versions and a third package before; the files named `after` and `packages` after."""
    paths = [f"/{place}/node_modules/{name}" for place, name in (("a", "lodash"), ("b", "lodash"), ("c", "zz"))]
    directories = [entry(path, "Directory", mode=755) for path in paths]
    files = [file_of(f"{path}/{name}", path + name) for path in paths for name in ("package.json", "index.js")]
    one = written(place, document([LODASH_20, LODASH_21, ZZ], [*directories, *files]), "before.json")
    left = [item for item in files if item["location"]["path"] in after]
    two = written(place, document(list(packages), [*directories, *left]), "after.json")
    reports = grype(place, "vb.json", before, distro=None), grype(place, "va.json", now, distro=None)
    comparison = compare(read_side(one), read_side(two))
    return with_vulnerabilities(comparison, *(read_report(str(path)) for path in reports))


LODASH_20 = npm("lodash", "4.17.20", "/a/node_modules/lodash")
LODASH_21 = npm("lodash", "4.17.21", "/b/node_modules/lodash")
ZZ = npm("zz", "1.0.0", "/c/node_modules/zz")
OLD_CODE, NEW_CODE = "/a/node_modules/lodash/index.js", "/b/node_modules/lodash/index.js"
NEW, THIRD = "/b/node_modules/lodash/package.json", "/c/node_modules/zz/package.json"


def test_each_version_of_a_package_has_its_own_fate(tmp_path: Path) -> None:
    """Of two versions that lost their entries one left its code behind: its finding alone is unseen."""
    found = [npm_match("lodash", "4.17.20", "CVE-2024-1000"), npm_match("lodash", "4.17.21", "CVE-2024-2000")]
    comparison = lodash(tmp_path, after=[OLD_CODE, THIRD], packages=[ZZ], before=found, now=[])
    assert sorted(fates(comparison)) == [("CVE-2024-1000", Fate.UNSEEN), ("CVE-2024-2000", Fate.REMOVED)]


def test_a_version_that_is_left_does_not_hide_another_ones_files(tmp_path: Path) -> None:
    """Where another version of the package stays, the one that went is a fix only when its files went with it."""
    found = [npm_match("lodash", "4.17.20", "CVE-2024-1000")]
    rest = [NEW, NEW_CODE, THIRD]
    hidden = lodash(tmp_path, after=[OLD_CODE, *rest], packages=[LODASH_21, ZZ], before=found, now=[])
    assert fates(hidden) == [("CVE-2024-1000", Fate.UNSEEN)]
    assert hidden.vulnerabilities is not None
    assert hidden.vulnerabilities[0].detail == "the package's entry is gone, 1 file of its code or data remains"
    gone = lodash(tmp_path, after=rest, packages=[LODASH_21, ZZ], before=found, now=[])
    assert fates(gone) == [("CVE-2024-1000", Fate.REMOVED)]


def test_versions_are_paired_as_the_comparison_has_them(tmp_path: Path) -> None:
    """Of two vulnerable versions the one that became the vulnerable one is unchanged; the other was removed."""
    older = [
        npm("lodash", version, f"/{place}/node_modules/lodash") for version, place in (("9.0.0", "a"), ("10.0.0", "b"))
    ]
    newer = npm("lodash", "10.1.0", "/a/node_modules/lodash")
    files = [
        file_of(f"/{place}/node_modules/lodash/{name}", place + name)
        for place in "ab"
        for name in ("package.json", "index.js")
    ]
    one = written(tmp_path, document(older, files), "before.json")
    two = written(tmp_path, document([newer], files[:2]), "after.json")
    before = [npm_match("lodash", version, "CVE-2024-1000") for version in ("9.0.0", "10.0.0")]
    now = [npm_match("lodash", "10.1.0", "CVE-2024-1000")]
    reports = grype(tmp_path, "vb.json", before, distro=None), grype(tmp_path, "va.json", now, distro=None)
    comparison = compare(read_side(one), read_side(two))
    judged_ = with_vulnerabilities(comparison, *(read_report(str(path)) for path in reports)).vulnerabilities
    assert judged_ is not None
    assert [(item.fate, item.vulnerability.version) for item in judged_] == [
        (Fate.REMOVED, "10.0.0"), (Fate.UNCHANGED, "9.0.0"),
    ]  # fmt: skip


def test_one_version_that_goes_does_not_excuse_another_one(tmp_path: Path) -> None:
    """A finding in a version that was always there is new, also when one in a removed version went away."""
    comparison = lodash(
        tmp_path, after=[NEW, NEW_CODE, THIRD], packages=[LODASH_21, ZZ],
        before=[npm_match("lodash", "4.17.20", "CVE-2024-1000")], now=[npm_match("lodash", "4.17.21", "CVE-2024-1000")],
    )  # fmt: skip
    assert fates(comparison) == [("CVE-2024-1000", Fate.REMOVED), ("CVE-2024-1000", Fate.NEW)]


@pytest.mark.parametrize(
    ("kind", "version", "key"),
    [
        ("pip", "1.0", "pypi"),
        ("gobinary", "v1.0", "golang"),
        ("go-module", "go1.0", "golang"),
        ("pnpm", "1.0", "npm"),
        ("dotnet", "1.0", "nuget"),
    ],
)
def test_packages_without_a_purl(tmp_path: Path, kind: str, version: str, key: str) -> None:
    """A scanner's word for the ecosystem, and its way to write the version, lead to the side's package."""
    one = made_side([made_package(PackageKey(key, "", "json", ""), "1.0")])
    artifact = {"name": "json", "version": version, "type": kind}
    found = {"vulnerability": {"id": "CVE-2024-1000", "severity": "High"}, "artifact": artifact}
    report = read_report(str(grype(tmp_path, "v.json", [found], distro=None)))
    comparison = with_vulnerabilities(compare(one, one), report, report)
    assert fates(comparison) == [("CVE-2024-1000", Fate.UNCHANGED)]
    assert not any("unknown to" in note for note in comparison.notes)


def test_a_new_finding_in_what_no_side_lists(tmp_path: Path) -> None:
    """That the scanner alone sees a package does not make the package new."""
    found = [match("zlib1g", "1.0-1", "CVE-2024-1000"), match("zlib1g", "1.0-1", "CVE-2024-2000")]
    tool = match("tool", "1.0-1", "CVE-2024-3000")
    comparison = judged(tmp_path, found, [*found, tool])
    assert comparison.vulnerabilities is not None
    (new,) = (change for change in comparison.vulnerabilities if change.fate is Fate.NEW)
    assert new.detail == "neither side lists the package in this version"


def test_a_rating_that_changed(tmp_path: Path) -> None:
    """A vulnerability that is rated otherwise now is unchanged, and its new rating is named."""
    found = [match("zlib1g", "1.0-1", "CVE-2024-1000", severity) for severity in ("Low", "Critical")]
    comparison = judged(tmp_path, found[:1], found[1:])
    assert fates(comparison) == [("CVE-2024-1000", Fate.UNCHANGED)]
    assert comparison.vulnerabilities is not None
    assert comparison.vulnerabilities[0].detail == "rated critical now"


def test_a_package_whose_code_was_never_known(tmp_path: Path) -> None:
    """A removed manifest whose package is not known by any file of code is no fix."""
    files = [file_of("/usr/share/gems/json.gemspec", "spec"), file_of("/usr/lib/ruby/json.rb", "code")]
    gem = other("gem", "json", "2.6.1", "/usr/share/gems/json.gemspec", "pkg:gem/json@2.6.1")
    before, after = side(tmp_path, [gem, LIBZ], files), side(tmp_path, [LIBZ], files[1:])
    artifact = {"name": "json", "version": "2.6.1", "type": "gem", "purl": "pkg:gem/json@2.6.1"}
    found = {"vulnerability": {"id": "CVE-2024-1000", "severity": "High"}, "artifact": artifact}
    reports = (read_report(str(grype(tmp_path, name, items))) for name, items in (("vb", [found]), ("va", [])))
    assert fates(with_vulnerabilities(compare(before, after), *reports)) == [("CVE-2024-1000", Fate.UNKNOWN)]


def test_a_key_that_one_side_spells_in_another_way(tmp_path: Path) -> None:
    """A package without an architecture after is the one that has one before, in the reports as in the comparison."""
    bare = {**LIBZ, "purl": "", "metadata": {**LIBZ["metadata"], "architecture": ""}}
    found = match("zlib1g", "1.0-1", "CVE-2024-1000")
    assert fates(judged(tmp_path, [found], [found], packages=[LIBZ], left=[bare])) == [
        ("CVE-2024-1000", Fate.UNCHANGED)
    ]
    gone = judged(tmp_path, [found], [], packages=[LIBZ], left=[bare])
    assert fates(gone) == [("CVE-2024-1000", Fate.UNSEEN)]


def test_packages_that_one_side_cannot_tell(tmp_path: Path) -> None:
    """They make no report one of another image, and the reason says which side does not tell them."""
    key, own = PackageKey("npm", "", "accepts", ""), PackageKey("deb", "debian", "tool", "amd64")
    before = made_side([made_package(own), made_package(key, "1.3.8")])
    after = made_side([made_package(own)], package_types=frozenset({"deb"}))
    found = npm_match("accepts", "1.3.8", "CVE-2024-1000")
    one, other_ = (grype(tmp_path, name, items, distro=None) for name, items in (("vb", [found]), ("va", [])))
    gone = with_vulnerabilities(compare(before, after), read_report(str(one)), read_report(str(other_)))
    assert fates(gone) == [("CVE-2024-1000", Fate.UNKNOWN)]
    assert gone.vulnerabilities is not None
    assert gone.vulnerabilities[0].detail == "the side after can't tell npm packages"
    both = with_vulnerabilities(compare(before, after), read_report(str(one)), read_report(str(one)))
    assert fates(both) == [("CVE-2024-1000", Fate.UNCHANGED)]


def test_a_scope_is_part_of_the_name(tmp_path: Path) -> None:
    """A finding in npm's `core` is none in `@angular/core`."""
    one = written(tmp_path, document([npm("@angular/core", "1.0.0", "/x/node_modules/@angular/core")]), "one.json")
    report = read_report(str(grype(tmp_path, "v.json", [npm_match("core", "1.0.0", "CVE-2024-1000")], distro=None)))
    with pytest.raises(InputError, match=r"1 of its 1 packages are not there, first core 1\.0\.0"):
        with_vulnerabilities(compared(Path(one), Path(one)), report, report)
    right = grype(tmp_path, "r.json", [npm_match("@angular/core", "1.0.0", "CVE-2024-1000")], distro=None)
    found = read_report(str(right))
    assert fates(with_vulnerabilities(compared(Path(one), Path(one)), found, found)) == [
        ("CVE-2024-1000", Fate.UNCHANGED)
    ]


def test_silenced_before_and_reported_after(tmp_path: Path) -> None:
    """A finding that is new since nobody silences it any more says so."""
    found = match("zlib1g", "1.0-1", "CVE-2024-1000")
    one = sbom(tmp_path, "one.json", [LIBZ])
    reports = grype(tmp_path, "vb.json", [], ignoredMatches=[found]), grype(tmp_path, "va.json", [found])
    comparison = with_vulnerabilities(compared(one, one), *(read_report(str(path)) for path in reports))
    assert fates(comparison) == [("CVE-2024-1000", Fate.NEW)]
    assert comparison.vulnerabilities is not None
    assert comparison.vulnerabilities[0].detail == "the scanner was told to ignore it before"


@pytest.mark.parametrize(
    ("stated", "known", "agree"),
    [
        ("amazon 2 (Karoo)", "amzn 2", True),
        ("amazon 2023.3.20240304 (Amazon Linux)", "amzn 2023", True),
        ("amazon AMI release 2018.03", "amzn 2018.03", True),
        ("amazon AMI release 2018.03", "amzn 2", False),
        ("cbl-mariner 2.0", "mariner 2.0", True),
        ("suse linux enterprise server 15.3", "sles 15.3", True),
        ("opensuse.leap 15.4", "opensuse-leap 15.4", True),
        ("debian trixie/sid", "debian 13", True),
        ("centos 7.9.2009", "centos 7", True),
        ("none", "debian 12", True),
        ("alpine edge", "debian 13", False),
        ("suse linux enterprise server 15.3", "sles 12", False),
        ("amazon 2 (Karoo)", "amzn 2023", False),
    ],
)
def test_names_of_distributions(tmp_path: Path, stated: str, known: str, agree: bool) -> None:
    """A distribution is compared under any scanner's name of it, by numbers of its release where both have some."""
    key = PackageKey("deb", "debian", "tool", "amd64")
    one = made_side([made_package(key)], distro=known)
    name, _, version = stated.partition(" ")
    report = read_report(str(grype(tmp_path, "v.json", [], distro={"name": name, "version": version})))
    if agree:
        assert with_vulnerabilities(compare(one, one), report, report).vulnerabilities == ()
    else:
        with pytest.raises(InputError, match="about "):
            with_vulnerabilities(compare(one, one), report, report)


def found_as(name: str, *aliases: str) -> Vulnerability:
    key = PackageKey("deb", "debian", "tool", "amd64")
    return Vulnerability(id=name, aliases=aliases, severity="high", package=key, version="1")


def test_names_that_lead_to_two_cves_unite_none() -> None:
    """Whatever the order of findings, a name in between does not make two CVEs one."""
    found = [found_as("GHSA-a", "CVE-2024-1001", "GHSA-b"), found_as("GHSA-b", "CVE-2024-1002")]
    expected = {"GHSA-a": ("CVE-2024-1001",), "GHSA-b": ("CVE-2024-1002",),
                "CVE-2024-1001": ("CVE-2024-1001",), "CVE-2024-1002": ("CVE-2024-1002",)}  # fmt: skip
    assert united_names(found) == united_names(found[::-1]) == expected
    between = [found_as("GHSA-a", "CVE-2024-1001"), found_as("GHSA-b", "CVE-2024-1002"), found_as("A-1", "GHSA-a", "GHSA-b")]  # fmt: skip
    assert united_names(between)["A-1"] == ("CVE-2024-1001", "CVE-2024-1002")


def test_an_advisory_of_vulnerabilities_without_a_cve() -> None:
    """A name that is linked to two others, which are not linked to each other, stands for both."""
    names = united_names([found_as("RHSA-1", "GHSA-a", "GHSA-b")])
    assert names == {"RHSA-1": ("GHSA-a", "GHSA-b"), "GHSA-a": ("GHSA-a",), "GHSA-b": ("GHSA-b",)}
    linked = united_names([found_as("PYSEC-1", "GHSA-a", "CVE-2024-1000"), found_as("GHSA-a", "CVE-2024-1000")])
    assert set(linked.values()) == {("CVE-2024-1000",)}


@pytest.mark.parametrize(
    ("versions", "reported", "detail"),
    [
        (("1.0", "1.0.0"), "1.0", "states its version on one side alone, or in two ways"),
        (("1.0", ""), "1.0", "states its version on one side alone, or in two ways"),
        (("1.0", "1.0"), "0.9", "the side before does not list the package in this version"),
    ],
)
def test_a_version_that_did_not_change(tmp_path: Path, versions: tuple[str, str], reported: str, detail: str) -> None:
    """A finding that is gone is no fix where the package is there and its version did not change."""
    key, base = PackageKey("pypi", "", "tool", ""), made_package(PackageKey("deb", "debian", "base", "amd64"))
    before, after = (made_side([base, made_package(key, version)]) for version in versions)
    artifact = {"name": "tool", "version": reported, "type": "python", "purl": f"pkg:pypi/tool@{reported}"}
    found = {"vulnerability": {"id": "CVE-2024-1000", "severity": "High"}, "artifact": artifact}
    listed = [found, match("base", "1.0-1", "CVE-2024-2000")]
    reports = grype(tmp_path, "vb.json", listed), grype(tmp_path, "va.json", listed[1:])
    comparison = with_vulnerabilities(compare(before, after), *(read_report(str(path)) for path in reports))
    assert fates(comparison)[-1] == ("CVE-2024-1000", Fate.UNKNOWN)
    assert comparison.vulnerabilities is not None
    assert detail in comparison.vulnerabilities[-1].detail
