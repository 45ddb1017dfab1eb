"""CycloneDX and SPDX documents made by hand: what they hold, and what is no document."""

from __future__ import annotations

import json

import pytest

from pruner.errors import InputError
from pruner.model import Selection
from pruner.read import read_sbom

SHA256 = "a" * 64


def read(tmp_path, text):
    path = tmp_path / "sbom"
    path.write_text(text if isinstance(text, str) else json.dumps(text))
    return read_sbom(str(path))


def component(name, **fields):
    properties = fields.pop("properties", {})
    return {
        "type": "library", "bom-ref": name, "name": name, "version": "1", "purl": f"pkg:deb/debian/{name}@1?arch=amd64&distro=debian-12",
        "properties": [{"name": key, "value": value} for key, value in properties.items()], **fields,
    }  # fmt: skip


def cyclonedx(components, version="1.18.1", **fields):
    tool = {"type": "application", "name": "syft", "version": version}
    return {
        "bomFormat": "CycloneDX",
        "specVersion": "1.6",
        "version": 1,
        "metadata": {"tools": {"components": [tool]}},
        "components": components,
        **fields,
    }


def names(inventory):
    return [package.name for package in inventory.packages]


def test_cyclonedx(tmp_path):
    """Packages, the source from the purl, the graph, the distribution, and what is missing."""
    components = [
        component(
            "a",
            purl="pkg:deb/debian/a@1?arch=amd64&upstream=src%402",
            licenses=[{"license": {"id": "MIT"}}],
            publisher="P",
        ),
        component("b"),
        {
            "type": "operating-system",
            "name": "debian",
            "version": "12",
            "bom-ref": "os",
            "properties": [{"name": "syft:distro:id", "value": "debian"}],
        },
    ]
    inventory = read(tmp_path, cyclonedx(components, dependencies=[{"ref": "a", "dependsOn": ["b", "a", "os"]}]))
    a = inventory.packages[0]
    assert names(inventory) == ["a", "b"]
    assert (a.type, a.architecture, a.source, a.source_version, a.licenses, a.maintainer) == (
        "deb",
        "amd64",
        "src",
        "2",
        ("MIT",),
        "P",
    )
    assert [(edge.dependant, edge.dependency) for edge in inventory.dependencies] == [("a", "b")]
    assert (inventory.distro.id, inventory.distro.version_id) == ("debian", "12")
    assert (inventory.format, inventory.schema_version, inventory.tool) == ("cyclonedx-json", "1.6", "syft 1.18.1")
    assert (inventory.selection, dict(inventory.files)) == (Selection.NONE, {})
    assert len(inventory.lacks) == 5


def test_edges_of_old_syft_are_inverted(tmp_path):
    """Before 0.81 the dependency depends on the dependant."""
    content = cyclonedx(
        [component("a"), component("b")], version="0.80.0", dependencies=[{"ref": "a", "dependsOn": ["b"]}]
    )
    (edge,) = read(tmp_path, content).dependencies
    assert (edge.dependant, edge.dependency) == ("b", "a")


def test_cyclonedx_properties(tmp_path):
    """Ecosystem, locations, apk's own clauses, and entries that are not installed."""
    apk = component(
        "musl-utils",
        properties={"syft:package:type": "apk", "syft:location:1:path": "/b", "syft:location:0:path": "/lib/apk/db/installed",
                    "syft:metadata:pullDependencies:1": "so:b", "syft:metadata:pullDependencies:0": "so:a", "syft:metadata:provides:0": "cmd:x"},
    )  # fmt: skip
    lock = component(
        "left-pad",
        purl="pkg:npm/left-pad@1",
        properties={"syft:package:metadataType": "javascript-npm-package-lock-entry"},
    )
    listed = component("right-pad", purl="pkg:npm/right-pad@1", properties={"syft:location:0:path": "/app/yarn.lock"})
    npm = component(
        "pad", purl="pkg:npm/%40s/pad@1", group="@s", properties={"syft:location:0:path": "/n/@s/pad/package.json"}
    )
    del apk["purl"]
    inventory = read(tmp_path, cyclonedx([apk, lock, listed, npm]))
    assert names(inventory) == ["musl-utils", "@s/pad"]
    found = inventory.packages[0]
    assert (found.type, found.purl, found.depends, found.provides) == ("apk", None, ("so:a", "so:b"), ("cmd:x",))
    assert found.locations == ("/lib/apk/db/installed", "/b")
    assert inventory.packages[1].whole_directories == ("/n/@s/pad",)


@pytest.mark.parametrize("prefix", ["", "/build/root"])
def test_cyclonedx_files(tmp_path, prefix):
    """Digests of regular files; the scanning machine's directory is told by where packages were found."""
    files = [
        {
            "type": "file",
            "name": f"{prefix}{path}",
            "bom-ref": path,
            "hashes": [{"alg": "SHA-1", "content": "b" * 40}, {"alg": "SHA-256", "content": SHA256}],
        }
        for path in ("/var/lib/dpkg/status", "/usr/bin/a", "/usr/lib/var/lib/dpkg/status")
    ]
    inventory = read(
        tmp_path, cyclonedx([component("a", properties={"syft:location:0:path": "/var/lib/dpkg/status"}), *files])
    )
    assert list(inventory.files) == ["/usr/bin/a", "/usr/lib/var/lib/dpkg/status", "/var/lib/dpkg/status"]
    assert inventory.files["/usr/bin/a"].digest == f"sha256:{SHA256}"


def test_cyclonedx_xml(tmp_path):
    """The same content in XML."""
    text = """<?xml version="1.0"?><bom xmlns="http://cyclonedx.org/schema/bom/1.6" version="1"><components>
      <component type="library" bom-ref="a"><name>a</name><version>1</version><purl>pkg:deb/debian/a@1</purl></component>
      <component type="library" bom-ref="b"><name>b</name><version>1</version></component></components>
      <dependencies><dependency ref="a"><dependency ref="b"/></dependency></dependencies></bom>"""
    inventory = read(tmp_path, text)
    assert (inventory.format, inventory.schema_version, names(inventory)) == ("cyclonedx-xml", "1.6", ["a", "b"])
    assert [(edge.dependant, edge.dependency) for edge in inventory.dependencies] == [("a", "b")]


def spdx(packages, files=(), relationships=(), **fields):
    return {
        "spdxVersion": "SPDX-2.3", "SPDXID": "SPDXRef-DOCUMENT", "name": "image", "creationInfo": {"creators": ["Organization: X", "Tool: syft-1.18.1"]},
        "packages": packages, "files": list(files), "relationships": [
            {"spdxElementId": one, "relationshipType": kind, "relatedSpdxElement": other} for one, kind, other in relationships
        ], **fields,
    }  # fmt: skip


def spdx_package(name, **fields):
    reference = {
        "referenceCategory": "PACKAGE-MANAGER",
        "referenceType": "purl",
        "referenceLocator": f"pkg:deb/debian/{name}@1?arch=amd64&distro=debian-12",
    }
    return {
        "name": name,
        "SPDXID": f"P-{name}",
        "versionInfo": "1",
        "externalRefs": [reference],
        "licenseDeclared": "NOASSERTION",
        "supplier": "Person: P",
        **fields,
    }


def spdx_file(name, digest="0" * 40):
    return {"fileName": name, "SPDXID": f"F-{name}", "checksums": [{"algorithm": "SHA1", "checksumValue": digest}]}


def test_spdx(tmp_path):
    """Packages, what they contain, digests, and both spellings of a dependency."""
    packages = [
        spdx_package(
            "a", sourceInfo="acquired package info from DPKG DB: /usr/share/doc/a/copyright, /var/lib/dpkg/status"
        ),
        spdx_package("b"),
        {"name": "root", "SPDXID": "P-root", "primaryPackagePurpose": "FILE"},
    ]
    files = [spdx_file("usr/bin/a", "c" * 40), spdx_file("usr/empty"), spdx_file("usr/bin"), spdx_file("")]
    edges = [
        ("P-a", "CONTAINS", "F-usr/bin/a"),
        ("P-a", "CONTAINS", "F-usr/empty"),
        ("P-b", "DEPENDENCY_OF", "P-a"),
        ("P-b", "DEPENDS_ON", "P-a"),
        ("SPDXRef-DOCUMENT", "DESCRIBES", "P-root"),
    ]
    inventory = read(tmp_path, spdx(packages, files, edges))
    assert (inventory.format, inventory.tool, names(inventory)) == ("spdx-json", "syft 1.18.1", ["a", "b"])
    assert dict(inventory.owners) == {"/usr/bin/a": ("P-a",), "/usr/empty": ("P-a",)}
    assert {path: file.digest for path, file in inventory.files.items()} == {
        "/usr/bin/a": "sha1:" + "c" * 40,
        "/usr/empty": None,
    }
    assert [(edge.dependant, edge.dependency) for edge in inventory.dependencies] == [("P-a", "P-b"), ("P-b", "P-a")]
    assert inventory.packages[0].locations == ("/usr/share/doc/a/copyright", "/var/lib/dpkg/status")
    assert inventory.packages[0].maintainer == "P"
    assert (inventory.distro.id, inventory.distro.version_id) == ("debian", "12")


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (cyclonedx([]), "lists no installed packages"),
        (cyclonedx("x"), r"\$\.components: expected array \| null, got str"),
        (cyclonedx([component("a", version=[1])]), r"\$\.components\[0\]\.version: expected str \| null, got array"),
        (cyclonedx([{"type": "nonsense", "name": "a"}]), "not a valid CycloneDX document"),
        ("<bom>", "not a valid CycloneDX document"),
        ("<html/>", "not a CycloneDX document"),
        (
            '<!DOCTYPE b [<!ENTITY a "aaaa">]><bom xmlns="http://cyclonedx.org/schema/bom/1.6">&a;</bom>',
            "document type",
        ),
        (spdx([spdx_package("a")], spdxVersion="SPDX-3.0"), "SPDX-3.0 is not read"),
        (spdx([]), "lists no installed packages"),
        (spdx([spdx_package("a"), spdx_package("a")]), r"\$\.packages\[1\]\.SPDXID: repeats"),
        (spdx([spdx_package("a")], [spdx_file("../../etc/passwd")]), r"\$\.files\[0\]\.fileName"),
        (spdx([{"name": 5, "SPDXID": "x"}]), r"\$\.packages\[0\]\.name: expected str, got int"),
    ],
)
def test_bad_documents(tmp_path, content, message):
    """Each gets one clear message that starts with the file's name."""
    with pytest.raises(InputError, match=message) as caught:
        read(tmp_path, content)
    assert caught.value.fact.startswith(str(tmp_path))
