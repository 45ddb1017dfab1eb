"""Reports of scanners as they are read."""

from __future__ import annotations

import gzip
import json
from pathlib import Path
from typing import Any

import pytest

from pruner.errors import InputError
from pruner.read.vulnerabilities import read_vulnerabilities
from tests.unit.gates import grype, match, package, sbom


def written(place: Path, content: object) -> str:
    path = place / "report.json"
    path.write_text(content if isinstance(content, str) else json.dumps(content))
    return str(path)


def trivy(*vulnerabilities: dict[str, Any], **fields: Any) -> dict[str, Any]:
    """A report as Trivy writes it, with findings in Debian packages."""
    return {
        "SchemaVersion": 2,
        "ArtifactName": "app:1",
        "ArtifactType": "container_image",
        "Metadata": {"OS": {"Family": "debian", "Name": "12.5"}, "ImageID": f"sha256:{'a' * 64}"},
        "Results": [
            {
                "Target": "app:1 (debian 12.5)",
                "Class": "os-pkgs",
                "Type": "debian",
                "Vulnerabilities": list(vulnerabilities),
            }
        ],
        **fields,
    }


def finding(**fields: Any) -> dict[str, Any]:
    return {
        "VulnerabilityID": "CVE-2024-1000",
        "VendorIDs": ["DSA-5000-1"],
        "PkgID": "zlib1g@1.0",
        "PkgName": "zlib1g",
        "PkgIdentifier": {"PURL": "pkg:deb/debian/zlib1g@1.0?arch=amd64&distro=debian-12.5"},
        "InstalledVersion": "1.0",
        "FixedVersion": "1.1, 2.0",
        "Severity": "CRITICAL",
        **fields,
    }


CYCLONEDX: dict[str, Any] = {
    "bomFormat": "CycloneDX",
    "specVersion": "1.6",
    "serialNumber": "urn:uuid:3ff14136-e09f-4df9-80ea-000000000010",
    "version": 1,
    "metadata": {
        "tools": {"components": [{"type": "application", "name": "trivy", "version": "0.70.0"}]},
        "component": {"bom-ref": "root", "type": "container", "name": "app:1"},
    },
    "components": [
        {"bom-ref": "os", "type": "operating-system", "name": "debian", "version": "12.5"},
        {
            "bom-ref": "gem",
            "type": "library",
            "name": "activesupport",
            "version": "6.0.2.1",
            "purl": "pkg:gem/activesupport@6.0.2.1",
        },
    ],
    "vulnerabilities": [
        {
            "id": "CVE-2020-8165",
            "source": {"name": "ghsa"},
            "references": [{"id": "GHSA-2p68-f74v-9wc6", "source": {"name": "ghsa"}}],
            "ratings": [
                {"source": {"name": "nvd"}, "severity": "critical"},
                {"source": {"name": "ghsa"}, "severity": "high"},
            ],
            "affects": [{"ref": "gem", "versions": [{"version": "6.0.2.1", "status": "affected"}]}],
        }
    ],
}


def test_grype(tmp_path: Path) -> None:
    """Grype's matches keep id, aliases, severity, package and fix; scanner, database and distribution are named."""
    path = grype(tmp_path, "g.json", [match("zlib1g", "1.0", "GHSA-xxxx", "High", ["CVE-2024-1000"])])
    report = read_vulnerabilities(str(path))
    assert (report.scanner, report.version, report.database) == ("grype", "0.100.0", "v6.1.0 2026-01-02T03:04:05Z")
    assert (report.distro, report.sees_system) == ("debian 12", True)
    (found,) = report.reported
    assert (found.id, found.aliases, found.severity) == ("GHSA-xxxx", ("CVE-2024-1000",), "high")
    assert (found.name, found.version, found.fixed_in) == ("zlib1g", "1.0", ("9.9-1",))
    assert found.paths == ("/var/lib/dpkg/status",)
    assert not found.ignored


def test_grype_with_an_older_database_and_digests(tmp_path: Path) -> None:
    """Grype before 0.88 states its database flat; digests of the image come from three places."""
    target = {"userInput": "app", "imageID": f"sha256:{'a' * 64}", "manifestDigest": f"sha256:{'b' * 64}",
              "repoDigests": [f"app@sha256:{'c' * 64}", 7]}  # fmt: skip
    path = grype(tmp_path, "g.json", [], source={"type": "image", "target": target},
                 descriptor={"name": "grype", "version": "0.74", "db": {"built": "2024-01-01", "schemaVersion": 5}})  # fmt: skip
    report = read_vulnerabilities(str(path))
    assert report.database == "5 2024-01-01"
    assert [digest[7] for digest in report.digests] == ["a", "b", "c"]


def test_grype_without_a_distribution_is_blind(tmp_path: Path) -> None:
    """Without a distribution Grype matches no system packages, and the report says so; what it ignored is kept."""
    silent = match("zlib1g", "1.0", "CVE-2024-1000", appliedIgnoreRules=[{"vulnerability": "CVE-2024-1000"}])
    path = grype(tmp_path, "g.json", [], distro={"name": "", "version": "", "idLike": None}, ignoredMatches=[silent],
                 source={"type": "directory", "target": "/rootfs"}, descriptor={"name": "grype", "db": None})  # fmt: skip
    report = read_vulnerabilities(str(path))
    assert (report.sees_system, report.distro, report.database) == (False, "", "")
    assert [found.ignored for found in report.reported] == [True]


def test_trivy(tmp_path: Path) -> None:
    """Trivy's findings keep advisories as aliases and each fixed version; its database is not named."""
    report = read_vulnerabilities(written(tmp_path, trivy(finding())))
    assert (report.scanner, report.database, report.distro) == ("trivy", "", "debian 12.5")
    (found,) = report.reported
    assert (found.id, found.aliases, found.severity) == ("CVE-2024-1000", ("DSA-5000-1",), "critical")
    assert found.fixed_in == ("1.1", "2.0")
    assert report.digests == (f"sha256:{'a' * 64}",)


def test_trivy_without_system_and_suppressed(tmp_path: Path) -> None:
    """A report without Metadata.OS is blind; suppressed findings are marked; a missing list is an empty one."""
    results = [
        {"Target": "Node.js", "Class": "lang-pkgs", "Type": "node-pkg"},
        {
            "Target": "Node.js",
            "Type": "node-pkg",
            "ExperimentalModifiedFindings": [
                {"Type": "vulnerability", "Status": "not_affected", "Finding": finding(PkgPath="app/package.json")},
                {"Type": "secret", "Finding": {"RuleID": "x"}},
            ],
        },
    ]
    report = read_vulnerabilities(written(tmp_path, trivy(Metadata={}, Results=results)))
    assert not report.sees_system
    (found,) = report.reported
    assert found.ignored
    assert found.paths == ("/app/package.json",)


def test_cyclonedx(tmp_path: Path) -> None:
    """A CycloneDX report resolves references to components; the rating of the reporting source counts."""
    report = read_vulnerabilities(written(tmp_path, CYCLONEDX))
    assert (report.scanner, report.version, report.distro) == ("trivy", "0.70.0", "debian 12.5")
    (found,) = report.reported
    assert (found.id, found.aliases, found.severity) == ("CVE-2020-8165", ("GHSA-2p68-f74v-9wc6",), "high")
    assert (found.name, found.version, found.purl) == ("activesupport", "6.0.2.1", "pkg:gem/activesupport@6.0.2.1")


def test_cyclonedx_xml_says_the_same(tmp_path: Path) -> None:
    """The XML format gives what the JSON format gives."""
    from cyclonedx.model.bom import Bom
    from cyclonedx.output.xml import XmlV1Dot6

    path = tmp_path / "report.xml"
    whole = {**CYCLONEDX, "dependencies": [{"ref": "root", "dependsOn": ["gem"]}]}
    path.write_text(XmlV1Dot6(Bom.from_json(whole)).output_as_string())  # type: ignore[attr-defined]
    assert read_vulnerabilities(str(path)).reported == read_vulnerabilities(written(tmp_path, CYCLONEDX)).reported
    assert read_vulnerabilities(str(path)).scanner == "trivy"


def test_cyclonedx_bom_links(tmp_path: Path) -> None:
    """A document that refers by BOM-Link tells the serial number; a statement of not affected is no finding."""
    link = "urn:cdx:3ff14136-e09f-4df9-80ea-000000000010/1#pkg%3Agem%2Factivesupport%406.0.2.1"
    content = {
        **CYCLONEDX,
        "components": [],
        "vulnerabilities": [{"id": "CVE-1", "affects": [{"ref": link}], "analysis": {"state": "not_affected"}}],
    }
    report = read_vulnerabilities(written(tmp_path, content))
    assert report.serials == ("urn:uuid:3ff14136-e09f-4df9-80ea-000000000010",)
    (found,) = report.reported
    assert (found.name, found.version, found.ignored, found.severity) == ("activesupport", "6.0.2.1", True, "unknown")


def test_cyclonedx_with_the_older_extension(tmp_path: Path) -> None:
    """Vulnerabilities inside components, as before CycloneDX 1.4, are not taken for an SBOM without any."""
    path = tmp_path / "old.xml"
    path.write_text(
        '<bom xmlns="http://cyclonedx.org/schema/bom/1.2" xmlns:v="http://cyclonedx.org/schema/ext/vulnerability/1.0">'
        "<components><component><v:vulnerabilities/></component></components></bom>"
    )
    with pytest.raises(InputError, match=r"vulnerabilities as an extension of CycloneDX 1\.3 or older"):
        read_vulnerabilities(str(path))


def test_cyclonedx_epochs(tmp_path: Path) -> None:
    """An epoch that a purl has as a qualifier is part of the version."""
    link = "urn:cdx:3ff14136-e09f-4df9-80ea-000000000010/1#pkg%3Arpm%2Fredhat%2Fperl%405.26.3-416.el8%3Fepoch%3D4"
    content = {**CYCLONEDX, "components": [], "vulnerabilities": [{"id": "CVE-1", "affects": [{"ref": link}]}]}
    (found,) = read_vulnerabilities(written(tmp_path, content)).reported
    assert found.version == "4:5.26.3-416.el8"


def test_cyclonedx_digests(tmp_path: Path) -> None:
    """Digests of the image are taken from properties, those of its layers are not: other images share them."""
    stated = [
        ("ImageID", f"sha256:{'a' * 64}"),
        ("DiffID", f"sha256:{'b' * 64}"),
        ("RepoDigest", f"x@sha256:{'c' * 64}"),
    ]
    properties = [{"name": f"aquasecurity:trivy:{name}", "value": value} for name, value in stated]
    subject = {**CYCLONEDX["metadata"]["component"], "properties": properties}
    content = {**CYCLONEDX, "metadata": {**CYCLONEDX["metadata"], "component": subject}}
    assert read_vulnerabilities(written(tmp_path, content)).digests == (f"sha256:{'a' * 64}", f"sha256:{'c' * 64}")


def test_compressed(tmp_path: Path) -> None:
    """A compressed report is seen through."""
    path = tmp_path / "g.json.gz"
    path.write_bytes(gzip.compress(grype(tmp_path, "g.json", [match("a", "1", "CVE-2024-1")]).read_bytes()))
    assert len(read_vulnerabilities(str(path)).reported) == 1


@pytest.mark.parametrize(
    ("content", "expected"),
    [
        ("", "empty"),
        ("{", "not valid JSON"),
        ("[]", "before SchemaVersion 2"),
        ({"SchemaVersion": 1}, "Trivy's SchemaVersion 1 is not read"),
        ({"matches": 3}, "$.matches: expected array, got int"),
        ({"matches": [{"vulnerability": {"id": 1}}]}, "$.matches[0].vulnerability.id: expected str, got int"),
        (trivy({"VulnerabilityID": "CVE-1"}), "$.Results[0].Vulnerabilities[0]: object missing required field PkgName"),
        ({"hello": 1}, "no scanner's report"),
        ({"schema": {"name": "pruner-plan", "version": "1"}}, "a plan, not a scanner's report"),
        ({"@context": "https://openvex.dev/ns/v0.2.0"}, "an OpenVEX document"),
        ({"spdxVersion": "SPDX-2.3"}, "an SBOM, not a scanner's report"),
        ({"bomFormat": "CycloneDX", "components": []}, "without vulnerabilities, so an SBOM"),
        ({**CYCLONEDX, "components": []}, "$.vulnerabilities[0].affects[0].ref: 'gem' names no component"),
        ("<a/>", "XML, but not a CycloneDX document"),
        ("<bom", "not valid XML"),
        ('<!DOCTYPE a [<!ENTITY b "c">]><bom/>', "XML with a document type"),
    ],
)
def test_what_is_no_report(tmp_path: Path, content: object, expected: str) -> None:
    """What is damaged or something else is named with its file and JSON path."""
    with pytest.raises(InputError) as raised:
        read_vulnerabilities(written(tmp_path, content))
    assert raised.value.fact.startswith(str(tmp_path))
    assert expected in raised.value.fact


def test_an_sbom_is_no_report(tmp_path: Path) -> None:
    """A syft-json SBOM in a report's place is called an SBOM."""
    with pytest.raises(InputError, match="an SBOM, not a scanner's report"):
        read_vulnerabilities(str(sbom(tmp_path, "s.json", [package("a")])))


@pytest.mark.parametrize(
    ("content", "place"),
    [
        (trivy(finding(Severity="SEVERE")), "$.Results[0].Vulnerabilities[0].Severity"),
        ({"matches": [match("a", "1", "CVE-1", "Awful\x1b[31m")]}, "$.matches[0].vulnerability.severity"),
        (
            {**CYCLONEDX, "vulnerabilities": [{"id": "CVE-1", "ratings": [{"severity": "bad"}]}]},
            "$.vulnerabilities[0].ratings[0].severity",
        ),
    ],
)
def test_an_unknown_severity(tmp_path: Path, content: object, place: str) -> None:
    """A severity that no limit could be held against is an error with its place, and names are escaped."""
    with pytest.raises(InputError) as raised:
        read_vulnerabilities(written(tmp_path, content))
    assert f"{place}: unknown severity '" in raised.value.fact
    assert "critical" in raised.value.hint
    assert raised.value.fact.isprintable()


@pytest.mark.parametrize(("word", "expected"), [("Unknown", "unknown"), ("", "unknown"), ("none", "negligible")])
def test_known_words_for_severities(tmp_path: Path, word: str, expected: str) -> None:
    """Scanners' own words become one set of words."""
    path = grype(tmp_path, "g.json", [match("a", "1", "CVE-2024-1", word)])
    assert read_vulnerabilities(str(path)).reported[0].severity == expected


def test_trivy_that_recognised_nothing(tmp_path: Path) -> None:
    """An OS of the family `none` is none: the scanner is blind, and there is no distribution to compare."""
    report = read_vulnerabilities(written(tmp_path, trivy(Metadata={"OS": {"Family": "none", "Name": ""}})))
    assert (report.sees_system, report.distro) == (False, "")


def test_packages_alone_show_no_distribution(tmp_path: Path) -> None:
    """A CycloneDX report of Debian packages without an operating system is one of a blind scanner."""
    component = {"type": "library", "name": "a", "version": "1", "bom-ref": "a", "purl": "pkg:deb/debian/a@1"}
    content = {**CYCLONEDX, "components": [component], "vulnerabilities": []}
    assert not read_vulnerabilities(written(tmp_path, content)).sees_system
    assert read_vulnerabilities(written(tmp_path, CYCLONEDX)).sees_system


def test_a_finding_in_a_package_of_the_system_shows_that_it_was_seen(tmp_path: Path) -> None:
    """A CycloneDX report without an operating system that finds something in a Debian package looked at the system."""
    component = {"type": "library", "name": "a", "version": "1", "bom-ref": "a", "purl": "pkg:deb/debian/a@1"}
    found = {"id": "CVE-2024-1", "ratings": [{"severity": "high"}], "affects": [{"ref": "a"}]}
    content = {**CYCLONEDX, "components": [component], "vulnerabilities": [found]}
    report = read_vulnerabilities(written(tmp_path, content))
    assert (report.sees_system, report.distro) == (True, "")
    component["purl"] = "pkg:npm/a@1"
    assert not read_vulnerabilities(written(tmp_path, content)).sees_system


def test_a_vulnerability_of_the_image_itself(tmp_path: Path) -> None:
    """A reference to the document's own subject is understood."""
    content = {**CYCLONEDX, "vulnerabilities": [{"id": "CVE-2024-1000", "affects": [{"ref": "root"}]}]}
    (found,) = read_vulnerabilities(written(tmp_path, content)).reported
    assert (found.name, found.type) == ("app:1", "")


def test_xml_that_is_nested_deeply(tmp_path: Path) -> None:
    """Components are read at any depth, also where somebody nests 3,000 of them."""
    depth = 3000
    opened = "".join(
        f'<component type="library" bom-ref="r{number}"><name>n{number}</name><purl>pkg:npm/n{number}@1</purl><components>'
        for number in range(depth)
    )
    vulnerability = f"<vulnerability><id>CVE-2024-1000</id><affects><target><ref>r{depth - 1}</ref></target></affects></vulnerability>"  # fmt: skip
    path = tmp_path / "deep.xml"
    path.write_text(
        f'<bom xmlns="http://cyclonedx.org/schema/bom/1.6"><components>{opened}{"</components></component>" * depth}'
        f"</components><vulnerabilities>{vulnerability}</vulnerabilities></bom>"
    )
    (found,) = read_vulnerabilities(str(path)).reported
    assert found.name == f"n{depth - 1}"
