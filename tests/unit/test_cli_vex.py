"""`pruner vex`."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from pruner.gate.types import PackageKey, Side, SideFile
from pruner.gate.vex import Statements, vex_statements
from pruner.gate.vulnerabilities.scanners import read_report
from pruner.model import FileType
from tests.commandline import Run, assert_one_message
from tests.unit.gates import grype, match, package, sbom
from tests.unit.sboms import entry
from tests.unit.sides import link, made_side, regular
from tests.unit.sides import package as made_package

LIBX = ["/usr/lib/libx.so.1", "/usr/lib/x/plugin.so"]
PACKAGES = [package("app", "1.0-1", ["/usr/bin/app"]), package("curl", "7.0-1", ["/usr/bin/curl", "/usr/share/doc/curl"]),
            package("libx1", "2.0-1", LIBX)]  # fmt: skip
PRODUCT = ("--product", "pkg:oci/app")


@pytest.fixture
def fat(tmp_path: Path) -> Path:
    return sbom(tmp_path, "fat.json", PACKAGES)


@pytest.fixture
def report(tmp_path: Path) -> Path:
    return grype(tmp_path, "v.json", [match("curl", "7.0-1", "GHSA-curl", related=["CVE-2024-1000"]),
                                      match("libx1", "2.0-1", "CVE-2024-2000"), match("app", "1.0-1", "CVE-2024-3000")])  # fmt: skip


def thin(place: Path, *packages: Any, others: Any = ()) -> Path:
    return sbom(place, "thin.json", packages or PACKAGES[:1], others)


def statements(text: str) -> list[tuple[str, str, str]]:
    """Vulnerability, package and justification of an OpenVEX document whose structure is checked."""
    document = json.loads(text)
    assert document["@context"] == "https://openvex.dev/ns/v0.2.0"
    assert document["@id"].startswith("urn:uuid:")
    assert {"author", "timestamp", "version", "statements"} <= document.keys()
    found = []
    for statement in document["statements"]:
        assert statement["status"] == "not_affected"
        assert statement["justification"] in {"component_not_present", "vulnerable_code_not_present"}
        assert statement["impact_statement"]
        (product,) = statement["products"]
        (component,) = product["subcomponents"]
        name = component["identifiers"]["purl"].partition("@")[0]
        found.append((statement["vulnerability"]["name"], name, statement["justification"]))
    return found


def test_removed_packages(run: Run, tmp_path: Path, fat: Path, report: Path) -> None:
    """A statement is made for each package whose files are all gone, under its CVE, and for no other."""
    done = run("vex", fat, thin(tmp_path), "--vulns", report, *PRODUCT)
    assert (done.code, done.err) == (0, "")
    assert statements(done.out) == [
        ("CVE-2024-1000", "pkg:deb/debian/curl", "component_not_present"),
        ("CVE-2024-2000", "pkg:deb/debian/libx1", "component_not_present"),
    ]
    assert json.loads(done.out)["statements"][0]["vulnerability"]["aliases"] == ["GHSA-curl"]
    assert '"fixed"' not in done.out


def test_a_package_of_which_a_file_remains(run: Run, tmp_path: Path, fat: Path, report: Path) -> None:
    """Where one file remains nothing is said, and the reason is; also when the package's entry is gone."""
    after = thin(tmp_path, PACKAGES[0], others=[entry(LIBX[1], size=10)])
    done = run("vex", fat, after, "--vulns", report, *PRODUCT)
    assert [found[0] for found in statements(done.out)] == ["CVE-2024-1000"]
    assert "CVE-2024-2000 of pkg:deb/debian/libx1" in done.err
    assert "1 of its 2 files remain, first /usr/lib/x/plugin.so" in done.err


def test_the_vulnerable_file(run: Run, tmp_path: Path, fat: Path, report: Path) -> None:
    """The absence of the file that the user names is enough, and another one's is not."""
    after = thin(tmp_path, PACKAGES[0], package("libx1", "2.0-1", LIBX[:1]))
    words = ("vex", fat, after, "--vulns", report, *PRODUCT)
    named = run(*words, "--file", f"CVE-2024-2000={LIBX[1]}")
    assert statements(named.out)[1] == ("CVE-2024-2000", "pkg:deb/debian/libx1", "vulnerable_code_not_present")
    other = run(*words, "--file", f"CVE-2024-2000={LIBX[0]}")
    assert [found[0] for found in statements(other.out)] == ["CVE-2024-1000"]
    both = run(*words, "--file", f"CVE-2024-2000={LIBX[0]}", "--file", f"CVE-2024-2000={LIBX[1]}")
    assert [found[0] for found in statements(both.out)] == ["CVE-2024-1000"]


def test_an_entry_without_files(run: Run, tmp_path: Path, fat: Path, report: Path) -> None:
    """A package whose entry is left while all of its files are gone has no vulnerable code."""
    after = thin(tmp_path, PACKAGES[0], package("libx1", "2.0-1"))
    found = statements(run("vex", fat, after, "--vulns", report, *PRODUCT).out)
    assert ("CVE-2024-2000", "pkg:deb/debian/libx1", "vulnerable_code_not_present") in found


def test_another_version_is_no_removal(run: Run, tmp_path: Path, fat: Path, report: Path) -> None:
    """An upgraded package is the scanner's business: nothing is said, and never fixed."""
    after = thin(tmp_path, PACKAGES[0], package("libx1", "3.0-1", ["/usr/lib/libx.so.3"]))
    done = run("vex", fat, after, "--vulns", report, *PRODUCT)
    assert [found[0] for found in statements(done.out)] == ["CVE-2024-1000"]
    assert "version 3.0-1 is there instead" in done.err


def test_a_file_that_was_moved(run: Run, tmp_path: Path, fat: Path, report: Path) -> None:
    """A file whose content is there under a new name is not gone."""
    import hashlib

    digest = [{"algorithm": "sha256", "value": hashlib.sha256(b"/usr/bin/curl").hexdigest()}]
    after = thin(tmp_path, PACKAGES[0], others=[entry("/opt/tool", size=10, digests=digest)])
    done = run("vex", fat, after, "--vulns", report, *PRODUCT)
    assert [found[0] for found in statements(done.out)] == ["CVE-2024-2000"]
    assert "what was /usr/bin/curl is there as /opt/tool" in done.err


@pytest.mark.parametrize(
    ("left", "stated"),
    [
        (("/opt/vendor/x.py", "sha256:code"), False),
        (("/usr/lib/python3/__pycache__/x.cpython-311.pyc", "sha256:other"), False),
        (("/usr/lib/python3/__pycache__/xy.cpython-311.pyc", "sha256:other"), True),
        (("/usr/share/doc/other/changelog.gz", "sha256:prose"), True),
        (("/usr/lib/other/LICENSE", "sha256:terms"), True),
    ],
)
def test_a_copy_that_was_always_there(tmp_path: Path, left: tuple[str, str], stated: bool) -> None:
    """Code is not gone while another file holds the same, or what Python compiled of it; a common license is no code."""
    files = {"/usr/lib/python3/x.py": "sha256:code", "/usr/share/doc/x/changelog.gz": "sha256:prose",
             "/usr/lib/x/LICENSE": "sha256:terms"}  # fmt: skip
    key = PackageKey("deb", "debian", "json", "amd64")
    other = regular(left[0], digest=left[1])
    before = made_side(
        [made_package(key, "1.0", list(files))],
        [other, *(regular(path, digest=digest) for path, digest in files.items())],
    )
    found = vex_of(before, made_side([], [other]), tmp_path, "deb")
    assert len(found.statements) == stated
    if not stated:
        what = f"what was /usr/lib/python3/x.py is there as {left[0]}"
        assert found.left_out == (f"CVE-2024-1000 of pkg:deb/json@1.0: {what}",)


def test_what_no_statement_can_rule_out(run: Run, tmp_path: Path, fat: Path, report: Path) -> None:
    """Every statement says that copies inside other files were not looked for, in both formats."""
    words = ("vex", fat, thin(tmp_path), "--vulns", report, *PRODUCT)
    for statement in json.loads(run(*words).out)["statements"]:
        assert "linked statically or bundled, were not looked for" in statement["status_notes"]
    done = run(*words, "--format", "cyclonedx", "--sbom", cyclonedx_sbom(tmp_path))
    for found in json.loads(done.out)["vulnerabilities"]:
        assert "from the pruned image. Copies of its code" in found["analysis"]["detail"]
    assert json.loads(done.out)["metadata"]["component"]["name"] == "pkg:oci/app"


def test_purls_for_other_scanners(run: Run, tmp_path: Path, fat: Path, report: Path) -> None:
    """A package is named as the SBOM has it, and without the qualifiers that scanners spell differently."""
    (statement, _) = json.loads(run("vex", fat, thin(tmp_path), "--vulns", report, *PRODUCT).out)["statements"]
    assert statement["products"][0]["subcomponents"] == [{
        "@id": "pkg:deb/debian/curl@7.0-1?arch=amd64&distro=debian-12",
        "identifiers": {"purl": "pkg:deb/debian/curl@7.0-1?arch=amd64"},
    }]  # fmt: skip


def test_the_same_inputs_give_the_same_document(
    run: Run, tmp_path: Path, fat: Path, report: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """With SOURCE_DATE_EPOCH documents are the same byte for byte; their id follows from the content."""
    monkeypatch.setenv("SOURCE_DATE_EPOCH", "1780272000")
    words = ("vex", fat, thin(tmp_path), "--vulns", report, *PRODUCT)
    one, other = run(*words), run(*words)
    assert one.out == other.out
    assert json.loads(one.out)["timestamp"] == "2026-06-01T00:00:00Z"
    assert json.loads(run(*words, "--author", "me").out)["@id"] != json.loads(one.out)["@id"]


# -- CycloneDX --------------------------------------------------------------------------------------------------------

SERIAL = "3ff14136-e09f-4df9-80ea-000000000010"


def cyclonedx_sbom(place: Path, **fields: Any) -> Path:
    components = [
        {"type": "library", "bom-ref": f"{item['purl']}&package-id=7", "name": item["name"],
         "version": item["version"], "purl": item["purl"]}
        for item in PACKAGES
    ]  # fmt: skip
    content = {"bomFormat": "CycloneDX", "specVersion": "1.6", "serialNumber": f"urn:uuid:{SERIAL}", "version": 3,
               "components": components, **fields}  # fmt: skip
    path = place / "fat.cdx.json"
    path.write_text(json.dumps(content))
    return path


def test_cyclonedx(run: Run, tmp_path: Path, fat: Path, report: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """CycloneDX statements link to the SBOM of before by serial, version and reference, and follow the schema."""
    from cyclonedx.schema import SchemaVersion
    from cyclonedx.validation.json import JsonStrictValidator

    monkeypatch.setenv("SOURCE_DATE_EPOCH", "1780272000")
    words = ("vex", fat, thin(tmp_path), "--vulns", report, "--format", "cyclonedx", "--sbom", cyclonedx_sbom(tmp_path))
    done = run(*words)
    assert (done.code, done.err) == (0, "")
    assert JsonStrictValidator(SchemaVersion.V1_6).validate_str(done.out) is None
    found = json.loads(done.out)["vulnerabilities"]
    assert [item["id"] for item in found] == ["CVE-2024-1000", "CVE-2024-2000"]
    for item in found:
        assert item["analysis"]["state"] == "not_affected"
        assert item["analysis"]["justification"] == "code_not_present"
    (affected,) = found[0]["affects"]
    assert affected["ref"].startswith(f"urn:cdx:{SERIAL}/3#pkg%3Adeb%2Fdebian%2Fcurl%407.0-1")
    assert run(*words).out == done.out


def test_a_cyclonedx_statement_is_read_back(run: Run, tmp_path: Path, fat: Path, report: Path) -> None:
    """What was written is understood as statements about the SBOM that it links to."""
    from pruner.read.vulnerabilities import read_vulnerabilities

    words = ("vex", fat, thin(tmp_path), "--vulns", report, "--format", "cyclonedx", "--sbom", cyclonedx_sbom(tmp_path))
    path = tmp_path / "vex.cdx.json"
    path.write_text(run(*words).out)
    back = read_vulnerabilities(str(path))
    assert back.serials == (f"urn:uuid:{SERIAL}",)
    assert [(item.id, item.name, item.ignored) for item in back.reported] == [
        ("CVE-2024-1000", "curl", True),
        ("CVE-2024-2000", "libx1", True),
    ]


def test_cyclonedx_without_a_serial_number(run: Run, tmp_path: Path, fat: Path, report: Path) -> None:
    """What has no serial number can't be linked to, and a syft-json SBOM has none."""
    words = ("vex", fat, thin(tmp_path), "--vulns", report, "--format", "cyclonedx")
    assert_one_message(run(*words), 3, "not a CycloneDX document, so nothing can link to its components")
    bare = cyclonedx_sbom(tmp_path, serialNumber="urn:uuid:x")
    assert_one_message(run(*words, "--sbom", bare), 3, "has no serial number")
    other = cyclonedx_sbom(tmp_path, components=[])
    assert_one_message(run(*words, "--sbom", other), 3, "has no component pkg:deb/debian/curl@7.0-1")


def test_cyclonedx_links_to_what_is_there(run: Run, tmp_path: Path, fat: Path, report: Path) -> None:
    """A component is found when other qualifiers of its purl alone differ; what is missing is left out and named."""
    component = {"type": "library", "bom-ref": "7", "name": "curl", "version": "7.0-1",
                 "purl": "pkg:deb/debian/curl@7.0-1?arch=amd64&distro=debian-12.5"}  # fmt: skip
    bom = cyclonedx_sbom(tmp_path, components=[component])
    done = run("vex", fat, thin(tmp_path), "--vulns", report, "--format", "cyclonedx", "--sbom", bom)
    assert done.code == 0
    (found,) = json.loads(done.out)["vulnerabilities"]
    assert (found["id"], found["affects"]) == ("CVE-2024-1000", [{"ref": f"urn:cdx:{SERIAL}/3#7"}])
    assert "fat.cdx.json: has no component pkg:deb/debian/libx1@2.0-1" in done.err
    assert "nothing is said of it" in done.err


# -- bad input --------------------------------------------------------------------------------------------------------


def test_no_product(run: Run, tmp_path: Path, fat: Path, report: Path) -> None:
    """OpenVEX is about a product; where none is known one must be named."""
    words = ("vex", fat, thin(tmp_path), "--vulns", report)
    done = run(*words)
    assert_one_message(done, 2, "names no image that statements could be about")
    assert "add --product pkg:oci/" in done.err, "what is to be added is shown as it is written"
    example = done.err.partition("add ")[2].partition(",")[0].split()
    assert run(*words, *example).code == 0
    for product in ("app", "registry.example/app:1", "pkg:", "pkg:oci/an app"):
        assert_one_message(run(*words, "--product", product), 2, f"--product {product} is no IRI")


def test_a_root_has_no_serial_number_to_link_to(run: Run, tmp_path: Path, fat: Path, report: Path) -> None:
    """CycloneDX VEX of a root says which option is missing, not that the root is no file."""
    root = tmp_path / "root"
    (root / "usr" / "bin").mkdir(parents=True)
    (root / "usr" / "bin" / "app").write_bytes(b"x")
    done = run("vex", root, thin(tmp_path), "--vulns", report, "--format", "cyclonedx")
    assert_one_message(done, 2, f"--sbom is missing: {root} is a root filesystem")


def test_a_kind_of_document_that_there_is_not(run: Run, tmp_path: Path, fat: Path, report: Path) -> None:
    """The kinds that there are are named."""
    done = run("vex", fat, thin(tmp_path), "--vulns", report, "--format", "csaf")
    assert_one_message(done, 2, "--format 'csaf' is no kind of VEX")
    assert "choose openvex or cyclonedx" in done.err


def test_an_image_is_its_own_product(run: Run, tmp_path: Path, fat: Path, report: Path) -> None:
    """The SBOM of an image names the product by its digest."""
    source = {"id": "x", "name": "example/App:1", "version": "", "type": "image",
              "metadata": {"userInput": "example/App:1", "manifestDigest": f"sha256:{'a' * 64}"}}  # fmt: skip
    after = sbom(tmp_path, "thin.json", PACKAGES[:1], source=source)
    document = json.loads(run("vex", fat, after, "--vulns", report).out)
    assert document["statements"][0]["products"][0]["@id"] == f"pkg:oci/app@sha256:{'a' * 64}"


@pytest.mark.parametrize(
    ("text", "code", "expected"),
    [
        ("CVE-2024-2000", 2, "not VULNERABILITY=PATH"),
        ("CVE-2024-2000=usr/lib", 2, "not VULNERABILITY=PATH"),
        ("CVE-1999-1=/usr/bin/app", 3, "CVE-1999-1: the report knows no such vulnerability"),
        ("CVE-2024-2000=/usr/bin/app", 3, "/usr/bin/app: no file of a package that CVE-2024-2000 is reported for"),
        ("CVE-2024-2000=/\x1b[2J", 3, "\\x1b[2J: no file"),
    ],
)
def test_files_that_make_no_sense(
    run: Run, tmp_path: Path, fat: Path, report: Path, text: str, code: int, expected: str
) -> None:
    """A vulnerability that nobody reported and a file of another package are errors."""
    done = run("vex", fat, thin(tmp_path), "--vulns", report, *PRODUCT, "--file", text)
    assert_one_message(done, code, expected)


def test_an_after_that_does_not_list_every_file(run: Run, tmp_path: Path, fat: Path, report: Path) -> None:
    """Without a full listing nothing can be shown to be gone."""
    partial = {"configuration": {"files": {"selection": "owned-by-package"}}}
    after = sbom(tmp_path, "thin.json", PACKAGES[:1], descriptor=partial)
    done = run("vex", fat, after, "--vulns", report, *PRODUCT)
    assert_one_message(done, 3, "does not list every file")


def test_a_before_without_files(run: Run, tmp_path: Path, report: Path) -> None:
    """A CycloneDX SBOM does not say which files a package has, and the message says what to give instead."""
    done = run("vex", cyclonedx_sbom(tmp_path), thin(tmp_path), "--vulns", report, "--format", "cyclonedx")
    assert_one_message(done, 3, "fat.cdx.json: lists no files", "--sbom names the CycloneDX SBOM")


def test_a_report_on_another_image(run: Run, tmp_path: Path, fat: Path) -> None:
    """A report about other packages is refused."""
    report = grype(tmp_path, "v.json", [match("bash", "5", "CVE-2024-1")])
    assert_one_message(run("vex", fat, thin(tmp_path), "--vulns", report, *PRODUCT), 3, "about another image")


# -- what can't be shown to be gone -----------------------------------------------------------------------------------


def test_nothing_can_be_stated(run: Run, tmp_path: Path, fat: Path, report: Path) -> None:
    """A document without statements is none: exit 1 says so, and standard output stays empty."""
    done = run("vex", fat, fat, "--vulns", report, *PRODUCT)
    assert_one_message(done, 1, "nothing can be stated")
    assert done.out == ""


def test_a_file_under_two_names_of_its_vulnerability(run: Run, tmp_path: Path, fat: Path) -> None:
    """Files that are named under a CVE and under its alias count together."""
    report = grype(tmp_path, "v.json", [match("libx1", "2.0-1", "GHSA-x", related=["CVE-2024-2000"])])
    after = thin(tmp_path, PACKAGES[0], package("libx1", "2.0-1", LIBX[:1]))
    words = ("vex", fat, after, "--vulns", report, *PRODUCT)
    for names in (("CVE-2024-2000", "GHSA-x"), ("GHSA-x", "CVE-2024-2000")):
        both = [word for name, path in zip(names, LIBX, strict=True) for word in ("--file", f"{name}={path}")]
        done = run(*words, *both)
        assert done.code == 1
        assert "1 of its 2 files remain, first /usr/lib/libx.so.1" in done.err


def test_an_advisory_is_no_alias(run: Run, tmp_path: Path, fat: Path) -> None:
    """A statement about one vulnerability of an advisory does not silence the advisory, which covers others."""
    found = [match("libx1", "2.0-1", f"CVE-2024-{number}000", related=["DSA-1-1"]) for number in (1, 2)]
    found.append(match("curl", "7.0-1", "CVE-2024-3000", related=["GHSA-x"]))
    report = grype(tmp_path, "v.json", found)
    after = thin(tmp_path, PACKAGES[0], package("libx1", "2.0-1", LIBX[:1]))
    done = run("vex", fat, after, "--vulns", report, *PRODUCT, "--file", f"CVE-2024-1000={LIBX[1]}")
    assert [statement["vulnerability"] for statement in json.loads(done.out)["statements"]] == [
        {"name": "CVE-2024-1000"},
        {"name": "CVE-2024-3000", "aliases": ["GHSA-x"]},
    ]


def test_the_same_content_under_a_name_that_was_there_before(run: Run, tmp_path: Path) -> None:
    """A file that the user names is not gone while another name of its content is left, as of a hard link."""
    digest = [{"algorithm": "sha256", "value": "ab" * 32}]
    names = ["/usr/bin/perl", "/usr/bin/perl5.36.0"]
    perl = [entry(path, size=10, digests=digest, mode=755) for path in names]
    before = sbom(tmp_path, "fat.json", [package("perl-base", "1-1", names), PACKAGES[0]], perl)
    after = sbom(tmp_path, "thin.json", [package("perl-base", "1-1", names[1:]), PACKAGES[0]], perl[1:])
    report = grype(tmp_path, "v.json", [match("perl-base", "1-1", "CVE-2024-1000")])
    done = run("vex", before, after, "--vulns", report, *PRODUCT, "--file", f"CVE-2024-1000={names[0]}")
    assert done.code == 1
    assert "what was /usr/bin/perl is there as /usr/bin/perl5.36.0" in done.err


def test_one_file_that_is_gone(run: Run, tmp_path: Path) -> None:
    """The sentence that a statement rests on is right for one file, too."""
    before = sbom(tmp_path, "fat.json", [PACKAGES[0], package("tool", "1-1", ["/usr/bin/tool"])])
    report = grype(tmp_path, "v.json", [match("tool", "1-1", "CVE-2024-1000")])
    done = run("vex", before, thin(tmp_path), "--vulns", report, *PRODUCT)
    assert (
        json.loads(done.out)["statements"][0]["impact_statement"]
        == "The one file of tool 1-1 is gone from the pruned image."
    )


def vex_of(before: Side, after: Side, place: Path, kind: str = "gem", name: str = "json") -> Statements:
    artifact = {"name": name, "version": "1.0", "type": kind, "purl": f"pkg:{kind}/{name}@1.0"}
    found = {"vulnerability": {"id": "CVE-2024-1000", "severity": "High"}, "artifact": artifact}
    report = read_report(str(grype(place, "v.json", [found], distro=None)))
    return vex_statements(before, after, report)


@pytest.mark.parametrize(
    ("kind", "files", "stated"),
    [
        ("gem", ["/usr/lib/ruby/specifications/default/json-1.0.gemspec"], False),
        ("npm", ["/usr/share/nodejs/json/package.json", "/usr/share/nodejs/json/README.md"], False),
        ("pypi", ["/usr/lib/python3/json-1.0.dist-info/METADATA", "/usr/lib/python3/json-1.0.dist-info/x.py"], False),
        ("pypi", ["/usr/lib/python3/json-1.0.egg-info"], False),
        ("npm", ["/usr/share/nodejs/json/package.json", "/usr/share/nodejs/json/history.js"], True),
        ("maven", ["/usr/share/java/json.jar"], True),
        ("golang", ["/usr/bin/json"], True),
        ("cargo", ["/usr/bin/json"], True),
    ],
)
def test_code_that_was_never_known(tmp_path: Path, kind: str, files: list[str], stated: bool) -> None:
    """A package of which only the manifest is known may be there without it: nothing is said of such a one."""
    key = PackageKey(kind, "", "json", "")
    base = PackageKey("deb", "debian", "base", "amd64")
    both = [made_package(base, files=["/usr/bin/base"])]
    before = made_side([*both, made_package(key, "1.0", files)], map(regular, ["/usr/bin/base", *files]))
    found = vex_of(before, made_side(both, [regular("/usr/bin/base", digest="sha256:1")]), tmp_path, kind)
    assert len(found.statements) == stated
    if not stated:
        assert found.left_out == (f"CVE-2024-1000 of pkg:{kind}/json@1.0: which files hold its code is not known",)


@pytest.mark.parametrize(("left", "stated"), [("2.0", 1), ("3.0", 0)])
def test_another_version_that_was_there_too(tmp_path: Path, left: str, stated: int) -> None:
    """Of two versions one may go: the other is no replacement, as one that has come would be."""
    key = PackageKey("npm", "", "json", "")
    paths = {version: f"/{version}/node_modules/json/index.js" for version in ("1.0", "2.0", "3.0")}
    one, two, left_ = (made_package(key, version, [paths[version]]) for version in ("1.0", "2.0", left))
    before = made_side(
        [one, two], [regular(paths[item.version], digest=f"sha256:{item.version}") for item in (one, two)]
    )
    after = made_side([left_], [regular(paths[left], digest=f"sha256:{left}")])
    found = vex_of(before, after, tmp_path, "npm")
    assert [item.justification for item in found.statements] == ["component_not_present"] * stated
    assert found.left_out == (() if stated else ("CVE-2024-1000 of pkg:npm/json@1.0: version 3.0 is there instead",))


def test_a_gem_that_is_part_of_ruby(tmp_path: Path) -> None:
    """A default gem's code lies in Ruby's library: that the files of its own directory are gone tells nothing of it."""
    key, specification = (
        PackageKey("gem", "", "json", ""),
        "/usr/lib/ruby/gems/3.1.0/specifications/default/json-1.0.gemspec",
    )
    files = [specification, "/usr/lib/ruby/gems/3.1.0/gems/json-1.0/libexec/json"]
    library = regular("/usr/lib/ruby/vendor_ruby/json.rb", digest="sha256:2")
    for evidence, stated in ((specification, 0), ("/usr/lib/ruby/gems/3.1.0/specifications/json-1.0.gemspec", 1)):
        package_ = made_package(key, "1.0", files, evidence=(evidence,))
        before = made_side([package_], [library, *map(regular, files)])
        assert len(vex_of(before, made_side([], [library]), tmp_path).statements) == stated


@pytest.mark.parametrize("directory", [False, True])
def test_a_package_of_links(tmp_path: Path, directory: bool) -> None:
    """A package whose files are links, or lie behind one, is gone only when what they lead to is."""
    key = PackageKey("npm", "", "json", "")
    code = "/usr/share/javascript/json/index.js"
    own = "/usr/share/nodejs/json/dist" if directory else "/usr/share/nodejs/json/index.js"
    target = "../../javascript/json" if directory else "../../javascript/json/index.js"
    files = [regular("/usr/share/nodejs/json/package.json"), link(own, target), regular(code, digest="sha256:2")]
    folder = SideFile(path="/usr/share/javascript/json", type=FileType.DIRECTORY)
    before = made_side([made_package(key, "1.0", [file.path for file in files[:2]])], [*files, folder])
    left = vex_of(before, made_side([], [files[2], folder]), tmp_path, "npm")
    assert left.statements == ()
    assert left.left_out == (f"CVE-2024-1000 of pkg:npm/json@1.0: 1 of its 3 files remain, first {code}",)
    assert len(vex_of(before, made_side([], [folder]), tmp_path, "npm").statements) == 1


def test_digests_that_cannot_be_compared_are_noted(tmp_path: Path) -> None:
    """Where the two sides state digests of other algorithms a moved file can't be recognised, and the reader is told."""
    key = PackageKey("golang", "", "json", "")
    before = made_side([made_package(key, "1.0", ["/usr/bin/json"])], [regular("/usr/bin/json")])
    after = made_side([], [regular("/opt/json", digest="sha1:0")])
    found = vex_of(before, after, tmp_path, "golang")
    assert found.notes == ("a file that was moved can't be recognised: before states sha256, after sha1",)


def test_another_name_of_the_same_inode(tmp_path: Path) -> None:
    """A hard link that is left holds the code, also where no side states a digest."""
    key, names = PackageKey("deb", "debian", "json", "amd64"), ["/usr/bin/json", "/usr/bin/json1.0"]
    files = [regular(names[0], digest=None), regular(names[1], digest=None, hardlink=names[0])]
    before = made_side([made_package(key, "1.0", names[:1])], files)
    found = vex_of(before, made_side([], files[1:]), tmp_path, "deb")
    assert found.statements == ()
    assert found.left_out == (f"CVE-2024-1000 of pkg:deb/json@1.0: what was {names[0]} is there as {names[1]}",)
