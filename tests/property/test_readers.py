"""Laws of the readers: damaged documents raise nothing but the project's errors, and what is read keeps its promises."""

from __future__ import annotations

import copy
import json
import os
import posixpath
import tempfile
from pathlib import Path
from typing import Any

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from pruner.errors import InputError, PrunerError
from pruner.model import Inventory
from pruner.read import read_sbom
from pruner.read.inventory import join
from pruner.read.linktext import RewrittenLink, relative_text, restored
from pruner.read.modes import posix_mode
from pruner.read.relationfile import read_relations
from pruner.read.stanzas import blocks, control_fields
from pruner.rootfs import open_root
from tests.unit.sboms import STATUS, deb, debian_tree, directory_source, document, edge, entry, link

DOCUMENT = document(
    [
        deb("tool", ["/bin/tool", {"path": "/etc/x", "isConfigFile": True, "digest": {"algorithm": "md5", "value": "a"}}]),
        {"id": "p", "name": "six", "version": "1", "type": "python", "metadataType": "python-package", "purl": "pkg:pypi/six@1",
         "locations": [{"path": "/s/six-1.dist-info/METADATA"}], "metadata": {"sitePackagesRootPath": "/s", "files": [{"path": "six.py"}]}},
        {"id": "n", "name": "x", "version": "1", "type": "npm", "metadataType": "javascript-npm-package-lock-entry", "locations": [{"path": "/a/package-lock.json"}]},
        {"id": "j", "name": "j", "version": "1", "type": "java-archive", "metadataType": "java-archive", "metadata": {"virtualPath": "/j.jar:x"}, "locations": [{"path": "/j.jar"}]},
    ],
    [
        entry("/usr/bin/tool", digests=[{"algorithm": "sha256", "value": "a"}], executable={"format": "elf", "hasExports": True, "importedLibraries": ["libc.so.6"]}),
        link("/bin", "/build/usr/bin", 7), entry("/usr", "Directory", mode=20000000755), entry("/h", "HardLink", linkDestination="usr/bin/tool"),
        entry("/s/six.py"), entry("/a/node_modules/x/package.json"), entry("/j.jar"),
    ],
    source=directory_source(),
    artifactRelationships=[edge("deb:tool", "file:/usr/bin/tool"), edge("p", "deb:tool", "dependency-of")],
)  # fmt: skip
SPDX = {
    "spdxVersion": "SPDX-2.3", "SPDXID": "SPDXRef-DOCUMENT", "name": "x", "creationInfo": {"creators": ["Tool: syft-1.18.1"]},
    "packages": [{"name": "a", "SPDXID": "P", "versionInfo": "1", "sourceInfo": "acquired package info from DPKG DB: /x", "externalRefs": [{"referenceType": "purl", "referenceLocator": "pkg:deb/debian/a@1?distro=debian-12"}]}],
    "files": [{"fileName": "usr/bin/a", "SPDXID": "F", "checksums": [{"algorithm": "SHA1", "checksumValue": "a"}]}],
    "relationships": [{"spdxElementId": "P", "relationshipType": "CONTAINS", "relatedSpdxElement": "F"}],
}  # fmt: skip
CYCLONEDX = {
    "bomFormat": "CycloneDX", "specVersion": "1.6", "version": 1, "metadata": {"tools": {"components": [{"type": "application", "name": "syft", "version": "1"}]}},
    "components": [{"type": "library", "bom-ref": "a", "name": "a", "version": "1", "purl": "pkg:deb/debian/a@1", "licenses": [{"license": {"id": "MIT"}}], "properties": [{"name": "syft:location:0:path", "value": "/x"}]}],
    "dependencies": [{"ref": "a", "dependsOn": ["a"]}],
}  # fmt: skip
GRAPH = {
    "nodes": [{"id": "a", "name": "tool"}],
    "links": [{"source": "a", "target": "b", "kind": "depends", "alternatives": ["c"]}],
}

PATIENT = settings(
    max_examples=150, deadline=None, suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large]
)

SCALARS = (
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(max_size=8)
    | st.sampled_from(
        [
            "..",
            "/..",
            "/",
            "",
            "/a/../../b",
            "\0",
            "/\ud800",
            "//",
            "HardLink",
            "SymbolicLink",
            "pkg:",
            "pkg:deb/x",
            "16.0.99",
            "7.0.0",
            "99.0.0",
            "all-layers",
        ]
    )
)
VALUES = st.recursive(
    SCALARS,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=5,
)


def places(value: Any, at: tuple = ()) -> list[tuple]:
    """Paths of keys and indices to every part of a JSON value."""
    found = [at] if at else []
    items = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    return found + [place for key, part in items for place in places(part, (*at, key))]


@st.composite
def mutated(draw: st.DrawFn, original: dict[str, Any]) -> dict[str, Any]:
    """`original` with up to four parts replaced, removed, or repeated."""
    value = copy.deepcopy(original)
    for _ in range(draw(st.integers(1, 4))):
        place = draw(st.sampled_from(places(value)))
        holder = value
        for key in place[:-1]:
            holder = holder[key]
        action = draw(st.sampled_from(["replace", "replace", "remove", "repeat"]))
        if action == "replace":
            holder[place[-1]] = draw(VALUES)
        elif action == "remove":
            del holder[place[-1]]
        elif isinstance(holder, list):
            holder.append(copy.deepcopy(holder[place[-1]]))
        if not places(value):
            break
    return value


def attempt(data: bytes) -> Inventory | None:
    """The inventory of a document of these bytes, or None where it was refused properly."""
    with tempfile.NamedTemporaryFile() as file:
        file.write(data)
        file.flush()
        try:
            return read_sbom(file.name)
        except PrunerError as error:
            assert isinstance(error, InputError)
            assert error.fact.isprintable()
            return None


def check(inventory: Inventory | None) -> None:
    """What every inventory promises."""
    if inventory is None:
        return
    ids = [package.id for package in inventory.packages]
    assert ids
    assert len(set(ids)) == len(ids)
    assert list(inventory.files) == sorted(inventory.files, key=os.fsencode)
    for path, file in inventory.files.items():
        assert path == file.path == os.path.normpath(path)
        assert path.startswith("/")
        assert 0 <= file.mode <= 0o7777
        assert file.hardlink is None or file.hardlink in inventory.files
    assert set(inventory.owners) <= set(inventory.files)
    assert {owner for owners in inventory.owners.values() for owner in owners} <= set(ids)
    for edge_ in inventory.dependencies:
        assert edge_.dependant != edge_.dependency
        assert {edge_.dependant, edge_.dependency, *edge_.alternatives} <= set(ids)


def encoded(value: Any) -> bytes:
    return json.dumps(value).encode()


@PATIENT
@given(mutated(DOCUMENT))
def test_mutated_syft_documents(value):
    check(attempt(encoded(value)))


@PATIENT
@given(mutated(SPDX))
def test_mutated_spdx_documents(value):
    check(attempt(encoded(value)))


@PATIENT
@given(mutated(CYCLONEDX))
def test_mutated_cyclonedx_documents(value):
    check(attempt(encoded(value)))


@PATIENT
@given(st.sampled_from([DOCUMENT, SPDX, CYCLONEDX]), st.data())
def test_damaged_bytes(value, data):
    """Cut short, or with bytes overwritten."""
    raw = bytearray(encoded(value))
    start = data.draw(st.integers(0, len(raw) - 1))
    raw[start : start + data.draw(st.integers(0, 8))] = data.draw(st.binary(max_size=8))
    check(attempt(bytes(raw[: data.draw(st.integers(0, len(raw)))])))
    check(attempt(bytes(raw)))


@PATIENT
@given(st.binary(max_size=64) | st.text(max_size=64).map(lambda text: text.encode("utf-8", "replace")))
def test_arbitrary_bytes(data):
    assert attempt(data) is None


@PATIENT
@given(mutated(GRAPH) | st.text(max_size=40) | st.binary(max_size=40), st.sampled_from(["dependant", "provider"]))
def test_mutated_relations(value, direction):
    """Whatever a relations file holds, it is refused properly or adds no package."""
    data = (
        value
        if isinstance(value, bytes)
        else value.encode("utf-8", "replace")
        if isinstance(value, str)
        else encoded(value)
    )
    with tempfile.NamedTemporaryFile() as file:
        file.write(data)
        file.flush()
        try:
            source = read_relations(file.name, direction)
        except InputError as error:
            assert error.fact.isprintable()
            return
    inventory = attempt(encoded(DOCUMENT))
    assert inventory is not None
    found = join(inventory, None, [source])
    check(found)
    assert [package.id for package in found.packages] == [package.id for package in inventory.packages]


@settings(PATIENT, max_examples=40)
@given(st.data())
def test_mutated_databases(data):
    """A damaged dpkg database is refused properly or gives an inventory that keeps its promises."""
    with tempfile.TemporaryDirectory() as place:
        root = Path(place) / "root"
        debian_tree(root)
        name = data.draw(st.sampled_from(["status", "info/tool.list", "info/tool.md5sums", "diversions"]))
        path = root / "var/lib/dpkg" / name
        raw = bytearray(path.read_bytes() if path.exists() else b"/a\n/b\n:\n")
        start = data.draw(st.integers(0, len(raw)))
        raw[start : start + data.draw(st.integers(0, 30))] = data.draw(st.binary(max_size=20))
        path.write_bytes(raw)
        sbom = attempt(encoded(document([deb("tool", ["/bin/tool"])], source=directory_source())))
        assert sbom is not None
        try:
            check(join(sbom, open_root(str(root)), ()))
        except InputError as error:
            assert error.fact.isprintable()


@PATIENT
@given(
    st.permutations(DOCUMENT["artifacts"]),
    st.permutations(DOCUMENT["files"]),
    st.permutations(DOCUMENT["artifactRelationships"]),
)
def test_order_of_the_document_makes_no_difference(artifacts, files, relationships):
    shuffled = {**DOCUMENT, "artifacts": artifacts, "files": files, "artifactRelationships": relationships}
    assert attempt(encoded(shuffled)) == attempt(encoded(DOCUMENT))


@given(
    st.integers(0, 0o777),
    st.booleans(),
    st.booleans(),
    st.booleans(),
    st.sampled_from([0, 1 << 31, 1 << 27, 1 << 26, 1 << 25]),
)
def test_modes_survive_the_spelling(permissions, setuid, setgid, sticky, kind):
    """Go's bits, written as octal digits and read as a decimal number, give the POSIX bits back."""
    go = permissions | setuid << 23 | setgid << 22 | sticky << 20 | kind
    assert posix_mode(int(f"{go:o}")) == permissions | setuid << 11 | setgid << 10 | sticky << 9


NAMES = st.lists(st.text("ab\N{LATIN SMALL LETTER E WITH ACUTE}", min_size=1, max_size=3), min_size=1, max_size=4).map(
    lambda parts: "/" + "/".join(parts)
)


@PATIENT
@given(
    st.lists(st.tuples(NAMES, NAMES, st.booleans()), min_size=1, max_size=8), st.sampled_from(["/build/root", "/x", ""])
)
def test_link_texts_survive_a_directory_scan(links, directory):
    """Rewriting as Syft does it and restoring gives the text again, or one of the same meaning and length."""
    paths = {target for _, target, _ in links}
    texts = [target if absolute else relative_text(target, posixpath.dirname(path)) for path, target, absolute in links]
    rewritten = [
        RewrittenLink(path, directory + target, len(text.encode()))
        for (path, target, _), text in zip(links, texts, strict=True)
    ]
    found = restored(rewritten, paths, "root")
    if found.directory == directory:
        for (path, target, _), text, original in zip(links, found.texts, texts, strict=True):
            assert posixpath.normpath(posixpath.join(posixpath.dirname(path), text)) == target
            assert len(text.encode()) == len(original.encode())
    else:  # few links that another directory explains as well
        assert directory.startswith(found.directory) or found.directory.startswith(directory)


@given(st.lists(st.sampled_from(STATUS.split("\n")), max_size=30))
def test_stanzas_hold_every_line_once(lines):
    """Splitting into blocks loses no line that is not blank."""
    text = "\n".join(lines)
    kept = [line for block in blocks(text) for line in block.split("\n")]
    assert [line for line in kept if line.strip()] == [line for line in lines if line.strip()]
    for block in blocks(text):
        assert all(name == name.lower() for name in control_fields(block))
